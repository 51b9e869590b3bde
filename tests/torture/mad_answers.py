"""What a platform, or something in front of it, may answer: every answer here is wrong in a way of its own.

`Uncertain` is what follows for a create: none of them says that the post was not made.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

JSON = b"Content-Type: application/json"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TRICKLE = 0.05
BLOCK = b"y" * 65536
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
REDIRECTS = (301, 302, 303, 307, 308)
SAYS_NO = frozenset({301, 307, 308})


class MadAnswer(NamedTuple):
    """One of them; `chunks` makes what is written, which may have no end. `silent`: then the connection stays open."""

    chunks: Callable[[], Iterable[bytes]]
    silent: bool = False


def head(status: int, *more: bytes) -> bytes:
    """A status line and headers, open-ended."""
    return b"".join(line + b"\r\n" for line in (b"HTTP/1.1 %d Whatever" % status, *more))


def answer(status: int, body: bytes, *more: bytes) -> bytes:
    """A whole answer."""
    return head(status, *more, b"Content-Length: %d" % len(body)) + b"\r\n" + body


def _headers() -> Iterator[bytes]:
    yield head(200)
    yield from (b"X-%d: y\r\n" % number for number in itertools.count())


def _huge() -> Iterator[bytes]:
    yield head(200, JSON, b"Content-Length: %d" % (1024 * len(BLOCK))) + b"\r\n"
    yield from itertools.repeat(b" " * len(BLOCK), 1024)


def _trickle() -> Iterator[bytes]:
    for byte in answer(200, b"[]", JSON):
        time.sleep(TRICKLE)
        yield bytes((byte,))


def _fixed(*chunks: bytes, silent: bool = False) -> MadAnswer:
    return MadAnswer(lambda: chunks, silent)


def _endless(start: bytes, block: bytes) -> MadAnswer:
    return MadAnswer(lambda: itertools.chain((start,), itertools.repeat(block)))


HEADS: dict[str, MadAnswer] = {
    "endless headers": MadAnswer(_headers),
    "a header line without end": _endless(head(200) + b"X: ", BLOCK),
    "a flood of 100 Continue": _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "an early hint and silence": _fixed(EARLY_HINTS, silent=True),
    "a switch of protocols": _fixed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
    "rubbish in place of HTTP": _fixed(b"\x00\x01hello there\n" * 50),
    "an answer of HTTP 0.9": _fixed(b"<html>welcome</html>\n"),
    "another protocol's greeting": _fixed(b"SSH-2.0-OpenSSH_9.2\r\n", silent=True),
    "nothing at all": _fixed(),
    "silence": _fixed(silent=True),
    "a status of 600": _fixed(answer(600, b"{}")),
    "a status of 999": _fixed(answer(999, b'{"id":"5"}')),
    "a status of zero": _fixed(answer(0, b"{}")),
    "half a status line": _fixed(b"HTTP/1.1 20", silent=True),
    "half a head": _fixed(b"HTTP/1.1 200 OK\r\nContent-Le", silent=True),
    "two lengths": _fixed(head(200, b"Content-Length: 5", b"Content-Length: 7") + b"\r\n[]"),
}
BODIES: dict[str, MadAnswer] = {
    "a body without end": _endless(head(200, JSON) + b"\r\n", BLOCK),
    "a huge body that keeps its word": MadAnswer(_huge),
    "a longer length than body": _fixed(head(200, JSON, b"Content-Length: 3000") + b'\r\n{"id":"5"}'),
    "a shorter length than body": _fixed(head(200, JSON, b"Content-Length: 4") + b'\r\n{"id":"5"}'),
    "a chunk of -1 bytes": _endless(CHUNKED + b"-1\r\n", BLOCK),
    "a chunk of 16 exabytes": _endless(CHUNKED + b"ffffffffffffffff\r\n", BLOCK),
    "a chunk of zz bytes": _fixed(CHUNKED + b"zz\r\n[]\r\n0\r\n\r\n"),
    "trailers without end": _endless(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n" * 5000),
    "a trickle": MadAnswer(_trickle),
    "rubbish called gzip": _fixed(answer(200, b"\x1f\x8b\x08\x00rubbish", JSON, b"Content-Encoding: gzip")),
    "a page of HTML": _fixed(answer(200, b"<title>Welcome to the hotel network</title>", b"Content-Type: text/html")),
    "bytes that are no text": _fixed(answer(200, bytes(range(256)) * 4000, JSON)),
    "no content": _fixed(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "not modified": _fixed(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
}
DOCUMENTS: dict[str, MadAnswer] = {
    name: _fixed(answer(200, body, JSON))
    for name, body in {
        "null": b"null",
        "an empty object": b"{}",
        "a number": b"17",
        "a text": b'"fine"',
        "an error called 200": b'{"error":"something went wrong"}',
        "a status without an id": b'{"id":null,"text":null}',
        "a status with an empty id": b'{"id":""}',
        "a status whose id is a list": b'{"id":[1]}',
        "half a document": b'[{"id":"5","created_at":"20',
        "a list of nothings": b"[null,null]",
        "a list of empty objects": b"[{},{}]",
        "a very deep document": b"[" * 4_000_000,
        "a million empty objects": b"[" + b"{}," * 1_000_000 + b"{}]",
        "a huge number": b"1" * 100_000,
    }.items()
}
STORMS: dict[str, MadAnswer] = {
    f"a {status}": _fixed(answer(status, b"upstream", b"Retry-After: 1e308"))
    for status in (408, 500, 502, 503, 504, 599)
}
MAD: dict[str, MadAnswer] = HEADS | BODIES | DOCUMENTS | STORMS


def redirect(status: int, location: str) -> bytes:
    """Go there."""
    return answer(status, b"", b"Location: " + location.encode())
