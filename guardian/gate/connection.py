"""The connection that carries one request: it connects first, then passes the gates, then writes.

Used by the one thread that asks: a lane's, or one of an incident.

    connect, finish TLS                      outside every lock; nothing of the request has left
    look, lock every gate, look again        fence.passage; refused here means surely nothing left
    write the whole request at once          small by rule, so that it fits the send buffer and never blocks
    wait until the far kernel has it all     `TIOCOUTQ` = 0: nothing can be sent again by ours
    unlock, then read the answer             a slow platform never slows a freeze

Whatever goes wrong between the write and the unlock, the connection is cut before the locks are released.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from guardian.adapter import Kind
from guardian.failpoint import failpoint
from guardian.fence.passage import Crossing, Stopped, look
from guardian.gate.intents import Fate
from guardian.gate.wire import Deadline, Handle, dial

if TYPE_CHECKING:
    import socket

    from guardian.fence.passage import Pass
    from guardian.gate.intents import Trace
    from guardian.gate.wire import LookUp

MAX_LETTER = 128 * 1024
WRITE_LIMIT = 1.0
FIRST_NAP = 0.00005
LONGEST_NAP = 0.002
CROSSING = frozenset({Kind.PUBLISH, Kind.MANAGE})
LOOKING = frozenset({Kind.UPLOAD})


class Errand:
    """What a connection is for: one request, its trace, its deadline and, if it needs one, its pass of the fence."""

    def __init__(
        self, trace: Trace, deadline: Deadline, ticket: Pass | None, *, tls: bool, look_up: LookUp | None = None
    ) -> None:
        self.trace = trace
        self.deadline = deadline
        self.ticket = ticket
        self.tls = tls
        self.look_up = look_up
        self.handles: list[Handle] = []
        self.letter = b""  # the request as it was composed, whether or not it left
        self.peer = ""
        self.secured: str | None = None  # version and cipher of TLS
        self.certificate: bytes | None = None

    @property
    def handle(self) -> Handle:
        """Our hold on the connection that was made last: the one that is used."""
        return self.handles[-1]

    def end(self) -> None:
        """Let go of every connection that was tried."""
        while self.handles:
            self.handles.pop().close()


class _Gated(HTTPConnection):
    """What both kinds of connection do alike; `errand` is set right after construction."""

    errand: Errand
    _letter: bytearray | None = None

    def _new_conn(self) -> socket.socket:
        errand = self.errand
        return dial(self._dns_host, int(self.port or 0), errand.deadline, errand.handles.append, errand.look_up)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (urllib3's signature)
        """Connect, let the library compose the request into memory, then deliver it whole."""
        self.connect()
        _note_peer(self.errand, self.sock)
        self.auto_open = 0  # never dialled again: it would send the rest of a body as a new request
        self._letter = bytearray()
        super().request(method, url, *args, **kwargs)
        self.errand.letter, self._letter = bytes(self._letter), None
        _deliver(self.errand, self.sock, self.errand.letter)

    def send(self, data: Any) -> None:  # noqa: ANN401 (urllib3's signature)
        """Collect what the library writes; nothing goes to the socket from here."""
        if self._letter is None:
            raise Stopped("a request was written outside of its turn")
        self._letter += data


class GatedConnection(_Gated):
    """A gated connection in the clear, for loopback platforms only (the configuration refuses others)."""


class GatedTLSConnection(_Gated, HTTPSConnection):
    """A gated connection over TLS."""

    def connect(self) -> None:
        """Connect and finish TLS; then every read is bounded by the same deadline."""
        super().connect()
        self.sock.deadline = self.errand.deadline  # type: ignore[union-attr]


def _note_peer(errand: Errand, sock: Any) -> None:  # noqa: ANN401 (a plain or a TLS socket)
    """Who answers, while the socket still knows it: for the record."""
    errand.peer = errand.handle.peer
    if isinstance(sock, ssl.SSLSocket):
        cipher = sock.cipher()
        errand.secured = f"{sock.version()} {cipher[0] if cipher else ''}".strip()
        errand.certificate = sock.getpeercert(binary_form=True)


def _deliver(errand: Errand, sock: Any, letter: bytes) -> None:  # noqa: ANN401 (a plain or a TLS socket)
    failpoint("gate.connected")
    errand.deadline.left()
    if errand.tls and not isinstance(sock, ssl.SSLSocket):
        raise Stopped("TLS is not on")
    if errand.trace.kind in CROSSING:
        _publish(errand, sock, letter)
        return
    if errand.trace.kind in LOOKING:
        if errand.ticket is None:
            raise Stopped("an upload has no pass of the fence")
        look(errand.ticket.house, [scope for scope, _ in errand.ticket.epochs])
    errand.trace.fate = Fate.MAYBE
    sock.settimeout(errand.deadline.left())
    sock.sendall(letter)
    failpoint("gate.sent")


def _publish(errand: Errand, sock: Any, letter: bytes) -> None:  # noqa: ANN401 (a plain or a TLS socket)
    """The few lines that the promise rests on."""
    if errand.ticket is None:
        raise Stopped("a publishing request has no pass of the fence")
    if len(letter) > MAX_LETTER:
        raise Stopped(f"the request has {len(letter)} bytes, and {MAX_LETTER} are allowed")
    with Crossing(errand.ticket) as crossing:
        failpoint("gate.checked")
        errand.trace.fate = Fate.MAYBE
        try:
            sock.settimeout(WRITE_LIMIT)
            sock.sendall(letter)
            failpoint("gate.written")
            _wait_until_it_has_left(errand, crossing)
        except BaseException:
            errand.handle.cut()
            raise
        failpoint("gate.acknowledged")


def _wait_until_it_has_left(errand: Errand, crossing: Crossing) -> None:
    """Hold the gates while our kernel could still send.

    The naps are the only sleep under a lock, 2 ms at the most: the kernel has no event for an empty send queue.
    """
    nap = FIRST_NAP
    while errand.handle.unacknowledged() > 0:
        if errand.handle.closed():
            raise ConnectionResetError("the far end broke the connection")
        if crossing.reset_asked():
            raise ConnectionAbortedError("a freeze asked to break the connection")
        errand.deadline.left()
        time.sleep(nap)
        nap = min(nap * 2, LONGEST_NAP)
