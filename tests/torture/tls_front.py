"""A front that speaks TLS with the house and plain HTTP with the platform behind it, and still has the kernel's stamps.

The bytes are read from the socket with their stamps, and decrypted in memory: what became readable came with the bytes
that were read last. Threads of the front's own.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

from guardian.rehearsal import clock
from tests.torture.front import CHUNK, Front

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from tests.torture.front import Arrival, Spoken, Visit

Done = TypeVar("Done")


class Veiled:
    """One connection of a client, as a front needs it: decrypted."""

    def __init__(self, near: socket.socket, context: ssl.SSLContext) -> None:
        self._near = near
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._notes: list[tuple[int, int, bytes]] = []
        self._through(self._tls.do_handshake, clock.ANCILLARY_ROOM)

    def recvmsg(self, size: int, room: int, /) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        """What became readable, with the kernel's notes of the bytes that made it so; nothing at the end."""
        try:
            data = self._through(lambda: self._tls.read(size), room)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            data = b""
        return data, self._notes, 0, None

    def sendall(self, data: bytes, /) -> None:
        """Encrypt and write."""
        self._tls.write(data)
        self._near.sendall(self._out.read())

    def setsockopt(self, level: int, name: int, value: bytes, /) -> None:
        """The socket's own."""
        self._near.setsockopt(level, name, value)

    def fileno(self) -> int:
        """The socket's own."""
        return self._near.fileno()

    def close(self) -> None:
        """Break off: no word of goodbye."""
        self._near.close()

    def part(self) -> None:
        """Say goodbye: without it, an answer's end is no end."""
        with contextlib.suppress(ssl.SSLError, OSError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            self._near.sendall(self._out.read())

    def _through(self, step: Callable[[], Done], room: int) -> Done:
        """Take this step, reading from the socket as often as it needs more."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._near.sendall(self._out.read())
                raw, self._notes, _, _ = self._near.recvmsg(CHUNK, room)
                if raw:
                    self._in.write(raw)
                else:
                    self._in.write_eof()
            else:
                self._near.sendall(self._out.read())
                return done


class TlsFront(Front):
    """The same, with a certificate (and its key in the same file)."""

    def __init__(self, place: str, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self.instead: dict[str, bytes] = {}  # what requests that begin so are answered with, for as long as it is there
        super().__init__(place)

    @property
    def url(self) -> str:
        """Where the house finds it."""
        return f"https://{self.place}"

    def _greet(self, near: socket.socket) -> Spoken:
        return Veiled(near, self._context)

    def _act(self, visit: Visit, arrival: Arrival) -> None:
        said = next((answer for start, answer in self.instead.items() if arrival.line.startswith(start)), None)
        if said is None:
            super()._act(visit, arrival)
        else:
            visit.say((said,))
        if isinstance(visit.near, Veiled):
            visit.near.part()
