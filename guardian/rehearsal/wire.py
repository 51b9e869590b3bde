"""One accepted connection: bytes in with their instants, bytes out, and the rude ways to end it.

The thread that serves the connection calls everything here; only `break_off` may be called by another thread.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import TYPE_CHECKING

from guardian.rehearsal import clock

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS = 30
_LINGER_SECONDS = 2.0
_CHUNK = 65_536
_TIMEVAL = struct.Struct("@qq")
_LINGER_ZERO = struct.pack("@ii", 1, 0)


class Wire:
    """A plain connection. Reads block in the kernel itself (SO_RCVTIMEO, no poll): see `clock` for why that matters."""

    def __init__(self, connection: socket.socket, *, kernel: bool, idle: float = IDLE_SECONDS) -> None:
        self._socket = connection
        self._kernel = kernel
        self._idle = idle
        self.latest = clock.now()
        self._begun = False  # the first bytes may have come before this object did
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(True)
        self._limit_waits(idle)

    def _limit_waits(self, seconds: float) -> None:
        limit = _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def greet(self) -> bool:
        """Do what must be done before the first request; False if the client went away over it."""
        return True

    def first(self) -> bytes:
        """The first byte of a request, alone, so that `latest` is its instant; empty when none will come."""
        return self._receive(1)

    def more(self) -> bytes:
        """The next bytes; `latest` is the instant of the last of them. Empty when none will come."""
        return self._receive(_CHUNK)

    def _receive(self, size: int) -> bytes:
        started, offset = time.monotonic_ns(), clock.wall_offset()
        try:
            data, notes, _, _ = self._socket.recvmsg(size, clock.ANCILLARY_ROOM)
        except OSError:  # idle for too long (EAGAIN), reset by the client, or broken off by stop()
            return b""
        if data:
            wall = clock.kernel_wall_ns(notes) if self._kernel else None
            stamp = clock.stamped(wall, started=started, offset_before=offset)
            # Two reads of one block have one stamp, and converting it twice may differ by nanoseconds: never go back.
            self.latest = clock.Stamp(max(stamp.ns, self.latest.ns), stamp.clock) if self._begun else stamp
            self._begun = True
        return data

    def send(self, data: bytes) -> None:
        """Hand all of it to the kernel, or raise OSError."""
        self._socket.sendall(data)

    def wait_for_hangup(self, seconds: float | None) -> None:
        """Return when the client has gone, when `stop` breaks the connection off, or after `seconds`."""
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLRDHUP)
        poll.poll(None if seconds is None else seconds * 1000)

    def abort(self) -> None:
        """End it with a reset, whatever is still unsent or unread."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._socket.close()

    def finish(self) -> None:
        """End it politely: what the client is still sending is read away, or the kernel would reset our last answer."""
        deadline = time.monotonic() + _LINGER_SECONDS
        with contextlib.suppress(OSError):
            self._limit_waits(_LINGER_SECONDS)
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
            while time.monotonic() < deadline and self.more():
                pass
        self._socket.close()

    def close(self) -> None:
        """End it now."""
        self._socket.close()

    def break_off(self) -> None:
        """Wake the thread that serves this connection out of any read or write (any thread)."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # on a TLS socket its own would clear its state


class TlsWire(Wire):
    """A TLS connection: instants are those of decrypted bytes, taken by this thread."""

    def __init__(self, connection: socket.socket, *, context: ssl.SSLContext, idle: float = IDLE_SECONDS) -> None:
        super().__init__(connection, kernel=False, idle=idle)
        self._tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._tls.settimeout(idle)
        self._socket = self._tls

    def greet(self) -> bool:
        """Shake hands."""
        try:
            self._tls.do_handshake()
        except OSError:
            return False
        return True

    def _receive(self, size: int) -> bytes:
        try:
            data = self._tls.recv(size)
        except OSError:
            return b""
        if data:
            self.latest = clock.now()
        return data
