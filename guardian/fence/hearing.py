"""Hear one request on a Unix socket and answer it: the little HTTP that the fence agent speaks. Everything is bounded.

Size, time to the first byte, time for the whole, depth of the JSON: whoever oversteps gets an answer in the house's
form and the end of the connection (research/reliability 6.1). The standard library's server costs more to import than
the whole stop takes.
"""

from __future__ import annotations

import json
import socket
import time

from guardian.fence.light import NamedTuple

FIRST_BYTE = 2.0
WHOLE = 5.0
MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024
MAX_DEPTH = 8
CHUNK = 16 * 1024
ANSWER_WITHIN = 2.0
REASONS = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Content Too Large", 422: "Unprocessable Content",
    431: "Request Header Fields Too Large", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    body: bytes


class Unheard(Exception):
    """cannot answer that; carries the status, and the words of the contract's error form."""

    def __init__(self, status: int, code: str, message: str, fix: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.fix = fix
        super().__init__(message)

    def document(self) -> dict[str, object]:
        """The error in the contract's form."""
        return {"error": {"code": self.code, "message": self.message, "fix": self.fix}}


def hear(sock: socket.socket, *, first: float = FIRST_BYTE, whole: float = WHOLE) -> Request:
    """Read one request. Raises Unheard for one that is too large, too slow or no HTTP; OSError when the caller left."""
    begun = time.monotonic()
    found = bytearray(_receive(sock, begun + first))
    until = begun + whole
    while b"\r\n\r\n" not in found:
        if len(found) > MAX_HEAD:
            raise Unheard(431, "too_large", "cannot read the request, because its head is too large", "send less")
        found += _receive(sock, until)
    head, _, rest = bytes(found).partition(b"\r\n\r\n")
    method, path, length = _understand(head)
    body = bytearray(rest)
    while len(body) < length:
        body += _receive(sock, until)
    return Request(method, path, bytes(body[:length]))


def document_in(body: bytes) -> dict[str, object]:
    """The JSON object of a body; an empty body is an empty one. Raises Unheard."""
    if not body.strip():
        return {}
    if depth(body) > MAX_DEPTH:
        raise Unheard(422, "bad_input", f"cannot read the body, because it is deeper than {MAX_DEPTH}", "send less")
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unheard(422, "bad_input", "cannot read the body, because it is no JSON object", 'send {"reason": "why"}')
    return found


def depth(raw: bytes) -> int:
    """How deep brackets are nested outside of strings, without reading it as JSON."""
    deepest = now = 0
    inside = escaped = False
    for byte in raw:
        if escaped:
            escaped = False
        elif inside:
            escaped, inside = byte == 0x5C, byte != 0x22  # noqa: PLR2004 (backslash, quote)
        elif byte == 0x22:  # noqa: PLR2004 (a quote)
            inside = True
        elif byte in b"[{":
            now += 1
            deepest = max(deepest, now)
        elif byte in b"]}":
            now -= 1
    return deepest


def answer(sock: socket.socket, status: int, document: dict[str, object]) -> None:
    """Send the answer and say that nothing follows; a caller who has left is no matter."""
    raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
    )
    try:
        sock.settimeout(ANSWER_WITHIN)
        sock.sendall(head.encode("ascii") + raw)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _receive(sock: socket.socket, until: float) -> bytes:
    left = until - time.monotonic()
    if left <= 0:
        raise _too_slow()
    sock.settimeout(left)
    try:
        chunk = sock.recv(CHUNK)
    except TimeoutError:
        raise _too_slow() from None
    if not chunk:
        raise ConnectionAbortedError("the caller left in the middle of the request")
    return chunk


def _too_slow() -> Unheard:
    return Unheard(408, "too_slow", "cannot wait any longer, because the request does not come", "send it at once")


def _understand(head: bytes) -> tuple[str, str, int]:
    """Method, path and length of the body."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = named.get("content-length", "0")
    whole = len(words) == 3 and words[2].startswith("HTTP/1.")  # noqa: PLR2004 (method, target, version)
    if not whole or "transfer-encoding" in named or not (length.isascii() and length.isdigit()):
        raise Unheard(
            400, "bad_input", "cannot read the request, because it is no plain HTTP/1.1", "send it with Content-Length"
        )
    if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
        raise Unheard(413, "too_large", f"cannot read the body, because it has more than {MAX_BODY} bytes", "send less")
    return words[0], words[1].partition("?")[0], int(length)
