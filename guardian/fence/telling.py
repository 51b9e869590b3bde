"""Speak to a socket of this house: one request, one JSON answer, one deadline over all of it.

By hand over a Unix socket, because the standard library's HTTP client costs more to import (38 ms) than the whole stop.
The stop is complete before the daemon is told of it; that the daemon is dead, hung or slow changes what can be said
about held posts and posts in flight, and nothing else.
"""

from __future__ import annotations

import json
import socket
import time

from guardian.fence import peers, processes

MAX_ANSWER = 4 << 20
AGAIN_AFTER = 0.005
CHUNK = 64 * 1024
MAX_HEAD = 64 * 1024


class Deaf(OSError):
    """Whoever listens on the socket is stopped or ending: no answer would come."""


def ask(
    path: str, method: str, target: str, body: object | None = None, *, within: float, most: int = MAX_ANSWER
) -> tuple[int, object]:
    """One request to a socket: status and JSON document. Raises OSError when there is no whole answer in time.

    `within` is in seconds, `most` is how many bytes of an answer are read.
    """
    until = time.monotonic() + within
    raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: guardian\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        _connect(sock, path, until)
        _must_hear(sock)
        try:
            sock.settimeout(_left(until))
            sock.sendall(head.encode("ascii") + raw)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read whole: the answer says why
        status, answer = _read_answer(sock, until, most)
    try:
        return status, json.loads(answer or b"null")
    except ValueError as error:
        raise OSError(f"the answer is no JSON: {error}") from error


def tell_frozen(path: str, order: dict[str, object], *, wait: float, patience: float = 2.0) -> dict[str, object] | None:
    """Have the daemon write down a freeze that is already in force; its document, or None when it does not answer.

    `wait` is how long the daemon may wait for the answers to what was on the wire, in seconds.
    """
    try:
        status, document = ask(path, "POST", "/v1/freeze", {**order, "wait": wait}, within=wait + patience)
    except OSError:
        return None
    return document if status in (200, 504) and isinstance(document, dict) else None


def _connect(sock: socket.socket, path: str, until: float) -> None:
    """Connect; where too many wait there already, again and again."""
    while True:
        sock.settimeout(_left(until))
        try:
            return sock.connect(path)
        except BlockingIOError:  # the kernel's queue is full: with a time limit it says so and does not wait
            time.sleep(AGAIN_AFTER)


def _must_hear(sock: socket.socket) -> None:
    """Raise Deaf rather than wait for somebody who cannot answer."""
    pid = peers.pid_of(sock)
    deaf = pid is not None and (processes.is_stopped(pid) or processes.is_dying(pid))
    if deaf and not processes.is_hidden(pid or 0):  # of whom nothing is shown, nothing is known: it may hear
        raise Deaf(f"process {pid} is stopped or ending")


def _read_answer(sock: socket.socket, until: float, most: int) -> tuple[int, bytes]:
    """Status and body; the head names the length, or the end of the connection is the end."""
    found = bytearray()
    while b"\r\n\r\n" not in found:
        if len(found) > MAX_HEAD or not _more(sock, found, until):
            raise OSError("no whole answer came")
    head, _, rest = bytes(found).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    words = lines[0].split()
    if len(words) < 2 or not words[1].isdigit() or "transfer-encoding" in headers:  # noqa: PLR2004 (version, status)
        raise OSError(f"the answer cannot be read: {lines[0][:80]!r}")
    length = headers.get("content-length", "")
    wanted = int(length) if length.isdigit() else None
    body = bytearray(rest)
    while (wanted is None or len(body) < wanted) and len(body) <= most:
        if not _more(sock, body, until):
            break
    if len(body) > most or (wanted is not None and len(body) < wanted):
        raise OSError("no whole answer came")
    return int(words[1]), bytes(body)


def _more(sock: socket.socket, found: bytearray, until: float) -> bool:
    sock.settimeout(_left(until))
    chunk = sock.recv(CHUNK)
    found += chunk
    return bool(chunk)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer came in time")
    return left
