"""The books of the fence: freezes, epochs and missed posts in the store, kept in step with what the fence itself says.

The fence acts first and alone; the books follow. One lock makes adopting, writing down and thawing one history inside
the daemon; nothing of the stop itself ever waits for it. Any thread may call.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from guardian.duties.sweeping import sweep
from guardian.duties.tally import UNCOUNTED
from guardian.errors import Doubt
from guardian.fence import arming, limited, marker, reading, scopes
from guardian.fence.arming import Armed, Kept
from guardian.fence.stopping import Order, Stopping
from guardian.store import freezes, incidents, journal
from guardian.store.database import WRITER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.tally import Tally
    from guardian.duties.timekeeping import Timekeeping
    from guardian.fence.house import House
    from guardian.model import Account, Freeze
    from guardian.store.database import Database, Tx

A_MOMENT = 0.02
WHO = "guardian"
FOUND_CLOSED = "the fence was found closed"
AGAIN = "it was frozen again meanwhile"
log = structlog.get_logger()


class Books:
    """What the store knows of the fence."""

    def __init__(
        self,
        *,
        database: Database,
        house: House,
        in_force: InForce,
        clock: Callable[[], int],
        timekeeping: Timekeeping | None = None,
        tally: Tally = UNCOUNTED,
    ) -> None:
        self.database = database
        self.house = house
        self.in_force = in_force
        self.clock = clock
        self.timekeeping = timekeeping
        self.tally = tally
        self._lock = threading.Lock()

    @property
    def accounts(self) -> Sequence[Account]:
        """Those of the configuration in force."""
        return self.in_force.settings.accounts

    @property
    def late_after(self) -> int:
        """How late, in ms, a post may be sent."""
        return self.in_force.settings.queue.late_after

    @property
    def scopes(self) -> Sequence[str]:
        """Every scope that covers one of them."""
        return self.in_force.settings.scopes

    def open_the_house(self) -> None:
        """At start: arm what may be armed, keep closed what is frozen, adopt what was frozen while nobody was here."""
        with self._lock:
            with self.database.transaction() as tx:
                freezes.set_covers(tx, self.accounts)
            for scope in self.scopes:
                self._open(scope)
            self._adopt()

    def open_new(self, wanted: Iterable[str]) -> None:
        """While it runs: arm these scopes, which no lane needs yet, as a start would; what is frozen stays closed."""
        with self._lock:
            for scope in wanted:
                if not self._is_open(scope):
                    self._open(scope)

    def adopt(self, *, within: float = WRITER_SECONDS) -> bool:
        """Write down freezes that the fence shows and the books do not; whether there were any.

        Waits for so many seconds at each of two locks. Raises Doubt when that is not enough.
        """
        if not self._lock.acquire(timeout=within):
            raise Doubt("cannot write the freeze down, because the books are busy", fix="look again in a minute")
        try:
            return self._adopt(within=within)
        finally:
            self._lock.release()

    def follow_the_journal(self) -> None:
        """Go on following the journal's chain, for a moment. A broken one keeps thaws and releases from happening."""
        known = self.database.audit.torn
        with self.database.reading() as tx:
            torn = self.database.audit.follow(tx, within=A_MOMENT)
        if torn is not None and known is None:
            log.error("the journal is broken", line=torn.seq, why=torn.why, means="no thaw and no release")

    def thaw(
        self, wanted: Sequence[str], *, reason: str, by: str, shown: Sequence[str] | None = None
    ) -> tuple[list[Armed | Kept], list[str]]:
        """Lift the freezes of these scopes: what came of each, and the ids that were missed meanwhile.

        Only the freezes that stand in the books now are lifted, and a scope is armed only if its marker is still
        theirs: a freeze that comes meanwhile wins. `shown` are the ids of the freezes that the person saw; a scope with
        another one stays closed. Whoever thaws has also looked at the clock: a doubt about it ends here.
        """
        if self.timekeeping is not None:
            self.timekeeping.confirm(by)
        with self._lock:
            self._adopt(wanted)
            now = self.clock()
            lifts: dict[str, tuple[int, str | None]] = {}
            with self.database.transaction() as tx:
                self.database.audit.must_hold(tx, "thaw")
                standing = freezes.in_force(tx)
                for scope in wanted:
                    mine = [freeze for freeze in standing if freeze.scope == scope]
                    if shown is not None and not {freeze.id for freeze in mine} <= set(shown):
                        continue
                    epoch = freezes.lift(tx, mine, scope, reason=reason, by=by, now=now)
                    lifts[scope] = epoch, _mark_of(self.house, scope, mine)
                    told = [freeze.id for freeze in mine]
                    journal.append(tx, "thawed", who=by, now=now, scope=scope, reason=reason, lifts=told)
                missed = self._miss(tx, now)
            self.tally.missed(len(missed))
            done = [
                arming.thaw(self.house, scope, epoch=lifts[scope][0], mark=lifts[scope][1])
                if scope in lifts
                else Kept(scope, AGAIN)
                for scope in wanted
            ]
            if any(isinstance(one, Kept) for one in done):
                self._adopt(wanted)
            return done, missed

    def sweep(self) -> list[str]:
        """Miss what has to be missed now; one line in the journal for all of it. Nothing by a clock in doubt."""
        now = self.clock()  # before the question: a clock that is set right after it changes nothing
        if not self.clock_is_right():
            return []
        with self.database.transaction() as tx:
            missed = self._miss(tx, now)
        self.tally.missed(len(missed))
        return missed

    def clock_is_right(self) -> bool:
        """Whether the wall clock is believed. Never asked inside a transaction: a change of mind is written down."""
        return self.timekeeping is None or self.timekeeping.steady()

    def _is_open(self, scope: str) -> bool:
        """Whether it is armed already, as the books have it: of an account that was here before, and has come back."""
        seen = reading.read_scope(self.house, scope)
        with self.database.reading() as tx:
            return seen.state == reading.OPEN and seen.epoch == freezes.epoch(tx, scope)

    def _open(self, scope: str) -> None:
        with self.database.reading() as tx:
            epoch = freezes.epoch(tx, scope)
            frozen = any(freeze.scope == scope for freeze in freezes.in_force(tx))
        if frozen:
            arming.keep_closed(self.house, scope)
            if reading.read_scope(self.house, scope).state != reading.FROZEN:
                self._close(scope, FOUND_CLOSED)
            return
        done: Armed | Kept
        if epoch is None and scope not in scopes.listed(self.house):
            done = arming.arm_new(self.house, scope)
        else:
            done = arming.resume(self.house, scope, epoch=epoch or arming.FIRST_EPOCH)
        if isinstance(done, Armed):
            with self.database.transaction() as tx:
                freezes.note_epoch(tx, scope, done.epoch)
            return
        log.warning("not armed", scope=scope, why=done.why)
        if reading.read_scope(self.house, scope).state != reading.FROZEN:
            self._close(scope, done.why)

    def _close(self, scope: str, why: str) -> None:
        """Close a scope that the books, or good sense, say is closed.

        No lane needs it yet, so nobody has to be waited for.
        """
        with Stopping(self.house, Order((scope,), why, WHO), may_kill=False) as stop:
            stop.confirm()
            stop.settle(limited.in_a_thread)

    def _adopt(self, also: Iterable[str] = (), *, within: float = WRITER_SECONDS) -> bool:
        """`also`: scopes of accounts that are not configured any more, but are about to be thawed."""
        wanted = sorted({*self.scopes, *also})
        found = [(scope, reading.read_scope(self.house, scope)) for scope in wanted]
        closed = [(scope, seen) for scope, seen in found if seen.state == reading.FROZEN]
        if not closed:
            return False
        with self.database.reading() as tx:
            standing = freezes.in_force(tx)
        new = [(scope, seen) for scope, seen in closed if not _in_the_books(scope, seen.mark, standing)]
        if not new:
            return False
        now, right = self.clock(), self.clock_is_right()  # in this order, as in `sweep`
        with self.database.transaction(within=within) as tx:
            incident = _incident_of(tx, new, now)
            for scope, seen in new:
                freeze = freezes.record(
                    tx,
                    scope,
                    reason=seen.reason if seen.reason is not None else FOUND_CLOSED,
                    by=seen.by or "unknown",
                    at=seen.at or now,
                    mark=seen.mark,
                )
                facts = {"freeze": freeze.id, "scope": scope, "reason": freeze.reason, "epoch": freeze.epoch}
                when = {"ordered_at": freeze.at, "incident": incident}
                journal.append(tx, "frozen", who=freeze.by, now=now, **facts, **when)
            missed = self._miss(tx, now) if right else []
        self.tally.missed(len(missed))
        for scope, seen in new:
            self.tally.booked(scope)
            log.warning("frozen", scope=scope, by=seen.by, reason=seen.reason)
        return True

    def _miss(self, tx: Tx, now: int) -> list[str]:
        settings = self.in_force.settings
        names = [account.name for account in settings.accounts]
        return sweep(tx, names, now=now, late_after=settings.queue.late_after)


def _incident_of(tx: Tx, new: Sequence[tuple[str, reading.Seen]], now: int) -> str:
    """The incident that these freezes open or join: its words are those of the first of them."""
    _, first = min(new, key=lambda one: one[1].at or now)
    reason = first.reason if first.reason is not None else FOUND_CLOSED
    incident, _ = incidents.open_or_join(tx, reason=reason, by=first.by or "unknown", cause="freeze", now=now)
    return incident.id


def _in_the_books(scope: str, mark: str | None, standing: list[Freeze]) -> bool:
    mine = [freeze for freeze in standing if freeze.scope == scope]
    return bool(mine) if mark is None else any(freeze.mark == mark for freeze in mine)


def _mark_of(house: House, scope: str, mine: list[Freeze]) -> str | None:
    """The mark of the marker that lies there, if it is one of these freezes'; one that came meanwhile is not."""
    found = marker.read(house.marker(scope))
    return found.mark if found is not None and any(freeze.mark == found.mark for freeze in mine) else None
