"""What stands between the adapter and its platform: it writes down every request, carries it on, or misbehaves.

On loopback, plain HTTP, one request for each connection, as the gate makes them. Threads of its own.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from guardian.adapter import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from guardian.adapter import Route

    Act = Callable[["Visit"], None]

CHUNK = 65536
IDLE = 30.0  # seconds
MOST = 16 << 20  # bytes of one request
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
BEARER = re.compile(rb"\r\nauthorization: *(?:bearer|dpop) +([^\s]{8,})", re.IGNORECASE)
LINGER_ZERO = struct.pack("ii", 1, 0)
SAFE = ("GET", "HEAD")
ANYTHING = frozenset(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request as it came over the wire."""

    method: str
    path: str  # with its query
    kinds: frozenset[Kind]  # what it may be, by the adapter's own table; empty: nobody declared it
    letter: bytes
    at: int  # ns of the monotonic clock, when it was there in whole


class Visit:
    """One connection of the adapter's, with the whole request."""

    def __init__(self, near: socket.socket, letter: bytes, target: tuple[str, int] | None) -> None:
        self.near = near
        self.letter = letter
        self._target = target

    def carry(self) -> bytes:
        """Hand the request to the platform; what it answers."""
        if self._target is None:
            return answer(404, body=b"{}")
        with socket.create_connection(self._target, timeout=IDLE) as far:
            far.sendall(self.letter)
            return b"".join(iter(lambda: far.recv(CHUNK), b""))

    def say(self, data: bytes) -> None:
        """Write."""
        with contextlib.suppress(OSError):
            self.near.sendall(data)

    def wait_for_hangup(self) -> None:
        """Say nothing, until the adapter gives up."""
        poll = select.poll()
        poll.register(self.near.fileno(), select.POLLRDHUP)
        poll.poll(IDLE * 1000)

    def reset(self) -> None:
        """Break the connection off."""
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.near.close()


def answer(
    status: int, *, body: bytes = b"{}", media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> bytes:
    """An answer's bytes."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def says(data: bytes, *, made: bool = False) -> Act:
    """Answer this in place of the platform; `made`: the platform gets the request all the same."""

    def act(visit: Visit) -> None:
        if made:
            visit.carry()
        visit.say(data)

    return act


def slow(visit: Visit) -> None:
    """The platform does it, and the answer comes too late."""
    visit.carry()
    visit.wait_for_hangup()


def loses(visit: Visit) -> None:
    """The platform does it, and the answer is lost."""
    visit.carry()


def drops(visit: Visit) -> None:
    """The platform never hears of it."""
    visit.reset()


class Front:
    """Listens on a port of its own until it is closed. Without a `target` it is a server that has nothing."""

    def __init__(self, target: str | None, routes: Sequence[Route]) -> None:
        self._target = None if target is None else _place(target)
        self._routes = tuple(routes)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._troubles: list[tuple[frozenset[Kind], Act, list[int]]] = []
        self._arrived: list[Arrival] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="conformance-front", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def arrived(self, kind: Kind | None = None) -> list[Arrival]:
        """Every request so far; with a kind, those that may be of that kind."""
        with self._lock:
            return [one for one in self._arrived if kind is None or kind in one.kinds]

    def credentials(self) -> set[str]:
        """Every token that came over the wire in its own header: whoever sends one has to know it for a secret."""
        return {token.decode("latin-1") for one in self.arrived() for token in BEARER.findall(one.letter)}

    def next(self, kind: Kind, act: Act) -> None:
        """Do this with the next request of that kind."""
        self._arm(frozenset({kind}), act, 1)

    @contextlib.contextmanager
    def always(self, act: Act, kinds: frozenset[Kind] = ANYTHING) -> Iterator[None]:
        """Do this with every request of those kinds, inside the block."""
        self._arm(kinds, act, -1)
        try:
            yield
        finally:
            with self._lock:
                self._troubles.clear()

    def _arm(self, kinds: frozenset[Kind], act: Act, times: int) -> None:
        with self._lock:
            self._troubles.append((kinds, act, [times]))

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), name="conformance-visit", daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):  # one of the two has gone: that is what this is for
            near.settimeout(IDLE)
            letter = _read(near)
            if letter:
                visit = Visit(near, letter, self._target)
                act = self._note(letter)
                if act is None:
                    visit.say(visit.carry())
                else:
                    act(visit)

    def _note(self, letter: bytes) -> Act | None:
        """Write it down; what is to be done with it (None: nothing, it is carried on)."""
        line, _, body = letter.partition(b"\r\n")[0], None, letter.partition(HEAD_END)[2]
        method, _, rest = line.decode("latin-1").partition(" ")
        path = rest.rpartition(" ")[0]
        kinds = kinds_of(self._routes, method, path, body)
        now = time.monotonic_ns()
        with self._lock:
            self._arrived.append(Arrival(method=method, path=path, kinds=kinds, letter=letter, at=now))
            for armed, act, times in self._troubles:
                if armed & kinds and times[0] != 0:
                    times[0] -= 1
                    return act
        return None


def kinds_of(routes: Sequence[Route], method: str, path: str, body: bytes) -> frozenset[Kind]:
    """What a request may be, by the adapter's table."""
    bare, fields = path.partition("?")[0], _fields(body)
    found = frozenset(route.kind for route in routes if route.matches(method, bare, fields))
    return found or (frozenset({Kind.READ}) if method in SAFE else frozenset())


def _fields(body: bytes) -> dict[str, str]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or parts.port is None:
        raise ValueError(f"cannot stand before {url}, because it is no http://127.0.0.1:PORT")
    return parts.hostname, parts.port


def _read(near: socket.socket) -> bytes:
    """One whole request; cut short, it is what came."""
    letter = b""
    while not _whole(letter) and len(letter) < MOST:
        data = near.recv(CHUNK)
        if not data:
            break
        letter += data
    return letter


def _whole(letter: bytes) -> bool:
    head, end, body = letter.partition(HEAD_END)
    length = LENGTH.search(head + b"\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
