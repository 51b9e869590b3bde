"""A front on loopback before the rehearsal platform: it carries requests on, until it is told to misbehave.

It reads each request whole (noting when the kernel saw it come), and then either carries it to the platform, or does
what the next act says: cut it after so many bytes, swallow the answer, say something mad. Threads of its own.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from guardian.rehearsal import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Act = Callable[["Visit"], None]

CHUNK = 65536
IDLE = 30.0
LONGEST_ACT = 20.0
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TOKEN = re.compile(rb"\r\nauthorization: *bearer rehearsal-(\S+)", re.IGNORECASE)
STATUS = re.compile(rb"status=([^&]*)")
LINGER_ZERO = struct.pack("ii", 1, 0)


class Arrival(NamedTuple):
    """One request as the front saw it; the instants are monotonic ns of the kernel's stamps."""

    line: str
    account: str | None
    first: int
    last: int
    letter: bytes

    @property
    def changes(self) -> bool:
        """Whether it is a create (or too little of it came to say)."""
        return not self.line.startswith(("GET ", "HEAD "))


class Spoken(Protocol):
    """What a front needs of a connection."""

    def recvmsg(self, size: int, room: int, /) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]: ...
    def sendall(self, data: bytes, /) -> None: ...
    def setsockopt(self, level: int, name: int, value: bytes, /) -> None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Visit:
    """One connection of a client, with the whole request."""

    def __init__(self, near: Spoken, letter: bytes, target: tuple[str, int]) -> None:
        self.near = near
        self.letter = letter
        self.target = target

    def carry(self, size: int | None = None) -> bytes:
        """Hand the first `size` bytes (None: all) to the platform; its answer, if it was given all of it.

        What is cut short is broken off with a reset.
        """
        with socket.create_connection(self.target, timeout=IDLE) as far:
            part = self.letter if size is None else self.letter[:size]
            far.sendall(part)
            if len(part) < len(self.letter):
                far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
                return b""
            return b"".join(iter(lambda: far.recv(CHUNK), b""))

    def say(self, chunks: Iterable[bytes]) -> None:
        """Write, until all is said, the client has gone, or it took too long."""
        until = time.monotonic() + LONGEST_ACT
        with contextlib.suppress(OSError):
            for chunk in chunks:
                self.near.sendall(chunk)
                if time.monotonic() > until:
                    break

    def reset(self) -> None:
        """Break the connection off."""
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.near.close()

    def wait_for_hangup(self) -> None:
        """Say no more, until the client gives up."""
        poll = select.poll()
        poll.register(self.near.fileno(), select.POLLRDHUP)
        poll.poll(LONGEST_ACT * 1000)


class Front:
    """Listens on a port of its own until it is closed; `acts` are for creates, `acts_for_reads` for the others."""

    def __init__(self, place: str) -> None:
        host, _, port = place.partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        clock.ask_for_stamps(self._listener)
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.acts: deque[Act] = deque()
        self.acts_for_reads: deque[Act] = deque()
        self.seen: list[Arrival] = []
        self.trouble = ""
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where the house finds it."""
        return f"http://{self.place}"

    def creates(self) -> list[dict[str, Any]]:
        """Every changing request, in the form in which the oracle reads the platform's own log."""
        return [
            {
                "account": one.account,
                "first_byte": one.first,
                "last_byte": one.last,
                "text": b"".join(STATUS.findall(one.letter)[:1]).decode("latin-1").replace("+", " "),
            }
            for one in list(self.seen)
            if one.changes
        ]

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._receive, args=(near,), daemon=True).start()

    def _greet(self, near: socket.socket) -> Spoken:
        """What a client is spoken to by: its connection, as it is in the clear."""
        return near

    def _receive(self, near: socket.socket) -> None:
        try:
            with near:
                near.settimeout(IDLE)
                client = self._greet(near)
                arrival = _read(client)
                if arrival is not None:
                    self.seen.append(arrival)
                    self._act(Visit(client, arrival.letter, self._target), arrival)
        except OSError:
            return  # the client, or the platform, has gone: that is what this is for
        except Exception as error:  # noqa: BLE001 (told by the row that it belongs to)
            self.trouble = f"the front: {error!r}"

    def _act(self, visit: Visit, arrival: Arrival) -> None:
        waiting = self.acts if arrival.changes else self.acts_for_reads
        try:
            act = waiting.popleft()
        except IndexError:
            visit.say((visit.carry(),))
        else:
            act(visit)


def _read(near: Spoken) -> Arrival | None:
    """One whole request; None when the client went before anything came. Cut short, it is what came."""
    letter, first, last = b"", 0, 0
    while not _whole(letter):
        started, offset = time.monotonic_ns(), clock.wall_offset()
        data, notes, _, _ = near.recvmsg(CHUNK, clock.ANCILLARY_ROOM)
        if not data:
            break
        last = clock.stamped(clock.kernel_wall_ns(notes), started=started, offset_before=offset).ns
        first, letter = first or last, letter + data
    if not letter:
        return None
    token = TOKEN.search(letter)
    line = letter.partition(b"\r\n")[0].decode("latin-1")
    return Arrival(line, token[1].decode("latin-1") if token else None, first, last, letter)


def _whole(letter: bytes) -> bool:
    head, end, body = letter.partition(HEAD_END)
    length = LENGTH.search(head + b"\r\n")
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def cut_after(size: int, *, politely: bool = False) -> Act:
    """Carry exactly so many bytes of the request on (all of it at most), then break off, or close, without a word."""

    def act(visit: Visit) -> None:
        visit.carry(min(size, len(visit.letter)))
        if not politely:
            visit.reset()

    return act


def cut_before_last(fewer: int, *, politely: bool = False) -> Act:
    """The same, counted from the end of the request."""
    return lambda visit: cut_after(max(0, len(visit.letter) - fewer), politely=politely)(visit)


def says(*chunks: bytes, made: bool = False, then_silent: bool = False) -> Act:
    """Answer with these bytes in place of the platform's; `made`: the platform gets the request all the same."""
    return says_on_and_on(lambda: chunks, made=made, then_silent=then_silent)


def says_on_and_on(chunks: Callable[[], Iterable[bytes]], *, made: bool = False, then_silent: bool = False) -> Act:
    """The same for answers that may have no end."""

    def act(visit: Visit) -> None:
        if made:
            visit.carry()
        visit.say(chunks())
        if then_silent:
            visit.wait_for_hangup()

    return act
