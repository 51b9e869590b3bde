"""Sockets that cannot outlive their deadline and can be cut off for good: dial, read, break. Used by lane threads.

* `SO_LINGER {1, 0}`: closing, or dying, throws away what the kernel has not sent; without it a killed sender's request
  was delivered 52 s later (research/reliability, decision 2).
* an own `dup()` of every socket, made before connecting: TLS takes the first descriptor away, and a `close()` never
  wakes a blocked thread. `connect(AF_UNSPEC)` and then `shutdown` break the connection at once; the kernel's own state
  is the proof (research/thread-fence, correction 1).
* one deadline over the whole exchange: a server that trickles a byte a second does not stretch it.
* one limit to what is read in it, at the socket: below the library, which reads without a limit what a chunk of -1
  bytes announces.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import ssl
import struct
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookupTimeout
from typing import TYPE_CHECKING, Any

import certifi

if TYPE_CHECKING:
    from collections.abc import Callable

    LookUp = Callable[[str, int, "Deadline"], list[Any]]

SEND_BUFFER = 512 * 1024
TCP_CLOSE = 7
MAX_READ = 5 << 20
AF_UNSPEC_ADDRESS = struct.pack("=H14x", socket.AF_UNSPEC)
OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
_libc = ctypes.CDLL(None, use_errno=True)
_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")
_incident_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve-incident")
_public_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve-public")


class Deadline:
    """One limit for everything that an exchange does, on the monotonic clock, and one for what it reads, in bytes."""

    def __init__(self, seconds: float, *, most: int = MAX_READ) -> None:
        self.at = time.monotonic() + seconds
        self.most = self.room = most

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError when none do."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the whole exchange has passed")
        return left

    def took(self, size: int) -> int:
        """Count bytes that were read. Raises OSError when they are too many."""
        self.room -= size
        if self.room < 0:
            raise OSError(f"the answer has more than {self.most} bytes, heads and all")
        return size


class TimedSocket(socket.socket):
    """A socket whose every read is bounded by what is left of the deadline, and counted."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 (the signature is the socket's)
        """Read, for no longer than the exchange may still take, and no more than it may."""
        if self.deadline is None:
            return super().recv_into(*args, **kwargs)
        self.settimeout(self.deadline.left())
        return self.deadline.took(super().recv_into(*args, **kwargs))


class TimedTLSSocket(ssl.SSLSocket):
    """The same over TLS."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 (the signature is the socket's)
        """Read, for no longer than the exchange may still take, and no more than it may."""
        if self.deadline is None:
            return super().recv_into(*args, **kwargs)
        self.settimeout(self.deadline.left())
        return self.deadline.took(super().recv_into(*args, **kwargs))


class Handle:
    """Our own hold on a connection, whatever the libraries do with theirs."""

    def __init__(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        self._dup = sock.dup()
        host, port = address[:2]
        self.peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def unacknowledged(self) -> int:
        """Bytes written that the far end's kernel has not acknowledged.

        As long as there are any, they can be sent again.
        """
        return int(struct.unpack("i", fcntl.ioctl(self._dup.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0])

    def closed(self) -> bool:
        """Whether the kernel says that the connection is over: nothing of it can leave any more."""
        return self._dup.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE

    def cut(self) -> None:
        """Break the connection so that nothing leaves; where even the kernel will not, end this whole process."""
        _libc.connect(self._dup.fileno(), AF_UNSPEC_ADDRESS, len(AF_UNSPEC_ADDRESS))
        with contextlib.suppress(OSError):  # not connected any more: that is what we want
            self._dup.shutdown(socket.SHUT_RDWR)
        if not self.closed():  # pragma: no cover (it ends the process, unmeasured, in a test's child)
            os.kill(
                os.getpid(), signal.SIGKILL
            )  # the one thing left that keeps the promise: linger 0 discards the rest

    def close(self) -> None:
        """Let go."""
        self._dup.close()


def dial(
    host: str, port: int, deadline: Deadline, keep: Callable[[Handle], None], look_up: LookUp | None = None
) -> socket.socket:
    """A connected socket of our kind; `keep` is given the handle before a single packet leaves. Raises OSError.

    `look_up` finds the addresses, once; without it the lanes' own resolvers do.
    """
    last: OSError | None = None
    for family, kind, proto, _, address in (look_up or of_the_lanes)(host, port, deadline):
        sock = TimedSocket(family, kind, proto)
        try:
            for level, option, value in OPTIONS:
                sock.setsockopt(level, option, value)
            left = deadline.left()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(left * 1000)))
            sock.settimeout(left)
            handle = Handle(sock, address)
            keep(handle)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
            continue
        sock.deadline = deadline
        return sock
    raise last or OSError(f"no address for {host}")


def of_the_lanes(host: str, port: int, deadline: Deadline) -> list[Any]:
    """The addresses of a name, for a lane."""
    return _look_up(_resolvers, host, port, deadline)


def of_an_incident(host: str, port: int, deadline: Deadline) -> list[Any]:
    """The same for a takedown, which waits behind no lane's name server."""
    return _look_up(_incident_resolvers, host, port, deadline)


def of_anybody(host: str, port: int, deadline: Deadline) -> list[Any]:
    """The same for names that an answer of a platform chose: one that never resolves holds up nothing of ours."""
    return _look_up(_public_resolvers, host, port, deadline)


def _look_up(resolvers: ThreadPoolExecutor, host: str, port: int, deadline: Deadline) -> list[Any]:
    """Names are resolved in threads of their own, few and bounded: a silent name server must not hold a lane."""
    future = resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return future.result(deadline.left())
    except LookupTimeout:
        future.cancel()
        raise TimeoutError(f"the name {host} was not resolved in time") from None


class Trust:
    """Whose certificates are believed, made into one context when the first thread needs it."""

    def __init__(self, cafile: str | None) -> None:
        self._cafile = cafile or certifi.where()
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The context, the same one for every thread."""
        with self._lock:
            if self._context is None:
                self._context = tls_context(self._cafile)
            return self._context


def tls_context(cafile: str) -> ssl.SSLContext:
    """One context for all connections: verified, and with sockets of our kind."""
    context = ssl.create_default_context(cafile=cafile)
    context.sslsocket_class = TimedTLSSocket
    return context
