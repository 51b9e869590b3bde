"""The guarded transport for `requests`: what a client library is given in place of the network. One per account.

Refuses hosts that are not the account's, changing requests that nobody declared, second publishing requests under one
intent, proxies and unverified TLS; imposes one deadline; reads the whole answer within a size limit; never retries; and
writes into the receipt what really happened.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import certifi
import requests
import requests.adapters

from guardian.adapter import Kind
from guardian.failpoint import failpoint
from guardian.fence.passage import Stopped
from guardian.gate import intents
from guardian.gate.connection import Errand, GatedConnection, GatedTLSConnection
from guardian.gate.intents import Fate, Trace
from guardian.gate.waits import retry_after
from guardian.gate.wire import Deadline, tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from urllib3 import BaseHTTPResponse

    from guardian.adapter import Route
    from guardian.gate.intents import Intent
    from guardian.model import Account

SAFE = frozenset({"GET", "HEAD"})
NEEDS_INTENT = frozenset({Kind.PUBLISH, Kind.MANAGE, Kind.UPLOAD, Kind.RETRACT})
SINGLE_USE = frozenset({Kind.PUBLISH, Kind.MANAGE})
MAX_ANSWER = 4 << 20
MAX_PARTS = 50_000  # things in a document; the client library makes 3 KB and 0.2 ms of an empty one
MAX_REDIRECTS = 3  # of reading requests, on the account's own host; each has a deadline of its own
UPLOAD_WITHIN = 120.0  # seconds; an upload holds no lock, and publishes nothing
CHUNK = 64 * 1024
WHY_LENGTH = 300


def uncounted() -> None:
    """Nobody counts what is refused."""


class GuardedTransport(requests.adapters.HTTPAdapter):
    """Mounted for every address of a session; its `send` is the only line of the house that reaches a platform."""

    def __init__(
        self,
        account: Account,
        routes: Sequence[Route],
        *,
        answer_within: float,
        cafile: str | None,
        on_refusal: Callable[[], None],
    ) -> None:
        super().__init__(max_retries=0)
        self._account = account
        self._routes = tuple(routes)
        self._answer_within = answer_within
        self._origin = _origin(account.base_url)
        self._tls: ssl.SSLContext | None = None
        self._cafile = cafile
        self._on_refusal = on_refusal

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        """Make one request, or refuse it. Raises Stopped for a refusal; OSError and library errors for the rest."""
        intent = intents.current()
        trace = Trace(Kind.READ, request.method or "", urlsplit(request.url or "").path)
        if intent is not None:
            intent.receipt.traces.append(trace)
        try:
            trace.kind = self._kind(request)
            self._admit(request, trace, intent, options)
            return self._exchange(request, trace, intent)
        except Stopped as stopped:
            trace.fate, trace.why = Fate.STOPPED, str(stopped)
            self._on_refusal()
            raise
        except Exception as error:
            trace.why = trace.why or f"{type(error).__name__}: {error}"[:WHY_LENGTH]
            raise

    def _kind(self, request: requests.PreparedRequest) -> Kind:
        """What the request does, by the adapter's own table; a changing request that is not in it is refused."""
        method = request.method or ""
        path = urlsplit(request.url or "").path
        for route in self._routes:
            if route.matches(method, path):
                return route.kind
        if method in SAFE:
            return Kind.READ
        raise Stopped(f"nobody declared what {method} {path} changes")

    def _admit(
        self, request: requests.PreparedRequest, trace: Trace, intent: Intent | None, options: dict[str, Any]
    ) -> None:
        if _origin(request.url or "") != self._origin:
            raise Stopped(f"{urlsplit(request.url or '').netloc} is not the host of {self._account.name}")
        if options.get("verify") is False or any((options.get("proxies") or {}).values()):
            raise Stopped("proxies and unverified TLS are refused")
        if trace.kind not in NEEDS_INTENT:
            return
        if trace.kind is Kind.RETRACT:
            raise Stopped("taking down is not built yet")
        if intent is None or intent.account != self._account.name or intent.kind not in (trace.kind, Kind.PUBLISH):
            raise Stopped(f"{request.method} {trace.path} was not announced by an intent")
        if trace.kind in SINGLE_USE:
            if intent.spent:
                raise Stopped("an intent is good for one publishing request, and this is the second")
            intent.spent = True

    def _exchange(self, request: requests.PreparedRequest, trace: Trace, intent: Intent | None) -> requests.Response:
        parts = urlsplit(request.url or "")
        tls = parts.scheme == "https"
        within = max(self._answer_within, UPLOAD_WITHIN) if trace.kind is Kind.UPLOAD else self._answer_within
        errand = Errand(trace, Deadline(within), intent.ticket if intent else None, tls=tls)
        connection = self._connection(parts.hostname or "", parts.port, errand)
        try:
            request.headers["Accept-Encoding"] = "identity"
            request.headers["Connection"] = "close"
            connection.request(
                trace.method,
                request.path_url,
                request.body,
                dict(request.headers),
                preload_content=False,
                decode_content=False,
            )
            raw = connection.getresponse()
            content = _read(raw)
            if content.count(b",") > MAX_PARTS:
                raise OSError(f"the answer has more than {MAX_PARTS} parts")
        finally:
            connection.close()
            errand.end()
        failpoint("gate.answered")
        return self._response(request, raw, content, trace)

    def _connection(self, host: str, port: int | None, errand: Errand) -> GatedConnection | GatedTLSConnection:
        connection: GatedConnection | GatedTLSConnection
        if errand.tls:
            self._tls = self._tls or tls_context(self._cafile or certifi.where())
            connection = GatedTLSConnection(host, port or 443, timeout=self._answer_within, ssl_context=self._tls)
        else:
            connection = GatedConnection(host, port or 80, timeout=self._answer_within)
        connection.errand = errand
        return connection

    def _response(
        self, request: requests.PreparedRequest, raw: BaseHTTPResponse, content: bytes, trace: Trace
    ) -> requests.Response:
        response = self.build_response(request, raw)
        response._content = content  # noqa: SLF001 (what requests itself does when it has read an answer)
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        trace.status, trace.fate = response.status_code, Fate.ANSWERED
        trace.retry_after = retry_after(response.headers)
        if not response.ok:
            trace.why = content[:WHY_LENGTH].decode("utf-8", "replace")
        if trace.kind in SINGLE_USE:
            response.headers.pop("location", None)  # a publishing request is never sent on to another address
        return response


def _read(raw: BaseHTTPResponse) -> bytes:
    """The whole answer, up to the limit; each read is bounded by the exchange's deadline."""
    found = bytearray()
    while chunk := raw.read(CHUNK):
        found += chunk
        if len(found) > MAX_ANSWER:
            raise OSError(f"the answer has more than {MAX_ANSWER} bytes")
    return bytes(found)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def guarded_session(
    account: Account,
    routes: Sequence[Route],
    *,
    answer_within: float,
    cafile: str | None = None,
    on_refusal: Callable[[], None] = uncounted,
) -> requests.Session:
    """A session that can do nothing but pass the gate: no proxies, no .netrc, no adapter but ours, no cookies.

    Cookies would grow with every answer, until no request fits its limit any more. `on_refusal` hears of
    each request that is refused, in the thread that asked.
    """
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.max_redirects = MAX_REDIRECTS
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    transport = GuardedTransport(account, routes, answer_within=answer_within, cafile=cafile, on_refusal=on_refusal)
    session.mount("https://", transport)
    session.mount("http://", transport)
    return session
