"""Holding back while the wall clock is in doubt. Any thread may ask; the watch and every send do.

What was believed is remembered in the journal, one line when it changes: at the first start of a boot, when a doubt
begins, when it ends. So a start can tell whether the clock was set while nobody was here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from guardian.rules.clock import Anchor, Jumped, Steady, judge, near
from guardian.store import journal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rules.clock import Sight
    from guardian.store.database import Database, Tx

WHO = "guardian"
TRUSTED, DOUBTED = "clock_trusted", "clock_doubted"
CONFIRMED = "a person confirmed it"
log = structlog.get_logger()


class Timekeeping:
    """Whether the wall clock is believed. Made before anything is written in this life: the journal's end is read."""

    def __init__(self, *, database: Database, look: Callable[[], Sight]) -> None:
        self.database = database
        self.look = look
        self._lock = threading.Lock()
        self._doubt: Jumped | None = None
        with database.reading() as tx:
            self._anchor, self._seen, self._was_doubted = _remembered(tx)
        self._begun = False

    def steady(self) -> bool:
        """Look at the clocks; False while in doubt. Writes one line when that changes."""
        with self._lock:
            sight = self.look()
            if self._begun and self._doubt is None and self._anchor is not None and near(sight, self._anchor):
                return True
            if self._begun and self._doubt is None:
                self._seen = self._written()
            found = judge(sight, self._anchor, self._seen)
            if isinstance(found, Steady):
                self._believe(
                    sight, who=WHO, why="it goes on as before" if self._doubt is None else "it is right again"
                )
            elif self._doubt is None:
                self._begin_to_doubt(found, sight)
            self._begun = True
            return self._doubt is None

    def confirm(self, by: str) -> bool:
        """A person says that the clock is right as it is; whether that was in doubt."""
        doubted = not self.steady()
        if doubted:
            with self._lock:
                self._believe(self.look(), who=by, why=CONFIRMED)
        return doubted

    def why(self) -> str:
        """Why it is in doubt; empty when it is not."""
        doubt = self._doubt
        return doubt.why if doubt is not None else ""

    def _believe(self, sight: Sight, *, who: str, why: str) -> None:
        """Hold later sights against this one. Within tolerance the old anchor stays, so that small steps add up."""
        kept = self._anchor is not None and near(sight, self._anchor)
        if kept and self._doubt is None and not self._was_doubted:
            return
        anchor = sight.anchor
        with self.database.transaction() as tx:
            journal.append(tx, TRUSTED, who=who, now=sight.wall, boot=anchor.boot, offset=anchor.offset, why=why)
        if self._doubt is not None:
            log.warning("clock trusted", by=who, why=why)
        self._anchor, self._doubt, self._was_doubted = anchor, None, False

    def _begin_to_doubt(self, found: Jumped, sight: Sight) -> None:
        """The line also says what was believed until now: a start in the middle of a doubt goes by that."""
        self._doubt = found  # first: with a store that cannot be written, it is held all the same
        log.error("clock in doubt", by_ms=found.by, why=found.why, fix="set it right, or confirm it: guardian thaw")
        anchor = self._anchor
        facts = {"boot": anchor.boot, "offset": anchor.offset} if anchor is not None else {}
        with self.database.transaction() as tx:
            journal.append(tx, DOUBTED, who=WHO, now=sight.wall, by=found.by, why=found.why, seen=self._seen, **facts)

    def _written(self) -> int:
        with self.database.reading() as tx:
            head = Q.journal_head(tx)
        return int(head["at"]) if head else 0


def _remembered(tx: Tx) -> tuple[Anchor | None, int, bool]:
    """What was believed when the journal ended, the newest time written while it was, whether it ended in doubt."""
    head = Q.journal_head(tx)
    seen = int(head["at"]) if head else 0
    last = journal.last_of(tx, TRUSTED, DOUBTED)
    if last is None:
        return None, seen, False
    facts = last.data
    anchor = Anchor(boot=str(facts["boot"]), offset=int(str(facts["offset"]))) if "boot" in facts else None
    doubted = last.kind == DOUBTED
    return anchor, int(str(facts["seen"])) if doubted else seen, doubted
