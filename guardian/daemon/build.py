"""The wiring: the only place that knows everybody. Makes the parts, starts nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.daemon import clocks
from guardian.daemon.answers import Answers
from guardian.daemon.api import application
from guardian.daemon.inspecting import Inspecting
from guardian.daemon.loops import Loop
from guardian.daemon.peers import Right
from guardian.daemon.watch import Watch
from guardian.duties.books import Books
from guardian.duties.freeze import Freezing
from guardian.duties.lane import Lane
from guardian.duties.publish import Publishing
from guardian.duties.queue import Queue
from guardian.duties.reconcile import Reconciling
from guardian.duties.spooling import Spooling
from guardian.duties.timekeeping import Timekeeping
from guardian.duties.uploading import Uploading
from guardian.duties.zones import Zones
from guardian.gate import accounts as gate
from guardian.store.database import STORE, Database
from guardian.store.spool import SPOOL, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from guardian.adapter import Maker
    from guardian.config import Settings
    from guardian.model import Account
    from guardian.rules.clock import Sight


class Bell:
    """Wakes every lane; `halt` also ends their waits at once (a freeze, the end)."""

    def __init__(self) -> None:
        self.loops: list[Loop] = []
        self.halts: list[threading.Event] = []

    def a_halt(self) -> threading.Event:
        """One more wait that ends at once."""
        halt = threading.Event()
        self.halts.append(halt)
        return halt

    def ring(self) -> None:
        """Something changed: poll."""
        for loop in self.loops:
            loop.wake()

    def halt(self) -> None:
        """Stop waiting, whatever for."""
        for halt in self.halts:
            halt.set()
        self.ring()


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Everything that runs, not yet running."""

    settings: Settings
    database: Database
    books: Books
    zones: Zones
    bell: Bell
    loops: tuple[Loop, ...]
    app: FastAPI


def build(settings: Settings, makers: dict[str, Maker], *, look: Callable[[], Sight] = clocks.sight) -> Daemon:
    """The daemon of a configuration. Opens (and owns) the store; raises what that raises.

    `look` reads the clocks; the daemon's idea of now is its wall time.
    """

    def clock() -> int:
        return look().wall

    def elapsed() -> int:
        return look().elapsed

    database = Database(settings.state_dir / STORE)
    bell = Bell()
    books = Books(
        database=database,
        house=settings.house,
        accounts=settings.accounts,
        scopes=settings.scopes,
        late_after=settings.queue.late_after,
        clock=clock,
        timekeeping=Timekeeping(database=database, look=look),
    )
    spool = Spool(settings.state_dir / SPOOL)
    spool.recover()
    spooling = Spooling(database=database, spool=spool, clock=clock, clock_is_right=books.clock_is_right)
    zones = Zones(database=database, clock=clock)
    watch = Loop("watch", Watch(books, zones=zones, ring=bell.halt), clock)
    lanes = [_lane(account, settings, makers, books, bell, watch, elapsed) for account in settings.accounts]
    bell.loops = [Loop(f"lane {lane.account.name}", lane, clock) for lane in lanes]
    inspecting = Loop("inspect", Inspecting(database, halt=bell.a_halt()), clock)
    answers = Answers(
        books=books,
        freezing=Freezing(books, ring=bell.halt),
        queue=Queue(
            database=database,
            accounts=[account.name for account in settings.accounts],
            zone=settings.queue.zone,
            release_gap=settings.queue.release_gap,
            clock=clock,
        ),
        spooling=spooling,
        lanes=lanes,
        drain=settings.fence.drain / 1000,
        ring=bell.ring,
    )
    rights = {right: getattr(settings.rights, right.value) for right in Right}
    return Daemon(
        settings=settings,
        database=database,
        books=books,
        zones=zones,
        bell=bell,
        loops=(watch, inspecting, Loop("broom", spooling, clock), *bell.loops),
        app=application(answers, rights),
    )


def _lane(
    account: Account,
    settings: Settings,
    makers: dict[str, Maker],
    books: Books,
    bell: Bell,
    watch: Loop,
    elapsed: Callable[[], int],
) -> Lane:
    clock = books.clock
    halt = bell.a_halt()
    adapter = gate.connect(account, makers, answer_within=settings.gate.answer_within / 1000)
    database = books.database
    publishing = Publishing(
        account=account,
        adapter=adapter,
        database=database,
        house=settings.house,
        uploading=Uploading(
            account=account, adapter=adapter, spool=Spool(settings.state_dir / SPOOL), house=settings.house, clock=clock
        ),
        late_after=settings.queue.late_after,
        clock=clock,
        clock_is_right=books.clock_is_right,
    )
    reconciling = Reconciling(
        account=account,
        adapter=adapter,
        database=database,
        looks=settings.reconcile.looks,
        over=settings.reconcile.over,
        clock=clock,
        elapsed=elapsed,
    )
    return Lane(publishing, reconciling, gap=settings.queue.gap, halt=halt, on_held=watch.wake)
