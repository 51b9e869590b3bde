"""The reload: reads the configuration again while the daemon runs. Polled by a loop of its own; SIGHUP asks for it.

Everything that can be refused comes first, and changes nothing: the file, the connections of new lanes, the scopes that
are new, and one transaction with the line in the journal. Then the snapshot is swapped, and the lanes follow: those of
accounts that went or changed finish what they are sending, and their successors begin when they have. Until then
whatever covered an account before covers it still. A frozen scope is never armed here, and a freeze waits for nothing.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import structlog

from guardian.config import Settings
from guardian.config.changes import between
from guardian.daemon import log as logging_
from guardian.errors import Broken, Doubt, GuardianError, Refusal
from guardian.store import freezes, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.config import Fault
    from guardian.config.changes import Changes
    from guardian.config.in_force import InForce
    from guardian.daemon.lanes import Bell, Running
    from guardian.duties.books import Books
    from guardian.model import Account

    Read = Callable[[Settings], Settings | list[Fault]]
    Build = Callable[[Account, Settings, Running | None], Running]
    Follower = Callable[[Settings, Settings], None]

RELOADS = signal.SIGHUP
RELOADED, REFUSED = "reloaded", "reload refused"
MOST_NAMED = 20
LOOK_EVERY = 50
PATIENCE = 60.0  # of a reload with the lanes that the one before has sent away
FIXED = (
    "cannot reload with another {key}, because the guardian that runs keeps the one it has, while `guardian freeze` "
    "goes by the file, do put it back, or restart the guardian now"
)
STILL_LEAVING = "cannot reload, because the lane of {name} has not ended yet since the last one, do reload again later"
log = structlog.get_logger()


class Unusable(Refusal):
    """cannot reload, because the configuration is wrong"""

    code = "reload_refused"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = faults
        more = len(faults) - MOST_NAMED
        super().__init__("\n".join([*faults[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]))


def examine(read: Read, old: Settings) -> tuple[Settings, Changes]:
    """The configuration as its file has it now, and what differs. Raises Unusable with all that is wrong."""
    new = read(old)
    if not isinstance(new, Settings):
        raise Unusable([str(fault) for fault in new])
    changes = between(old, new)
    if changes.fixed:
        raise Unusable([FIXED.format(key=key) for key in changes.fixed])
    logging_.keep_secret(secret for account in new.accounts for secret in account.secrets.values())
    return new, changes


def refuse(in_force: InForce, error: GuardianError, *, now: int) -> None:
    """The settings stay: say so in the log, mistake by mistake, and in the status."""
    for fault in error.faults[:MOST_NAMED] if isinstance(error, Unusable) else [str(error)]:
        log.error(REFUSED, why=fault)
    in_force.refuse(str(error), at=now)


class Reload:
    """Reads, compares, swaps."""

    def __init__(
        self,
        *,
        in_force: InForce,
        books: Books,
        bell: Bell,
        build: Build,
        read: Read,
        followers: Sequence[Follower] = (),
    ) -> None:
        self.in_force = in_force
        self.books = books
        self.bell = bell
        self.build = build
        self.read = read
        self.followers = followers
        self.on_begin: Callable[[], object] = _nobody
        self.on_end: Callable[[], object] = _nobody
        self._lock = threading.Lock()
        self._asked: tuple[str, float] | None = None
        self._settled = True

    def ask(self, who: str) -> None:
        """Any thread: the file is to be read again; wake the loop afterwards. Asked twice at once, it is read once."""
        self.on_begin()
        with self._lock:
            self._asked = who, time.monotonic()

    def poll(self, now: int) -> int | None:
        """Settle what the last reload has left, then do what was asked for: one at a time, by one thread."""
        del now  # journal and verdict want the moment at which it is done
        settled = self._settle()
        with self._lock:
            asked = self._asked
            wait = not settled and asked is not None and time.monotonic() - asked[1] < PATIENCE
            self._asked = asked if wait else None
        if asked is not None and not wait:
            self._reload_for(asked[0])
        return None if self._settled else self.books.clock() + LOOK_EVERY

    def _reload_for(self, who: str) -> None:
        self.on_begin()  # once more: the end of one before it may have been told since it was asked for
        try:
            self._read_and_follow(who)
        finally:
            self.on_end()

    def _read_and_follow(self, who: str) -> None:
        try:
            self._reload(who)
        except Broken:
            raise
        except GuardianError as error:
            self._refuse(error, who)
        except Exception as error:
            log.exception("a reload failed")
            self._refuse(GuardianError(f"cannot reload, because of an error of its own: {type(error).__name__}"), who)

    def _reload(self, who: str) -> None:
        if not self._settled:
            raise Doubt(STILL_LEAVING.format(name=self.bell.leaving[0].name))
        old = self.in_force.settings
        new, changes = examine(self.read, old)
        lanes = [self._lane(account, new, changes) for account in new.accounts]
        self.books.adopt()
        self.books.sweep()  # by the old terms: what fell due under a freeze of its old brand stays missed
        self.books.open_new(sorted(set(new.scopes) - set(old.scopes)))
        now = self.books.clock()
        with self.books.database.transaction() as tx:
            freezes.add_covers(tx, new.accounts)
            journal.append(tx, RELOADED, who=who, now=now, **changes.facts())
        self._settled = False
        self.in_force.swap(new, at=now)
        self._follow(old, new, lanes)
        log.info(RELOADED, by=who, **changes.facts())

    def _lane(self, account: Account, new: Settings, changes: Changes) -> tuple[Running, Running | None]:
        """The lane of an account from now on, and the one that it has now: the same, where nothing of it changed."""
        before = next((one for one in self.bell.running if one.name == account.name), None)
        if before is None or account.name in changes.changed:
            return self.build(account, new, before), before
        if changes.touch_every_lane():
            return self.build(before.lane.account, new, before), before
        return before, before

    def _follow(self, old: Settings, new: Settings, lanes: Sequence[tuple[Running, Running | None]]) -> None:
        """The new snapshot holds: whatever goes wrong here, it is followed to the end."""
        self.bell.replace([one for one, _ in lanes])
        for one, before in lanes:
            if one is not before:
                one.loop.start(after=None if before is None else before.loop)
        for follower in self.followers:
            try:
                follower(old, new)
            except Exception:
                log.exception("could not follow the configuration")

    def _settle(self) -> bool:
        """When every lane that left has ended: what covered its account before covers it no more."""
        if self._settled or not self.bell.all_have_left():
            return self._settled
        with self.books.database.transaction() as tx:
            freezes.set_covers(tx, self.in_force.settings.accounts)
        self._settled = True
        self.bell.ring()  # what was covered a moment ago may be due
        return True

    def _refuse(self, error: GuardianError, who: str) -> None:
        now = self.books.clock()
        refuse(self.in_force, error, now=now)
        try:
            with self.books.database.transaction() as tx:
                journal.append(tx, REFUSED, who=who, now=now, why=str(error))
        except Broken:
            raise
        except GuardianError as unwritten:
            log.warning("not written down", why=str(unwritten))


def _nobody() -> None:
    """Nobody wants to know."""
