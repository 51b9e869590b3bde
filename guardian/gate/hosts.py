"""Whom an account's requests may reach: its own host, and those that its platform's adapter declares. Any thread.

Fail-closed: a host that nobody declared gets nothing, and a declared one only what it was declared for.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.fence.passage import Stopped
from guardian.gate.exchange import HTTP, HTTPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import PreparedRequest

    from guardian.adapter import Host, Kind
    from guardian.gate.blanks import Blanks
    from guardian.model import Account

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Origin:
    """One server: scheme, host in small letters, port."""

    scheme: str
    host: str
    port: int

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def origin(url: str) -> Origin:
    """The server that an address names. Raises ValueError for a port that is none."""
    parts = urlsplit(url)
    standard = HTTPS if parts.scheme == "https" else HTTP
    return Origin(parts.scheme, (parts.hostname or "").lower(), standard if parts.port is None else parts.port)


class Hosts:
    """The hosts of one account."""

    def __init__(self, account: Account, declared: Sequence[Host], blanks: Blanks) -> None:
        self._account = account
        self._own = origin(account.base_url)
        self._declared = tuple(declared)
        self._blanks = blanks

    def admit(self, request: PreparedRequest, kind: Kind) -> Origin:
        """Where the request goes. Raises Stopped unless it may go there, with what it carries."""
        asked = origin(request.url or "")
        if asked == self._own:
            return asked
        host = self._named(asked)
        if host is None:
            raise Stopped(f"{urlsplit(request.url or '').netloc} is not the host of {self._account.name}")
        if kind not in host.kinds:
            raise Stopped(f"{asked.host} is declared for nothing that is {kind}")
        if not host.token:
            self._without_credentials(request, asked)
        return self._own if self._own.is_here else asked

    def _named(self, asked: Origin) -> Host | None:
        if (asked.scheme, asked.port) != ("https", HTTPS):
            return None
        return next((one for one in self._declared if _is(asked.host, one.name)), None)

    def _without_credentials(self, request: PreparedRequest, asked: Origin) -> None:
        """A host that is not the platform's gets no word of ours, in no header, address or body."""
        for name, value in request.headers.items():
            if name.lower() in CREDENTIALS or self._blanks.hold(str(value).encode()):
                raise Stopped(f"{asked.host} may not be given a credential, and {name} is one")
        body = request.body or b""
        if not isinstance(body, (str, bytes)):
            raise Stopped(f"what {asked.host} would be given is not there to be read")
        for said in (request.url or "", body):
            if self._blanks.hold(said.encode() if isinstance(said, str) else said):
                raise Stopped(f"{asked.host} may not be given a credential, and one is in what it would be given")


def _is(host: str, name: str) -> bool:
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
