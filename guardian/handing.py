"""Hands a file to the daemon, piece by piece: opened with the caller's own rights, never whole in memory.

Beside `client.py`, and used through it. What is no ordinary file is refused before a byte of it is read, so that a FIFO
is not waited for and a device not read for ever; the errors name the path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import stat
import time
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from guardian.errors import Mistake
from guardian.rules.media import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET, STAGE = "/v1/media", "/v1/imports"
PIECE = 1 << 20
FIRST_BYTE = 180.0  # a copy is made before it is sent
STUCK = 30.0  # seconds without a byte being taken
WITHIN = 60.0  # for all of it, and a second more for each mebibyte
ANSWERED_WITHIN = 180.0  # other pictures may have to be looked at first
MOST_ANSWER = 1 << 20
AGAIN_AFTER = 0.005
KINDS = (
    (stat.S_ISDIR, "it is a directory"),
    (stat.S_ISFIFO, "it is a FIFO and no file"),
    (stat.S_ISSOCK, "it is a socket and no file"),
    (stat.S_ISCHR, "it is a device and no file"),
    (stat.S_ISBLK, "it is a device and no file"),
)

INSTEAD = "name a whole file of at most 100 MiB that you may read"


class Source(NamedTuple):
    """An ordinary file, open, as large as it was when it was looked at."""

    name: str
    fd: int
    size: int


@contextlib.contextmanager
def opened(file: str | os.PathLike[str] | BinaryIO) -> Iterator[Source]:
    """A file by its path, or one that is open already. Raises Mistake when it cannot be read, is empty or too large."""
    if not isinstance(file, str | os.PathLike):
        yield _looked_at(str(getattr(file, "name", "the file")), file.fileno())
        return
    name = os.fspath(file)
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise wrong(name, _words(error)) from error
    except ValueError as error:
        raise wrong(name, "that is no path") from error
    try:
        yield _looked_at(name, fd)
    finally:
        os.close(fd)


def send(path: str, source: Source, target: str = TARGET) -> tuple[int, object, str]:
    """The file to the socket at `path`: status, document, and the SHA-256 of what was sent.

    Raises OSError when there is no whole answer in time, Mistake when the file cannot be read to its end.
    """
    until = time.monotonic() + WITHIN + source.size / PIECE
    head = f"POST {target} HTTP/1.1\r\nHost: guardian\r\nConnection: close\r\nContent-Length: {source.size}\r\n\r\n"
    digest = hashlib.sha256()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        _connect(sock, path, until)
        try:
            sock.sendall(head.encode("ascii"))
            for piece in _pieces(source):
                digest.update(piece)
                sock.settimeout(min(STUCK, _left(until)))
                sock.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was read whole: the answer says why
        sock.settimeout(ANSWERED_WITHIN)
        status, document = _answer(sock)
    return status, document, digest.hexdigest()


def fetch(path: str, sha256: str, into: BinaryIO) -> tuple[int, object, str]:
    """A file out of the spool behind the socket at `path`: status, document if it is an error, SHA-256 of what came.

    Raises OSError when there is no whole answer in time.
    """
    return download(path, f"{TARGET}/{sha256}", into, within=WITHIN + MOST_BYTES / PIECE)


def download(path: str, target: str, into: BinaryIO, *, within: float) -> tuple[int, object, str]:
    """The same for any address that answers with bytes. `within` is in seconds, for all of it."""
    until = time.monotonic() + within
    head = f"GET {target} HTTP/1.1\r\nHost: guardian\r\nConnection: close\r\n\r\n"
    digest = hashlib.sha256()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        _connect(sock, path, until)
        sock.sendall(head.encode("ascii"))
        sock.settimeout(min(FIRST_BYTE, _left(until)))
        try:
            with contextlib.closing(HTTPResponse(sock, method="GET")) as response:
                response.begin()
                if response.status != HTTPStatus.OK:
                    return response.status, json.loads(response.read(MOST_ANSWER) or b"null"), ""
                left = response.length
                while piece := response.read(PIECE):
                    sock.settimeout(min(STUCK, _left(until)))
                    digest.update(piece)
                    into.write(piece)
                    left = None if left is None else left - len(piece)
                if left:
                    raise OSError("the answer was broken off before its end")
                return response.status, None, digest.hexdigest()
        except (HTTPException, ValueError) as error:
            raise OSError(f"no whole answer came ({type(error).__name__})") from error


def wrong(name: str, why: str, *, fix: str = INSTEAD) -> Mistake:
    """The error for a file that cannot be handed over."""
    return Mistake(f"cannot hand over {name}, because {why}", fix=fix)


def _looked_at(name: str, fd: int) -> Source:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise wrong(name, next((words for is_it, words in KINDS if is_it(found.st_mode)), "it is no ordinary file"))
    if not found.st_size:
        raise wrong(name, "it is empty")
    if found.st_size > MOST_BYTES:
        raise wrong(name, f"it has {found.st_size} bytes, and {MOST_BYTES} are allowed")
    return Source(name, fd, found.st_size)


def _words(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    return "you may not read it" if isinstance(error, PermissionError) else f"of this: {error.strerror}"


def _pieces(source: Source) -> Iterator[bytes]:
    place = 0
    while place < source.size:
        try:
            piece = os.pread(source.fd, min(PIECE, source.size - place), place)
        except OSError as error:
            raise wrong(source.name, _words(error)) from error
        if not piece:
            raise wrong(source.name, "it became shorter while it was read")
        place += len(piece)
        yield piece


def _connect(sock: socket.socket, path: str, until: float) -> None:
    while True:
        sock.settimeout(min(STUCK, _left(until)))
        try:
            return sock.connect(path)
        except BlockingIOError:  # the kernel's queue is full: with a time limit it says so and does not wait
            time.sleep(AGAIN_AFTER)


def _answer(sock: socket.socket) -> tuple[int, object]:
    try:
        with contextlib.closing(HTTPResponse(sock, method="POST")) as response:
            response.begin()
            return response.status, json.loads(response.read(MOST_ANSWER) or b"null")
    except (HTTPException, ValueError) as error:
        raise OSError(f"no whole answer came ({type(error).__name__})") from error


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the file was not taken in time")
    return left
