"""The guarded transport for `requests`: what a client library is given in place of the network. One per account.

Refuses hosts that nobody declared, changing requests that nobody declared, second publishing or retracting
requests under one intent, retracting ones that say more than was announced, proxies and unverified TLS; imposes one
deadline; reads the whole answer within a size limit; never retries; and writes into the receipt what really happened.
Several threads may read through one at once.
"""

from __future__ import annotations

import re
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests.adapters

from guardian import masking
from guardian.adapter import Kind, Meaning, Reading, Route
from guardian.failpoint import failpoint
from guardian.fence.passage import Stopped
from guardian.gate import bodies, intents, recording, retracting
from guardian.gate.blanks import Blanks
from guardian.gate.connection import Errand
from guardian.gate.exchange import Question, exchange
from guardian.gate.hosts import Hosts, origin
from guardian.gate.intents import Fate, Trace
from guardian.gate.waits import retry_after
from guardian.gate.wire import Deadline, Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from urllib3 import BaseHTTPResponse

    from guardian.adapter import Host, Reads
    from guardian.gate.hosts import Origin
    from guardian.gate.intents import Intent
    from guardian.gate.wire import LookUp
    from guardian.model import Account

SAFE = frozenset({"GET", "HEAD"})
NEEDS_INTENT = frozenset({Kind.PUBLISH, Kind.MANAGE, Kind.UPLOAD, Kind.RETRACT})
ALLOWS = {  # which requests an intent is good for
    Kind.PUBLISH: frozenset({Kind.PUBLISH, Kind.MANAGE, Kind.UPLOAD}),
    Kind.MANAGE: frozenset({Kind.MANAGE}),
    Kind.UPLOAD: frozenset({Kind.UPLOAD}),
    Kind.RETRACT: frozenset({Kind.RETRACT}),
}
SINGLE_USE = frozenset({Kind.PUBLISH, Kind.MANAGE, Kind.RETRACT})
MAX_ANSWER = 4 << 20
MAX_PARTS = 50_000  # things in a document; the client library makes 3 KB and 0.2 ms of an empty one
HEADS = 1 << 20  # what its heads may be beside it
WHOLE_ANSWER, WHOLE_PARTS = 24 << 20, 800_000  # of evidence: what 4,096 replies are, which no library reads
MAX_REDIRECTS = 3  # of reading requests, on the account's own host; each has a deadline of its own
UPLOAD_WITHIN = 120.0  # seconds; an upload holds no lock, and publishes nothing
WHY_LENGTH = 300
BAD_REQUEST = 400
MOST_GIVEN = 16  # tokens of the account that are remembered as secrets; older ones are good for nothing any more
BEARERS = frozenset({"bearer", "dpop"})
NO_WORD = 12  # letters; a shorter secret (an app's id) may be a word of honest answers
ANY_TYPE = "application/octet-stream"  # nothing is looked for in it by name


def hush(session: requests.Session, secret: str) -> None:
    """Tell a guarded session of a secret that its account was given."""
    for door in session.adapters.values():
        if isinstance(door, GuardedTransport):
            door.hush(secret)


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
        look_up: LookUp | None = None,
        hosts: Sequence[Host] = (),
        reads: Reads | None = None,
    ) -> None:
        super().__init__(max_retries=0)
        self._account = account
        self._routes = tuple(routes)
        self._answer_within = answer_within
        self._trust = Trust(cafile)
        self._on_refusal = on_refusal
        self._look_up = look_up
        self._declared = tuple(hosts)
        self._reads = reads
        self._own = frozenset(secret.reveal() for secret in account.secrets.values())
        self._given: tuple[str, ...] = ()
        self._know_secrets()

    def hush(self, secret: str) -> None:
        """From now on it is a secret as if it were configured: a token that the platform has given. Any thread."""
        masking.keep_for_now([secret])
        if secret not in self._given:
            self._given = (*self._given, secret)[-MOST_GIVEN:]
            self._know_secrets()

    def _hush_what_is_sent(self, request: requests.PreparedRequest) -> None:
        """A token in its own header is one, whoever has told us of it or not; keys that are configured are known."""
        said = str(request.headers.get("Authorization") or "")
        scheme, _, token = said.partition(" ")
        if scheme.lower() in BEARERS and token not in self._own:
            self.hush(token)

    def _know_secrets(self) -> None:
        own = [*self._own, *self._given]
        self._blanks = Blanks(own)
        self._echoes = Blanks(secret for secret in own if len(secret) >= NO_WORD)
        self._hosts = Hosts(self._account, self._declared, self._blanks)

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:  # noqa: ANN401
        """Make one request, or refuse it. Raises Stopped for a refusal; OSError and library errors for the rest."""
        intent = intents.current()
        trace = Trace(Kind.READ, request.method or "", urlsplit(request.url or "").path)
        if intent is not None:
            intent.receipt.traces.append(trace)
        try:
            self._hush_what_is_sent(request)
            route = self._route(request, intent)
            trace.kind = route.kind
            there = self._hosts.admit(request, trace.kind)
            self._admit(request, trace, intent, options)
            if intent is not None and trace.kind is Kind.RETRACT:
                retracting.check(request, route, intent)
            return self._exchange(request, there, trace, intent)
        except Stopped as stopped:
            trace.fate, trace.why = Fate.STOPPED, str(stopped)
            self._on_refusal()
            raise
        except Exception as error:
            trace.why = trace.why or masking.without(f"{type(error).__name__}: {error}")[:WHY_LENGTH]
            raise

    def _route(self, request: requests.PreparedRequest, intent: Intent | None) -> Route:
        """What the request does, by the adapter's own table; a changing request that is not in it is refused.

        Where one path does many things, the body says which: one that cannot be read in one way only is in no table.
        An edit may be in it twice: it hides, or it undoes that. Then the intent says which, and each has its own rules.
        """
        method = request.method or ""
        path = urlsplit(request.url or "").path
        fields = bodies.top_fields(request) if any(route.where for route in self._routes) else {}
        matching = [route for route in self._routes if route.matches(method, path, fields)]
        allowed = ALLOWS.get(intent.kind, frozenset()) if intent else frozenset()
        for route in sorted(matching, key=lambda one: one.kind not in allowed):
            return route
        if method in SAFE:
            return Route(Kind.READ, method, re.escape(path))
        raise Stopped(f"nobody declared what {method} {path} changes")

    def _admit(
        self, request: requests.PreparedRequest, trace: Trace, intent: Intent | None, options: dict[str, Any]
    ) -> None:
        if options.get("verify") is False or any((options.get("proxies") or {}).values()):
            raise Stopped("proxies and unverified TLS are refused")
        if trace.kind not in NEEDS_INTENT:
            return
        if intent is None or intent.account != self._account.name or trace.kind not in ALLOWS[intent.kind]:
            raise Stopped(f"{request.method} {trace.path} was not announced by an intent")
        if trace.kind in SINGLE_USE:
            if intent.spent:
                raise Stopped("an intent is good for one publishing or retracting request, and this is the second")
            intent.spent = True

    def _exchange(
        self, request: requests.PreparedRequest, there: Origin, trace: Trace, intent: Intent | None
    ) -> requests.Response:
        tls = there.scheme == "https"
        own = max(self._answer_within, UPLOAD_WITHIN) if trace.kind is Kind.UPLOAD else self._answer_within
        most, parts_most = (WHOLE_ANSWER, WHOLE_PARTS) if recording.whole() else (MAX_ANSWER, MAX_PARTS)
        deadline = Deadline(recording.within(own), most=most + HEADS)
        errand = Errand(trace, deadline, intent.ticket if intent else None, tls=tls, look_up=self._look_up)
        request.headers["Accept-Encoding"] = "identity"
        request.headers["Connection"] = "close"
        asked = origin(request.url or "")
        if asked != there:
            request.headers["Host"] = asked.host  # a double on loopback is told whom it plays
        question = Question(
            url=request.url or "",
            host=there.host,
            port=there.port,
            path=request.path_url,
            headers=request.headers,
            body=request.body,
        )
        raw, content = exchange(errand, question, self._trust, self._blanks, most=most)
        if content.count(b",") > parts_most:
            raise OSError(f"the answer has more than {parts_most} parts")
        failpoint("gate.answered")
        return self._response(request, raw, self._unsaid(content, raw.status, trace.kind), trace)

    def _unsaid(self, content: bytes, status: int, kind: Kind) -> bytes:
        """The answer without our own long secrets: what says one back ends up in a library's error, and in the store.

        Where a token is asked for, the answer to that may hold it.
        """
        if kind is Kind.AUTH and status < BAD_REQUEST:
            masking.keep_what_is_handed_out(content)
            return content
        return masking.blanked(self._echoes.body(content, ANY_TYPE))

    def _response(
        self, request: requests.PreparedRequest, raw: BaseHTTPResponse, content: bytes, trace: Trace
    ) -> requests.Response:
        response = self.build_response(request, raw)
        response._content = content  # noqa: SLF001 (what requests itself does when it has read an answer)
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        trace.status, trace.fate = response.status_code, Fate.ANSWERED
        trace.retry_after = retry_after(response.headers)
        trace.type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not response.ok:
            trace.why = self._blanks.text(content[:WHY_LENGTH].decode("utf-8", "replace"))
        if self._reads is not None and trace.kind in NEEDS_INTENT:
            trace.reading = _read(self._reads, trace, content)
        if trace.kind in SINGLE_USE:
            response.headers.pop("location", None)  # none of these is sent on to another address
        return response


def _read(reads: Reads, trace: Trace, content: bytes) -> Reading | None:
    """What the adapter makes of the answer. One that stumbles over it has proven nothing."""
    try:
        return reads(trace.kind, trace.path, trace.status or 0, content)
    except Exception as error:  # noqa: BLE001 (an adapter's own; the answer is there, and must not be lost)
        return Reading(meaning=Meaning.UNCERTAIN, why=f"nobody could read the answer ({type(error).__name__})")


def guarded_session(
    account: Account,
    routes: Sequence[Route],
    *,
    answer_within: float,
    cafile: str | None = None,
    on_refusal: Callable[[], None] = uncounted,
    look_up: LookUp | None = None,
    hosts: Sequence[Host] = (),
    reads: Reads | None = None,
) -> requests.Session:
    """A session that can do nothing but pass the gate: no proxies, no .netrc, no adapter but ours, no cookies.

    Cookies would grow with every answer, until no request fits its limit any more. `on_refusal` hears of
    each request that is refused, in the thread that asked; `look_up` resolves names in place of the lanes' resolvers.
    `hosts` are those beside the account's own; `reads` says what an answer means where its status does not.
    """
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.max_redirects = MAX_REDIRECTS
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    transport = GuardedTransport(
        account,
        routes,
        answer_within=answer_within,
        cafile=cafile,
        on_refusal=on_refusal,
        look_up=look_up,
        hosts=hosts,
        reads=reads,
    )
    session.mount("https://", transport)
    session.mount("http://", transport)
    return session
