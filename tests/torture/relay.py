"""A relay in front of a TLS platform: it cannot read what passes, but it notes when the kernel saw each record come.

The platform itself can only say when it decrypted something; the relay has the kernel's stamps, as the platform has in
the clear. A record of application data that is larger than any of our reading requests is a publishing request.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from guardian.rehearsal import clock

APPLICATION_DATA = 23
RECORD_HEAD = 5
LARGE = 600
CHUNK = 65536
IDLE = 60.0


class Relay:
    """Listens on a port of its own until it is closed."""

    def __init__(self, place: str, *, at: str = "127.0.0.1") -> None:
        host, _, port = place.partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server((at, 0), backlog=128)
        clock.ask_for_stamps(self._listener)
        self.place = f"{at}:{self._listener.getsockname()[1]}"
        self._seen: list[tuple[int, int]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def large(self) -> list[tuple[int, int]]:
        """When the last byte of each large record arrived (monotonic ns), and its size."""
        return list(self._seen)

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
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target, timeout=IDLE) as far:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pour, args=(far, near), daemon=True)
            back.start()
            self._pour_and_note(near, far)
            back.join(IDLE)

    def _pour_and_note(self, near: socket.socket, far: socket.socket) -> None:
        """From the house to the platform; every record that becomes whole is noted with the last chunk's stamp."""
        held = b""
        with contextlib.suppress(OSError):
            while True:
                started, offset = time.monotonic_ns(), clock.wall_offset()
                data, notes, _, _ = near.recvmsg(CHUNK, clock.ANCILLARY_ROOM)
                if not data:
                    break
                stamp = clock.stamped(clock.kernel_wall_ns(notes), started=started, offset_before=offset)
                held = self._note(held + data, stamp.ns)
                far.sendall(data)
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)

    def _note(self, held: bytes, ns: int) -> bytes:
        """Note whole records; what is left."""
        while len(held) >= RECORD_HEAD:
            size = RECORD_HEAD + int.from_bytes(held[3:5])
            if len(held) < size:
                break
            if held[0] == APPLICATION_DATA and size > LARGE:
                self._seen.append((ns, size))
            held = held[size:]
        return held


def _pour(source: socket.socket, target: socket.socket) -> None:
    """The way back, unseen."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
