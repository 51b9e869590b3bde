"""The metrics on TCP (`[metrics] listen`), for whoever cannot open a Unix socket: `GET /metrics`, and nothing else.

A thread of its own with an event loop of its own, so that whoever sits on it keeps nobody but the next scrape: what is
heard is bounded in size and time, connections in number, and a newcomer takes the place of who has been there longest.
A port that cannot be had is said in the log and in the status, and tried again; the daemon runs all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from guardian.daemon.loops import run_beside
from guardian.daemon.manners import Refusing
from guardian.daemon.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.daemon.documents import Document

HEAD_WITHIN = 5.0
READ_WITHIN = 10.0  # how long a scraper may leave its answer unread
MAX_HEAD = 8 * 1024
CHUNK = 4096
END = b"\r\n\r\n"
MOST = 16  # connections at a time
QUEUE = 64  # connections that the kernel keeps for us
AGAIN_AFTER = 10.0  # a port that could not be had
BEGUN_WITHIN = 2.0
ENDED_WITHIN = 5.0
BREATH = 1.0
DO = "ask for GET /metrics"
NO_HTTP = Refusing(400, "bad_input", "cannot read the request, because it is no HTTP", DO)
NOTHING_ELSE = Refusing(404, "not_found", "cannot find that, because only /metrics is here", DO)
READ_ONLY = Refusing(405, "http", "cannot do that, because metrics can only be read", DO)
TOO_SLOW = Refusing(408, "too_slow", "cannot wait any longer, because the request does not come", DO)
TOO_LARGE = Refusing(431, "too_large", "cannot read the request, because its head is too large", DO)
FAILED = Refusing(
    500, "error", "cannot show the metrics, because of an error of the guardian itself", "look into its log"
)
log = structlog.get_logger()


class Listener:
    """Where the metrics are served besides the control socket.

    Started and stopped by the main thread; a reload, whose thread begins after and ends before, moves it.
    """

    def __init__(self, text: Callable[[], bytes]) -> None:
        self.text = text
        self._address: str | None = None
        self._why = ""
        self._serving: _Serving | None = None

    def start(self, address: str | None) -> None:
        """Serve at `host:port` from now on; None, and the address where it serves already, change nothing.

        Returns when it serves or cannot yet, at the latest after two seconds.
        """
        if address is None or address == self._address:
            return
        self.stop()
        self._address = address
        self._serving = _Serving(address, self.text)
        self._serving.settled.wait(BEGUN_WITHIN)

    def follow(self, address: str | None) -> None:
        """Serve where a configuration that was read again says, which may be nowhere any more."""
        if address is None:
            self.stop()
        self.start(address)

    def stop(self) -> None:
        """Serve no longer; the port is free when this returns."""
        if self._serving is not None:
            self._serving.end()
        self._serving = self._address = None

    def state(self) -> Document:
        """For the status: where, whether it serves there, and why not."""
        serving = self._serving
        if serving is None:
            return {"listen": None, "state": "off", "why": ""}
        return {"listen": self._address, "state": "failed" if serving.why else "serving", "why": serving.why}


class _Serving:
    """One life of the listener, at one address."""

    def __init__(self, address: str, text: Callable[[], bytes]) -> None:
        parts = urlsplit(f"//{address}")
        self.address, self.host, self.port = address, parts.hostname or "", parts.port or 0
        self.text = text
        self.why = "it has not begun yet"
        self.settled = threading.Event()
        self._here: dict[asyncio.Task[None], None] = {}  # in the order in which they came
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = False
        self._ending = asyncio.Event()
        self._thread = run_beside("metrics", lambda: asyncio.run(self._serve()))

    def end(self) -> None:
        """From another thread: let go of the port and of whoever is connected."""
        self._over = True
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(ENDED_WITHIN)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._over:
            try:
                doors = await self._open()
            except (OSError, ValueError) as error:  # taken, not of this host, or no name that could be looked up
                self._say(str(getattr(error, "strerror", None) or error))
                await self._rest(AGAIN_AFTER)
                continue
            self._say("")
            await self._let_in_through(doors)

    async def _open(self) -> list[socket.socket]:
        """Listen at every address that the name has; all or none."""
        found = await asyncio.get_running_loop().getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with contextlib.ExitStack() as opened:
            doors = [
                opened.enter_context(socket.create_server(address, family=family, backlog=QUEUE))
                for family, address in dict.fromkeys((one[0], one[4]) for one in found)
            ]
            opened.pop_all()
        return doors

    async def _let_in_through(self, doors: list[socket.socket]) -> None:
        """Until the end; then everybody is let go of, and the port."""
        for door in doors:
            door.setblocking(False)
            self._watch(door)
        await self._ending.wait()
        for door in doors:
            asyncio.get_running_loop().remove_reader(door)
            door.close()
        for task in self._here:
            task.cancel()
        await asyncio.gather(*self._here, return_exceptions=True)

    def _watch(self, door: socket.socket) -> None:
        if door.fileno() >= 0:
            asyncio.get_running_loop().add_reader(door, self._let_in, door)

    def _let_in(self, door: socket.socket) -> None:
        """Somebody knocks. No step of this waits: nobody is let in and then forgotten."""
        loop = asyncio.get_running_loop()
        try:
            connection, _ = door.accept()
        except (BlockingIOError, ConnectionError):
            return  # gone again already
        except OSError:  # no descriptor is left, for instance
            loop.remove_reader(door)
            loop.call_later(BREATH, self._watch, door)
            return
        connection.setblocking(False)
        if len(self._here) >= MOST:
            longest = next(iter(self._here))
            del self._here[longest]
            longest.cancel()
        meeting = loop.create_task(self._meet(connection))
        self._here[meeting] = None
        meeting.add_done_callback(functools.partial(self._part, connection))

    def _part(self, connection: socket.socket, meeting: asyncio.Task[None]) -> None:
        """The end of a connection, also of one that was sent away before it had begun."""
        connection.close()
        self._here.pop(meeting, None)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    def _say(self, why: str) -> None:
        if why != self.why and not why:
            log.info("metrics", listen=self.address)
        elif why != self.why:
            log.error("metrics not served", listen=self.address, why=why, fix="free the port, or name another one")
        self.why = why
        self.settled.set()

    async def _meet(self, connection: socket.socket) -> None:
        """One connection: one request, one answer, the end."""
        try:
            head = await asyncio.wait_for(_head(connection), HEAD_WITHIN)
        except OSError as error:
            answer = _refusal(TOO_SLOW) if isinstance(error, TimeoutError) else b""
        else:
            answer = self._answer(head)
        with contextlib.suppress(OSError):  # it has gone, or does not read
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(connection, answer), READ_WITHIN)

    def _answer(self, head: bytes) -> bytes:
        """The answer to a head; one without an end was too large, or its sender left in the middle."""
        if not head.endswith(END):
            return _refusal(TOO_LARGE) if len(head) > MAX_HEAD else b""
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):  # noqa: PLR2004 (method, target, version)
            return _refusal(NO_HTTP)
        if words[1].partition(b"?")[0] != b"/metrics":
            return _refusal(NOTHING_ELSE)
        if words[0] not in (b"GET", b"HEAD"):
            return _refusal(READ_ONLY)
        return self._metrics(with_body=words[0] == b"GET")

    def _metrics(self, *, with_body: bool) -> bytes:
        try:
            body = self.text()
        except Exception as error:
            log.exception("not shown", error=type(error).__name__)
            return _refusal(FAILED)
        return _framed(200, CONTENT_TYPE, body, with_body=with_body)


async def _head(connection: socket.socket) -> bytes:
    """What is sent up to the first blank line, or as much as is read of it."""
    found = b""
    while END not in found and len(found) <= MAX_HEAD:
        chunk = await asyncio.get_running_loop().sock_recv(connection, CHUNK)
        if not chunk:
            break
        found += chunk
    before, end, _ = found.partition(END)
    return before + end


def _refusal(why: Refusing) -> bytes:
    return _framed(why.status, "application/json", why.body)


def _framed(status: int, kind: str, body: bytes, *, with_body: bool = True) -> bytes:
    more = "Allow: GET, HEAD\r\n" if status == READ_ONLY.status else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
