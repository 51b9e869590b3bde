"""The contract's manners, as a thin ASGI layer around the application. Runs in the server's thread.

Bodies are JSON whatever `Content-Type` says, an empty body is `{}`, none is endless or nested without end; a request
that did not arrive whole is never carried out; and no answer waits in memory for ever.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from guardian.daemon import limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

IMPORT_PATH = "/v1/posts/import"
UPLOADS = (
    ("POST", "/v1/media"),
    ("POST", "/v1/imports"),
)  # no JSON: read piece by piece where it is carried out (`streams.py`)
DRAINED = 1 << 20  # read beyond a limit, so that the refusal can be read by a client that is still sending
OUTSIDE = re.compile(rb"[\[{\]}]|[^\s,:\[{\]}]++")  # what stands between the strings: brackets, numbers, words
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Refusing(NamedTuple):
    """An answer from before the application: the status and the contract's form of error."""

    status: int
    code: str
    message: str
    fix: str

    @property
    def body(self) -> bytes:
        """The JSON text."""
        return json.dumps({"error": {"code": self.code, "message": self.message, "fix": self.fix}}).encode()


TOO_LARGE = Refusing(413, "too_large", "cannot read the request, because it is too large", "split it")
TOO_DEEP = Refusing(
    422,
    "bad_input",
    f"cannot read the request, because its body is nested more than {limits.MAX_DEPTH} levels deep",
    "look into /openapi.json",
)
TOO_MANY = Refusing(
    422, "bad_input", "cannot read the request, because its body has too many parts", "look into /openapi.json"
)
HALF = Refusing(
    422, "bad_input", "cannot read the request, because a text in its body has half a character", "send whole ones"
)
NO_TEXT = Refusing(422, "bad_input", "cannot read the request, because its body is no UTF-8", "send JSON in UTF-8")
BUSY = Refusing(503, "busy", "cannot answer now, because too many requests are open", "try again in a few seconds")


class Gone(Exception):
    """The peer left, or was too slow, before its request was whole."""


class Manners:
    """Around the application."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.bodies = limits.Allowance(limits.MAX_IMPORT + DRAINED)
        self.unread = limits.Allowance(limits.UNREAD)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body here, within its limits, and hand it on as JSON."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if (scope["method"], scope["path"]) in UPLOADS:
            await self.app(scope, receive, _Answering(send, self.unread).send)
            return
        reading = _Body(scope["path"] == IMPORT_PATH, self.bodies)
        try:
            found = await reading.read(receive)
            if isinstance(found, Refusing):
                await refuse(found, send)
            else:
                await self._answer(scope, found, receive, send)
        except Gone:
            return
        finally:
            reading.forget()

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        named = [(name, value) for name, value in scope["headers"] if name not in (b"content-type", b"content-length")]
        scope["headers"] = [*named, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        left: list[bytes] = [body]

        async def replay() -> Message:
            return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

        await self.app(scope, replay, _Answering(send, self.unread).send)


class _Body:
    """One body as it comes in. Only what is larger than an ordinary one counts against the allowance."""

    def __init__(self, is_import: bool, allowance: limits.Allowance) -> None:  # noqa: FBT001 (one of two kinds)
        self.is_import = is_import
        self.limit = limits.MAX_IMPORT if is_import else limits.MAX_BODY
        self.allowance = allowance
        self.counted = 0

    async def read(self, receive: Receive) -> bytes | Refusing:
        """The body, or why it is refused. Raises Gone when it never became whole."""
        found, size, more = bytearray(), 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise Gone
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size > self.limit + DRAINED:
                return TOO_LARGE  # whoever goes on and on is cut off
            if size > self.limit:
                continue  # heard out, not kept
            found += part
            if not self._counts(size):
                return BUSY
        return TOO_LARGE if size > self.limit else self._judged(found)

    def forget(self) -> None:
        """The body is no longer in memory."""
        self.allowance.give_back(self.counted)
        self.counted = 0

    def _counts(self, size: int) -> bool:
        more = size - self.counted if size > limits.MAX_BODY else 0
        if not self.allowance.take(more):
            return False
        self.counted += more
        return True

    def _judged(self, found: bytearray) -> bytes | Refusing:
        body = bytes(found)
        most = limits.MAX_TOKENS_IMPORT if self.is_import else limits.MAX_TOKENS
        return unfit(body, most) or (body if body.strip() else b"{}")


def unfit(body: bytes, most: int) -> Refusing | None:
    """Why this body is not even parsed: it is no UTF-8, has more than `most` parts, or is nested too deeply.

    A NUL byte is never in JSON, but it would make the parser take the text for UTF-16 and see another nesting.
    """
    try:
        if b"\0" in body or not body.decode():
            return NO_TEXT if body else None
    except UnicodeDecodeError:
        return NO_TEXT
    # what is escaped cannot end a string; searched and split in C, because an import may have 96 MiB
    pieces = body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', 2 * most + 1)
    if len(pieces) > 2 * most + 1:
        return TOO_MANY
    return _misshapen(pieces[::2], most - len(pieces) // 2) or (None if _is_whole(body) else HALF)


def _misshapen(outside: Sequence[bytes], most: int) -> Refusing | None:
    """Count and nesting of what stands outside of strings."""
    depth = count = 0
    for piece in outside:
        for token in OUTSIDE.finditer(piece):
            sign = piece[token.start()]
            depth += (sign in b"[{") - (sign in b"]}")
            count += 1
            if depth > limits.MAX_DEPTH:
                return TOO_DEEP
            if count > most:
                return TOO_MANY
    return None


def _is_whole(body: bytes) -> bool:
    """Whether it is free of lone surrogates, which Python's parser takes and no database or terminal does."""
    if SURROGATE.search(body) is None:
        return True
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    except (ValueError, RecursionError):
        return True  # the application will say what is wrong with it
    return True


class _Answering:
    """Sends an answer, unless too much is waiting already for peers that do not read."""

    def __init__(self, send: Send, unread: limits.Allowance) -> None:
        self._send = send
        self._unread = unread
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Hold the head back until the size of the body is known."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        size = len(message.get("body", b""))
        counted = size if size > limits.SMALL else 0
        if not self._unread.take(counted):
            self._start = None
            await refuse(BUSY, self._send)
            return
        try:
            if self._start is not None:
                await self._send(self._start)
                self._start = None
            await self._send(message)  # comes back when the peer has read most of it
        finally:
            self._unread.give_back(counted)


async def refuse(why: Refusing, send: Send) -> None:
    """Say no, and close."""
    length = b"%d" % len(why.body)
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": why.status, "headers": headers})
    await send({"type": "http.response.body", "body": why.body})
