"""The wiring: the only place that knows everybody. Makes the parts, starts nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.config import read
from guardian.config.in_force import InForce
from guardian.daemon import clocks
from guardian.daemon.answers import Answers
from guardian.daemon.api import application
from guardian.daemon.capabilities import Capabilities
from guardian.daemon.census import Census
from guardian.daemon.doctor import DoctorAnswers
from guardian.daemon.emergencies import Emergencies, emergencies
from guardian.daemon.evidence import EvidenceAnswers
from guardian.daemon.inspecting import Inspecting
from guardian.daemon.lanes import Bell, Running
from guardian.daemon.listener import Listener
from guardian.daemon.loops import Loop, run_beside
from guardian.daemon.metrics import Metrics
from guardian.daemon.notifying import Notifying
from guardian.daemon.peers import RightsInForce
from guardian.daemon.platforms import LanePlatforms
from guardian.daemon.present import AtWork, Fence
from guardian.daemon.reload import Reload
from guardian.daemon.server import give_to_group
from guardian.daemon.takedowns import TakedownAnswers
from guardian.daemon.watch import Watch
from guardian.duties.books import Books
from guardian.duties.deciding import Deciding
from guardian.duties.examining import Examining
from guardian.duties.exporting_evidence import Exporting
from guardian.duties.freeze import Freezing
from guardian.duties.heads import Heads
from guardian.duties.holding import Keeping
from guardian.duties.incidents import Incidents
from guardian.duties.keeping_evidence import KeepingEvidence
from guardian.duties.lane import Lane
from guardian.duties.orders import Orders
from guardian.duties.outside import Outside
from guardian.duties.publish import Publishing
from guardian.duties.queue import Queue
from guardian.duties.reconcile import Reconciling
from guardian.duties.shelf import Shelf
from guardian.duties.spooling import Spooling
from guardian.duties.staging import Staging
from guardian.duties.stamping import Stamping
from guardian.duties.timekeeping import Timekeeping
from guardian.duties.uploading import Uploading
from guardian.duties.zones import Zones
from guardian.gate import accounts as gate
from guardian.gate import authorities
from guardian.gate.keeping import SESSIONS
from guardian.store.database import STORE, Database
from guardian.store.spool import SPOOL, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI

    from guardian.adapter import Maker
    from guardian.config import Fault, Settings
    from guardian.duties.examining import Heard
    from guardian.model import Account
    from guardian.rules.clock import Sight

LOOK_WITHIN = 5.0  # seconds that a platform has to say what it would publish, and what it shows
NATIVES = "natives"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Everything that runs, not yet running. `settings` are those that it was built from."""

    settings: Settings
    database: Database
    books: Books
    zones: Zones
    bell: Bell
    watch: Loop
    reload: Reload
    reloading: Loop
    standing: tuple[Loop, ...]
    app: FastAPI
    listener: Listener
    shelf: Shelf
    urgent: Emergencies

    @property
    def loops(self) -> tuple[Loop, ...]:
        """All there are now: those that stand, and those of the lanes, which a reload changes."""
        return (*self.standing, *self.bell.loops)

    def ask_to_reload(self, who: str) -> None:
        """Read the configuration again, soon."""
        self.reload.ask(who)
        self.reloading.wake()


def build(
    settings: Settings,
    makers: Mapping[str, Maker],
    *,
    look: Callable[[], Sight] = clocks.sight,
    notifying: Notifying | None = None,
) -> Daemon:
    """The daemon of a configuration. Opens (and owns) the store; raises what that raises.

    `look` reads the clocks; the daemon's idea of now is its wall time. `notifying`: who is told how it stands.
    """
    bell, metrics, notifying = Bell(), Metrics(), notifying or Notifying()
    books = _books(settings, look, metrics, notifying)
    database, in_force, clock = books.database, books.in_force, books.clock
    spool = Spool(settings.state_dir / SPOOL)
    spool.recover()
    spooling = Spooling(database=database, spool=spool, clock=clock, clock_is_right=books.clock_is_right)
    zones = Zones(database=database, clock=clock)
    outside = _outside(books, makers)
    shelf = Shelf(state_dir=settings.state_dir, database=database, clock=clock)
    urgent = emergencies(books=books, makers=makers, shelf=shelf, spool=spool, metrics=metrics)
    orders = Orders(settings.house, database=database, takedown=urgent.take, native=outside.carry_on, clock=clock)
    watch = Loop("watch", Watch(books, zones=zones, ring=bell.halt, orders=orders), clock)
    lanes = Lanes(
        books=books, makers=makers, spool=spool, elapsed=lambda: look().elapsed, on_held=watch.wake, metrics=metrics
    )
    bell.replace([lanes.build(account, settings, None) for account in settings.accounts])
    listener = Listener(metrics.text)
    reload = _reload(books, bell, lanes, metrics, listener)
    reloading = Loop("reload", reload, clock)
    evidence, loops = _evidence(books, shelf)
    capabilities = Capabilities(in_force, makers, LanePlatforms(lambda: bell.lanes).limits)
    answers = _answers(books, bell, spooling, listener, capabilities, evidence, outside, urgent)
    inspecting = Loop("inspect", Inspecting(database, halt=bell.halt_of_another()), clock)
    loops = (*urgent.loops, *loops, Loop("outside", outside, clock))
    standing = (watch, inspecting, Loop("broom", spooling, clock), *loops, reloading)
    answers.doctor.watched_for = notifying.watchdog // 1000
    _show(metrics, answers, lambda: (*standing, *bell.loops))
    return Daemon(
        settings=settings,
        database=database,
        books=books,
        zones=zones,
        bell=bell,
        watch=watch,
        reload=reload,
        reloading=reloading,
        standing=standing,
        app=application(answers, RightsInForce(in_force)),
        listener=listener,
        shelf=shelf,
        urgent=urgent,
    )


def _books(settings: Settings, look: Callable[[], Sight], metrics: Metrics, notifying: Notifying) -> Books:
    """The store, owned from here on, and the books of the fence in it."""

    def clock() -> int:
        return look().wall

    database = Database(settings.state_dir / STORE, working=notifying.working)
    return Books(
        database=database,
        house=settings.house,
        in_force=InForce(settings, at=clock()),
        clock=clock,
        timekeeping=Timekeeping(database=database, look=look),
        tally=metrics,
    )


def _outside(books: Books, makers: Mapping[str, Maker]) -> Outside:
    """What asks the platforms for what no freeze reaches, over connections of its own."""
    in_force = books.in_force

    def connect(account: Account) -> gate.Emergency:
        within = min(in_force.settings.gate.answer_within / 1000, LOOK_WITHIN)
        return gate.emergency(account, makers, answer_within=within, keep_in=in_force.settings.state_dir / SESSIONS)

    return Outside(
        database=books.database,
        in_force=in_force,
        connect=connect,
        begin=run_beside,
        directory=in_force.settings.state_dir / NATIVES,
        clock=books.clock,
    )


def _evidence(books: Books, shelf: Shelf) -> tuple[EvidenceAnswers, tuple[Loop, ...]]:
    """What keeps the evidence: the answers about it, and the loops that have it stamped and let it go."""
    clock, in_force = books.clock, books.in_force
    heads = Heads(shelf)
    stamping = Stamping(shelf=shelf, in_force=in_force, clock=clock, ask=authorities.ask, heads=heads)
    keeping = KeepingEvidence(
        shelf=shelf, heads=heads, in_force=in_force, clock=clock, clock_is_right=books.clock_is_right
    )
    answers = EvidenceAnswers(shelf=shelf, keeping=keeping, exporting=Exporting(shelf=shelf, clock=clock))
    return answers, (Loop("stamps", stamping, clock), Loop("retention", keeping, clock))


def _answers(
    books: Books,
    bell: Bell,
    spooling: Spooling,
    listener: Listener,
    capabilities: Capabilities,
    evidence: EvidenceAnswers,
    outside: Outside,
    urgent: Emergencies,
) -> Answers:
    """What answers at the control socket."""
    database, in_force, clock = books.database, books.in_force, books.clock
    return Answers(
        books=books,
        freezing=Freezing(books, ring=bell.halt, tally=books.tally, outside=outside),
        queue=Queue(
            database=database,
            in_force=in_force,
            clock=clock,
            platforms=LanePlatforms(lambda: bell.lanes),
        ),
        deciding=Deciding(database=database, in_force=in_force, clock=clock),
        keeping=Keeping(database=database, in_force=in_force, clock=clock, clock_is_right=books.clock_is_right),
        incidents=Incidents(database=database, clock=clock),
        spooling=spooling,
        staging=Staging(clock=clock),
        bell=bell,
        in_force=in_force,
        listener=listener,
        evidence=evidence,
        capabilities=capabilities,
        takedowns=TakedownAnswers(takedowns=urgent.takedowns, undoing=urgent.undoing, in_force=in_force),
        outside=outside,
        doctor=_doctor(books, urgent.desks.makers, urgent.desks.shelf),
    )


def _doctor(books: Books, makers: Mapping[str, Maker], shelf: Shelf) -> DoctorAnswers:
    """What tells how ready we are; it asks the platforms over connections of its own."""
    in_force = books.in_force

    def connect(account: Account, heard: Heard) -> gate.Emergency:
        within = min(in_force.settings.gate.answer_within / 1000, LOOK_WITHIN)
        place = in_force.settings.state_dir / SESSIONS
        return gate.emergency(account, makers, answer_within=within, keep_in=place, on_answer=heard)

    examining = Examining(
        database=books.database, in_force=in_force, connect=connect, begin=run_beside, clock=books.clock
    )
    return DoctorAnswers(examining=examining, books=books, shelf=shelf)


def _reload(books: Books, bell: Bell, lanes: Lanes, metrics: Metrics, listener: Listener) -> Reload:
    """What reads the configuration again, and who follows it."""
    return Reload(
        in_force=books.in_force,
        books=books,
        bell=bell,
        build=lanes.build,
        read=reader(lanes.makers),
        followers=[
            _regroup,
            lambda _, new: listener.follow(new.metrics.listen),
            lambda _, new: metrics.know([account.name for account in new.accounts], new.scopes),
        ],
    )


def _show(metrics: Metrics, answers: Answers, loops: Callable[[], Sequence[Loop]]) -> None:
    """What a scrape looks up; asked anew each time, so that a changed configuration shows."""
    books = answers.books
    metrics.know([account.name for account in books.accounts], books.scopes)
    metrics.show(Fence(books.house, lambda: books.scopes))
    metrics.show(AtWork(books=books, census=Census(books), lanes=lambda: answers.bell.lanes, loops=loops))


def reader(makers: Mapping[str, Maker]) -> Callable[[Settings], Settings | list[Fault]]:
    """How the file of a configuration is read again, with the adapters that this process has found at its start."""
    return lambda old: read(old.path, known=gate.known_secrets(makers))


def _regroup(old: Settings, new: Settings) -> None:
    """Follows [rights] read. Whatever else has to follow a key (a listener, say) is a function like this one."""
    if old.rights.read != new.rights.read:
        give_to_group(new.house.socket, next(iter(new.rights.read), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Builds the lane of an account, at start and at every reload."""

    books: Books
    makers: Mapping[str, Maker]
    spool: Spool
    elapsed: Callable[[], int]
    on_held: Callable[[], None]
    metrics: Metrics

    def build(self, account: Account, settings: Settings, before: Running | None) -> Running:
        """A lane that is not polled yet, with a connection of its own that is not opened yet. Raises ConfigMistake.

        It goes on where `before` leaves off, if there is one.
        """
        adapter = gate.connect(
            account,
            self.makers,
            answer_within=settings.gate.answer_within / 1000,
            on_refusal=lambda: self.metrics.refused(account.name),
            keep_in=settings.state_dir / SESSIONS,
        )
        books = self.books
        publishing = Publishing(
            account=account,
            adapter=adapter,
            database=books.database,
            house=books.house,
            uploading=Uploading(
                account=account,
                adapter=adapter,
                spool=self.spool,
                house=books.house,
                clock=books.clock,
            ),
            late_after=settings.queue.late_after,
            clock=books.clock,
            clock_is_right=books.clock_is_right,
        )
        reconciling = Reconciling(
            account=account,
            adapter=adapter,
            database=books.database,
            looks=settings.reconcile.looks,
            over=settings.reconcile.over,
            clock=books.clock,
            elapsed=self.elapsed,
            tally=self.metrics,
        )
        reconciling.sure = self.makers[account.platform].abilities.sure_of_absence
        lane = Lane(
            publishing,
            reconciling,
            gap=settings.queue.gap,
            halt=threading.Event(),
            on_held=self.on_held,
            tally=self.metrics,
            before=None if before is None else before.lane,
        )
        return Running(lane, Loop(f"lane {account.name}", lane, books.clock))
