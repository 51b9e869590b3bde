"""The rehearsal platform itself: the listener, its threads, the handles for tests and drills; any thread may call it.

It listens on loopback only. One daemon thread accepts, and each of at most `MOST_CONNECTIONS` connections has its own.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Self

from guardian.rehearsal import clock, crowd, scheduling
from guardian.rehearsal.calls import World
from guardian.rehearsal.crowd import Favourites
from guardian.rehearsal.faults import Rule
from guardian.rehearsal.media import Shelf
from guardian.rehearsal.rates import DeleteLimit, Rates
from guardian.rehearsal.rights import TokenRights
from guardian.rehearsal.scheduled import Schedule
from guardian.rehearsal.serving import serve
from guardian.rehearsal.shapes import Shapes
from guardian.rehearsal.stage import Stage, checked_name
from guardian.rehearsal.statuses import TOKEN_PREFIX, Memory
from guardian.rehearsal.wire import TlsWire, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guardian.rehearsal.log import Entry
    from guardian.rehearsal.messages import Json
    from guardian.rehearsal.scheduled import Item
    from guardian.rehearsal.stage import PostRecord

MOST_CONNECTIONS = 256
_BACKLOG = 512
_JOIN_SECONDS = 5.0
_SMALLEST_BUFFER = 1  # the kernel makes 2304 bytes of it: it takes about 1 KiB of a request that nobody reads


class RehearsalPlatform:
    """A local platform that speaks the Mastodon client API. Use it as a context manager, or `start` and `stop` it."""

    def __init__(
        self,
        accounts: Iterable[str] = ("acme", "beta"),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certfile: str | Path | None = None,
        keyfile: str | Path | None = None,
        enforce_rate_limit: bool = False,
        deletes: DeleteLimit | None = None,
    ) -> None:
        if not ipaddress.IPv4Address(host).is_loopback:
            raise ValueError("cannot rehearse there, because that is no loopback address, do use 127.0.0.1")
        self._listener = socket.create_server((host, port), backlog=_BACKLOG)
        self._listener.settimeout(None)
        clock.ask_for_stamps(self._listener)  # before the first connection: see `clock`
        self._buffer = self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._tls = _tls_context(certfile, keyfile)
        self.clock: clock.Clock = "user"
        self.url = f"{'https' if self._tls else 'http'}://{host}:{self._listener.getsockname()[1]}"
        rates = Rates(enforce=enforce_rate_limit, deletes=deletes)
        self._stage = Stage(world=_world(self.url, rates), on_faults=self._size_buffer)
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._open: dict[Wire, threading.Thread] = {}
        self._accepting: threading.Thread | None = None
        for name in accounts:
            self.add_account(name)

    def start(self) -> Self:
        """Begin to accept."""
        if self._tls is None and clock.kernel_stamps_work():
            self.clock = "kernel"
        self._accepting = threading.Thread(target=self._accept, name="rehearsal-accept", daemon=True)
        self._accepting.start()
        self._stage.world.schedule.start()
        return self

    def stop(self) -> None:
        """Close the listener and every connection, and wait a limited time for the threads. Safe to repeat."""
        self._stage.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() does not
        deadline = time.monotonic() + _JOIN_SECONDS
        self._stage.world.schedule.stop(seconds=_JOIN_SECONDS)
        if self._accepting is not None:
            self._accepting.join(_JOIN_SECONDS)
        self._listener.close()
        with self._lock:
            serving = dict(self._open)
            for wire in serving:
                wire.break_off()
        for thread in serving.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self, after: int = 0) -> list[Entry]:
        """The requests numbered above `after`, oldest first."""
        return self._stage.log.after(after)["entries"]

    def posts(self) -> list[PostRecord]:
        """All posts, deleted ones too, oldest first."""
        return self._stage.posts()

    def fault(self, kind: str, **options: object) -> None:
        """Misbehave: see `faults.Rule` for the options."""
        self._stage.add_fault(Rule.of({"kind": kind, **options}))

    def clear_faults(self) -> None:
        """Behave again."""
        self._stage.clear_faults()

    def media_rules(self, **options: object) -> None:
        """Take other files than before: see `media.MediaRules` for the options."""
        self._stage.change_media_rules(options)

    def finish_processing(self) -> None:
        """Be through with every file that is being processed."""
        self._stage.world.shelf.finish()

    def add_account(self, name: str) -> str:
        """Make the account if it is new; returns its id."""
        return str(self._stage.world.memory.add_person(checked_name(name)).id)

    def schedule(self, **options: object) -> str:
        """Have the platform itself publish something at any time: see `scheduling.seed`; returns the item's id."""
        return str(scheduling.seed(self._stage.world, options)["id"])

    def scheduled(self) -> list[Json]:
        """What the platform itself is to publish, as ScheduledStatuses, in the order in which it will."""
        world = self._stage.world
        return [scheduling.shape(world, item) for item in world.schedule.everything()]

    def stir(self, status: str, **options: object) -> Json:
        """Let strangers loose on a post: see `crowd.Uproar` for what they may do; returns the ids of their posts."""
        return crowd.stir(self._stage.world, crowd.Uproar.of({"status": status, **options}))

    def limit_deletes(self, **options: object) -> None:
        """Enforce the limit of deletions: see `rates.DeleteLimit` for the options."""
        self._stage.world.rates.limit_deletes(DeleteLimit.of(options))

    def limit_token(self, name: str, *scopes: str) -> None:
        """From now on the account's tokens may do this and no more; without a scope they are revoked."""
        self._stage.world.rights.limit(name, scopes)

    def vacuum(self) -> None:
        """Forget the files that belong to no post: a day has passed."""
        self._stage.world.shelf.vacuum()

    def token(self, name: str, client: str | None = None) -> str:
        """The token of an account; with a client, the one that another application than usual holds."""
        return TOKEN_PREFIX + name + (f".{client}" if client else "")

    def handle(self, name: str) -> str:
        """The account's full handle, `@NAME@HOST:PORT`."""
        return f"@{name}@{self.url.partition('://')[2]}"

    def _size_buffer(self) -> None:
        """A deaf connection must be born with its tiny receive buffer, so the listener bears it while one is due."""
        size = _SMALLEST_BUFFER if self._stage.faults.any_deaf() else self._buffer // 2  # the kernel doubles it
        with contextlib.suppress(OSError):
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def _accept(self) -> None:
        while not self._stage.stopping.is_set():
            if not self._free.acquire(timeout=0.1):
                continue
            try:
                connection, _ = self._listener.accept()
            except OSError:
                self._free.release()
                if self._listener.fileno() < 0 or self._stage.stopping.wait(0.01):  # else: out of files; try again
                    return
                continue
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        deaf = self._stage.faults.take_deaf()
        if deaf is not None:
            self._size_buffer()
        try:
            wire = self._wire(connection)
        except OSError:  # gone before we looked
            connection.close()
            self._free.release()
            return
        thread = threading.Thread(target=self._serve, args=(wire, deaf), name="rehearsal-serve", daemon=True)
        with self._lock:
            self._open[wire] = thread
        thread.start()

    def _wire(self, connection: socket.socket) -> Wire:
        if self._tls is not None:
            return TlsWire(connection, context=self._tls)
        return Wire(connection, kernel=self.clock == "kernel")

    def _serve(self, wire: Wire, deaf: Rule | None) -> None:
        try:
            serve(self._stage, wire, deaf)
        finally:
            with self._lock:
                del self._open[wire]
            self._free.release()


def _world(url: str, rates: Rates) -> World:
    memory, shelf, favourites = Memory(), Shelf(), Favourites()
    shapes = Shapes(url, memory, shelf, favourites)

    def publish(item: Item) -> None:
        scheduling.publish(world, item)

    world = World(
        url=url,
        memory=memory,
        shelf=shelf,
        favourites=favourites,
        schedule=Schedule(publish),
        shapes=shapes,
        rates=rates,
        rights=TokenRights(),
    )
    return world


def _tls_context(certfile: str | Path | None, keyfile: str | Path | None) -> ssl.SSLContext | None:
    if certfile is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    return context
