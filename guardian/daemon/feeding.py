"""Tells the supervisor how the house stands, and feeds its watchdog. Polled by a loop of its own, by a monotonic clock.

The watchdog is fed only by who has just read the fence and had the store's writer: a transaction that begins, reads
the epoch and ends. Whoever holds the writer for ever, or the file, keeps it from being fed; so does a thread that has
ended, and a watch that does not poll any more. A disk that is full or refuses to be written is an answer, and killing
the daemon would not mend it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import structlog

from guardian.config.in_force import REFUSED
from guardian.daemon.loops import Loop
from guardian.errors import Doubt, GuardianError, Unwritable
from guardian.fence import reading
from guardian.store import attempts, freezes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Thread

    from guardian.config.in_force import InForce
    from guardian.daemon.notifying import Notifying
    from guardian.fence.house import House
    from guardian.store.database import Database

ALL = "all"
LOOK_EVERY = 1_000
TELL_EVERY = 10_000  # where nobody asks for it
LONGEST_TOUCH = 5.0
WATCH_WITHIN = 90.0  # seconds since it began to poll: a clock that is set may have it sleep a minute
HOLD = "HOLD: the store is damaged, nothing is sent; "
WORDS = {
    reading.OPEN: "open",
    reading.FROZEN: "FROZEN",
    reading.PARTLY: "partly FROZEN",
    reading.UNKNOWN: "FENCE UNREADABLE, nothing is sent",
}
log = structlog.get_logger()


class Store:
    """Touches the store: what it says of itself. `stuck` names whoever should live and does not."""

    def __init__(self, database: Database, *, stuck: Callable[[], str], watchdog: int) -> None:
        """`watchdog`: microseconds between two feedings, 0 for no limit."""
        self.database = database
        self.stuck = stuck
        self.within = min(LONGEST_TOUCH, watchdog / 6_000_000) if watchdog else LONGEST_TOUCH

    def touch(self) -> str:
        """The epoch, and how much is being sent, by the store's writer. Raises Doubt when somebody is stuck."""
        who = self.stuck()
        if who:
            raise Doubt(f"cannot go on as before, because {who}")
        try:
            with self.database.transaction(within=self.within) as tx:
                return f"; epoch {freezes.epoch(tx, ALL) or 0}; {attempts.count_in_flight(tx)} in flight"
        except Unwritable as error:
            return f"; {error.message}"


class Feeding:
    """Says how it stands whenever that changes, and at a third of the watchdog's time at the latest."""

    def __init__(self, house: House, notifying: Notifying, in_force: InForce, store: Store | None) -> None:
        """`store` is None in hold: then the fence alone is read, and the status says so."""
        self.house = house
        self.notifying = notifying
        self.in_force = in_force
        self.store = store
        self.stopping = False
        self._every = notifying.watchdog // 3000 or TELL_EVERY
        self._due = 0
        self._said = ""
        self._known = ""
        self._starved = False

    def poll(self, now: int) -> int | None:
        """Look; tell what is new; feed when it is time. `now` in ms of a clock that nobody can set."""
        head = self._head()
        if now < self._due and head == self._said:
            return min(self._due, now + LOOK_EVERY)
        if head != self._said:
            self._said = head
            self.notifying.status(head + self._known)
        self._feed(head)
        self._due = now + self._every
        return min(self._due, now + LOOK_EVERY)

    def status(self) -> str:
        """How it stands by the last look at the store, and by a look at the fence now."""
        return self._head() + self._known

    def _feed(self, head: str) -> None:
        try:
            self._known = "" if self.store is None else self.store.touch()
        except GuardianError as error:
            self.notifying.status(f"{head}; THE WATCHDOG IS NOT FED: {error.message}")
            if not self._starved:
                self._starved = True
                log.error("the watchdog is not fed", why=str(error))  # noqa: TRY400 (its words say it all)
            raise
        if self._starved:
            log.info("the watchdog is fed again")
        self._starved = False
        self.notifying.feed(head + self._known)

    def _head(self) -> str:
        fence = reading.read_fence(self.house)
        words = "stopping; " if self.stopping else ""
        words += HOLD if self.store is None else ""
        words += WORDS.get(fence.state, fence.state)
        if fence.state == reading.PARTLY:
            frozen = [one.scope for one in fence.scopes if one.state == reading.FROZEN]
            words += f" ({', '.join(frozen[:3])}{f' and {len(frozen) - 3} more' if len(frozen) > 3 else ''})"  # noqa: PLR2004 (named above)
        if self.in_force.verdict.state == REFUSED:
            words += "; CONFIGURATION REFUSED, the one before is in force"
        return words


class Standing:
    """All that the supervisor is told of one life of the daemon, from *ready* on."""

    def __init__(self, house: House, notifying: Notifying, in_force: InForce, store: Store | None) -> None:
        self.notifying = notifying
        self._feeding = Feeding(house, notifying, in_force, store)
        self._loop = Loop("watchdog", self._feeding, monotonic_ms)

    def begin(self) -> None:
        """It serves: say so, and how it stands from now on."""
        self.ready()
        if self.notifying.heard:
            self._loop.start()

    def ready(self) -> None:
        """It serves, or a reload is over."""
        self.notifying.ready(self._feeding.status())

    def stop(self) -> None:
        """It is about to end; the watchdog is fed until it has."""
        self._feeding.stopping = True
        self.notifying.stopping(self._feeding.status())

    def end(self, within: float) -> None:
        """Nobody touches the store any more, after so many seconds at the most."""
        self._loop.end()
        self._loop.join(within)


def who_is_stuck(loops: Iterable[Loop], *, watch: Loop, control: Thread) -> str:
    """A thread that has ended by itself, or a watch that hangs, in words; empty when there is none."""
    if not (watch.ending or control.is_alive()):
        return "the thread of the control socket has ended"
    died = next((loop.name for loop in loops if loop.died), None)
    if died is not None:
        return f"the thread {died!r} has ended"
    if not watch.ending and monotonic() - watch.began > WATCH_WITHIN:
        return "the watch hangs"
    return ""


def monotonic_ms() -> int:
    """Milliseconds of a clock that nobody can set."""
    return int(monotonic() * 1000)
