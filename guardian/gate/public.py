"""What anybody can see: files on a platform's CDN and permalinks, read without credentials.

Any thread may use a reader, and several at once.

The addresses come from a platform's answers, which are hostile input: only http and https, each name resolved once and
connected to at the address that was looked at, never a private one, and every redirect goes through the same again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from guardian.adapter import Answer, Kind
from guardian.errors import Doubt, Refusal
from guardian.gate import recording, wire
from guardian.gate.addresses import public_only
from guardian.gate.blanks import Blanks
from guardian.gate.connection import Errand
from guardian.gate.exchange import HTTP, HTTPS, Overlong, Question, exchange
from guardian.gate.intents import Trace
from guardian.gate.wire import Deadline, Trust

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from urllib3 import BaseHTTPResponse

    from guardian.gate.wire import LookUp

MOST = 64 << 20
HEADS = 1 << 20  # bytes for the heads of all answers, beside their bodies
MAX_HOPS = 3
MAX_ADDRESS = 8 * 1024
USER_AGENT = "Mozilla/5.0 (compatible)"
MOVED = frozenset({301, 302, 303, 307, 308})
SCHEMES = {"http": HTTP, "https": HTTPS}
LOGIN = re.compile(
    r"(?:^|[/._-])(?:log[-_]?in|sign[-_]?in|auth|authorize|oauth2?|sso|sessions?|checkpoint|challenge|consent)(?:[/._-]|$)",
    re.IGNORECASE,
)


class Unreadable(Refusal):
    """cannot read that address, because it is none that anybody could be shown, do look at it yourself"""

    code = "unreadable"


class Unread(Doubt):
    """cannot say what anybody sees there, because no whole answer came, do look again"""

    code = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Public(Answer):
    """An answer, where it came from in the end (without hops: the address as it was given), and over which addresses.

    A redirect to a login page is not followed: then `status` is the redirect's own.
    """

    url: str
    hops: tuple[str, ...] = ()
    type: str = ""
    to: str | None = None  # where a redirect that was not followed leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where an address leads to, once it was looked at: somebody else who asks there is to use `address` (an IP)."""

    host: str
    port: int
    address: str


class PublicReader:
    """Reads with GET alone, without cookies, without credentials, within one deadline and one size."""

    def __init__(
        self,
        *,
        answer_within: float,
        cafile: str | None = None,
        trusted_hosts: Collection[str] = (),
        secrets: Iterable[str] = (),
    ) -> None:
        """`trusted_hosts` ("host" or "host:port") may be at any address: the account's own, which the operator named.

        `answer_within` is in seconds, for everything that one `read` does; `secrets` are blanked in what is recorded.
        """
        self._answer_within = answer_within
        self._trust = Trust(cafile)
        self._trusted = frozenset(host.lower() for host in trusted_hosts)
        self._blanks = Blanks(secrets)

    def read(self, url: str, *, accept: str = "*/*", most: int = MOST) -> Public:
        """What anybody gets at `url`, over at most three redirects.

        Raises Unreadable (the address, or where it leads, is not to be asked; the answer is longer than `most` bytes)
        and Unread (no whole answer came).
        """
        deadline = Deadline(recording.within(self._answer_within), most=most + HEADS)
        hops: list[str] = []
        asked = url
        first = self._blanks.url(url)[:200]
        while True:
            question = self._question(url, accept)
            raw, body = self._ask(question, deadline, most)
            target = _leads_to(question.url, raw)
            if target is None or _is_login(target):
                return Public(
                    status=raw.status,
                    body=body,
                    url=question.url if hops else asked,
                    hops=tuple(hops),
                    type=(raw.headers.get("Content-Type") or "").partition(";")[0].strip().lower(),
                    to=target,
                )
            hops.append(question.url)
            if len(hops) > MAX_HOPS:
                raise Unreadable(f"cannot read {first}, because it was sent on more than {MAX_HOPS} times")
            if urlsplit(question.url).scheme == "https" and urlsplit(target).scheme == "http":
                raise Unreadable(f"cannot read {first}, because it is sent on from https to http")
            url = target

    def way(self, url: str) -> Way:
        """Where a program of somebody else's may go to see what is at `url`: by the rules of `read`, asking nothing.

        Raises Unreadable and NotPublic, and Unread when the name is not resolved in time.
        """
        question = self._question(url, "*/*")
        try:
            deadline = Deadline(recording.within(self._answer_within))
            found = self._look_up(question)(question.host, question.port, deadline)
        except OSError as error:
            shown = self._blanks.url(question.url)[:200]
            raise Unread(f"cannot say what anybody sees at {shown}, because its host is not found ({error})") from None
        return Way(host=question.host, port=question.port, address=str(found[0][-1][0]))

    def _question(self, url: str, accept: str) -> Question:
        """The request for an address. Raises Unreadable when it is none that we ask."""
        prepared = requests.PreparedRequest()
        try:
            if len(url) > MAX_ADDRESS:
                raise ValueError(f"it is longer than {MAX_ADDRESS} characters")  # noqa: TRY301 (all in one sentence)
            prepared.prepare_url(url, {})
            parts = urlsplit(prepared.url or "")
            port = parts.port or SCHEMES.get(parts.scheme, 0)
        except (ValueError, requests.RequestException) as error:
            raise Unreadable(f"cannot read that address, because {error}") from None
        host = parts.hostname or ""
        shown = self._blanks.url(url)[:200]
        if parts.scheme not in SCHEMES or "@" in parts.netloc:
            raise Unreadable(f"cannot read {shown}, because it is no plain http or https address")
        if port != SCHEMES[parts.scheme] and not self._trusts(host, port):
            raise Unreadable(f"cannot read {shown}, because it names a port of its own")
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": accept,
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        return Question(url=parts.geturl(), host=host, port=port, path=prepared.path_url, headers=headers)

    def _trusts(self, host: str, port: int) -> bool:
        host = f"[{host}]" if ":" in host else host
        return host in self._trusted or f"{host}:{port}" in self._trusted

    def _look_up(self, question: Question) -> LookUp:
        return wire.of_anybody if self._trusts(question.host, question.port) else public_only

    def _ask(self, question: Question, deadline: Deadline, most: int) -> tuple[BaseHTTPResponse, bytes]:
        trace = Trace(Kind.READ, "GET", question.path)
        shown = self._blanks.url(question.url)[:200]
        tls = question.url.startswith("https:")
        errand = Errand(trace, deadline, None, tls=tls, look_up=self._look_up(question))
        try:
            return exchange(errand, question, self._trust, self._blanks, most=most)
        except Overlong as error:
            raise Unreadable(f"cannot read {shown}, because {error}") from None
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            why = self._blanks.text(f"{type(error).__name__}: {error}")
            raise Unread(f"cannot say what anybody sees at {shown}, because no whole answer came ({why})") from None


def _leads_to(url: str, raw: BaseHTTPResponse) -> str | None:
    """Where an answer sends its reader; None: it is the answer itself."""
    location = raw.headers.get("Location")
    if raw.status not in MOVED or not location:
        return None
    try:
        return urljoin(url, location.encode("latin-1").decode("utf-8", "replace"))
    except ValueError as error:
        raise Unreadable(f"cannot read on, because it is sent on to no address ({error})") from None


def _is_login(url: str) -> bool:
    return LOGIN.search(urlsplit(url).path) is not None
