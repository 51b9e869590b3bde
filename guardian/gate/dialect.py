"""The gate's other dialect: for client libraries that are built on httpx, and the same door behind it. One per account.

httpx composes a request and parses an answer; everything between is the account's guarded transport itself, with its
locks, its receipts and its records. Nothing is promised here a second time. Several threads may ask through one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import requests
from requests.structures import CaseInsensitiveDict

from guardian.fence.passage import Stopped
from guardian.gate import tripwire
from guardian.gate.transport import GuardedTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = frozenset(
    {"host", "connection", "accept-encoding", "transfer-encoding"}
)  # the gate's own connection writes them
# Of an answer: it is whole and as it came, nothing is unpacked; and no cookie is kept, which would grow with each.
UNTOLD = frozenset({"set-cookie", "set-cookie2", "content-encoding", "transfer-encoding", "content-length"})


class HttpxDialect(httpx.BaseTransport):
    """What an httpx client is given in place of the network."""

    def __init__(self, session: requests.Session) -> None:
        """Raises Stopped when the session does not pass the gate."""
        tripwire.stretch_lower()
        door = session.get_adapter("https://")
        if not isinstance(door, GuardedTransport):
            raise Stopped("there is no gate behind this session")
        self._door = door

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one request, or refuse it. Raises Stopped for a refusal, OSError and urllib3's errors for the rest."""
        answer = self._door.send(_translated(request))
        return httpx.Response(answer.status_code, headers=list(_told(answer)), content=answer.content, request=request)


def _translated(request: httpx.Request) -> requests.PreparedRequest:
    """The same request for the guarded transport: method, address, headers and the whole body, nothing else.

    What httpx calls extensions (time-outs, another host for TLS) is left behind: the gate has its own.
    """
    prepared = requests.PreparedRequest()
    prepared.method = request.method.upper()
    prepared.url = str(request.url)
    prepared.headers = CaseInsensitiveDict(
        (name, value) for name, value in request.headers.multi_items() if name.lower() not in OURS
    )
    prepared.body = request.read() or None
    return prepared


def _told(answer: requests.Response) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers.items():
        if name.lower() not in UNTOLD:
            yield name, value
