"""The wiring: the only place that knows everybody. Makes the parts, starts nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.daemon import clocks
from guardian.daemon.answers import Answers
from guardian.daemon.api import application
from guardian.daemon.census import Census
from guardian.daemon.inspecting import Inspecting
from guardian.daemon.listener import Listener
from guardian.daemon.loops import Loop
from guardian.daemon.metrics import Metrics
from guardian.daemon.peers import Right
from guardian.daemon.present import AtWork, Fence
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
    from collections.abc import Callable, Sequence

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
    listener: Listener


def build(settings: Settings, makers: dict[str, Maker], *, look: Callable[[], Sight] = clocks.sight) -> Daemon:
    """The daemon of a configuration. Opens (and owns) the store; raises what that raises.

    `look` reads the clocks; the daemon's idea of now is its wall time.
    """

    def clock() -> int:
        return look().wall

    def elapsed() -> int:
        return look().elapsed

    database = Database(settings.state_dir / STORE)
    bell, metrics = Bell(), Metrics()
    books = Books(
        database=database,
        house=settings.house,
        accounts=settings.accounts,
        scopes=settings.scopes,
        late_after=settings.queue.late_after,
        clock=clock,
        timekeeping=Timekeeping(database=database, look=look),
        tally=metrics,
    )
    spool = Spool(settings.state_dir / SPOOL)
    spool.recover()
    spooling = Spooling(database=database, spool=spool, clock=clock, clock_is_right=books.clock_is_right)
    zones = Zones(database=database, clock=clock)
    watch = Loop("watch", Watch(books, zones=zones, ring=bell.halt), clock)
    lanes = [_lane(account, settings, makers, books, bell, watch, elapsed, metrics) for account in settings.accounts]
    bell.loops = [Loop(f"lane {lane.account.name}", lane, clock) for lane in lanes]
    inspecting = Loop("inspect", Inspecting(database, halt=bell.a_halt()), clock)
    answers = Answers(
        books=books,
        freezing=Freezing(books, ring=bell.halt, tally=metrics),
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
        listener=Listener(metrics.text),
    )
    _show(metrics, answers, lambda: (watch, *bell.loops))
    rights = {right: getattr(settings.rights, right.value) for right in Right}
    return Daemon(
        settings=settings,
        database=database,
        books=books,
        zones=zones,
        bell=bell,
        loops=(watch, inspecting, Loop("broom", spooling, clock), *bell.loops),
        app=application(answers, rights),
        listener=answers.listener,
    )


def _show(metrics: Metrics, answers: Answers, loops: Callable[[], Sequence[Loop]]) -> None:
    """What a scrape looks up; asked anew each time, so that a changed configuration shows."""
    books = answers.books
    metrics.know([account.name for account in books.accounts], books.scopes)
    metrics.show(Fence(books.house, lambda: books.scopes))
    metrics.show(AtWork(books=books, census=Census(books), lanes=lambda: answers.lanes, loops=loops))


def _lane(
    account: Account,
    settings: Settings,
    makers: dict[str, Maker],
    books: Books,
    bell: Bell,
    watch: Loop,
    elapsed: Callable[[], int],
    metrics: Metrics,
) -> Lane:
    clock = books.clock
    halt = bell.a_halt()
    adapter = gate.connect(
        account,
        makers,
        answer_within=settings.gate.answer_within / 1000,
        on_refusal=lambda: metrics.refused(account.name),
    )
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
        tally=metrics,
    )
    return Lane(publishing, reconciling, gap=settings.queue.gap, halt=halt, on_held=watch.wake, tally=metrics)
