"""The rest of the look at the store, behind the lanes: a step, a rest, until all of it was seen once.

What it finds damaged puts the house on hold, as damage that any thread comes upon does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import threading

    from guardian.store.database import Database

REST = 40  # ms between steps of some ms: sends go first
AT_FIRST = 2_000  # the first sends of a life go before all of it
log = structlog.get_logger()


class Inspecting:
    """Polled by a loop of its own. A halt (a freeze, the end) breaks a long step off, which begins again later."""

    def __init__(self, database: Database, *, halt: threading.Event) -> None:
        self.database = database
        self.halt = halt
        self._begun = False
        self._done = database.inspection.done

    def poll(self, now: int) -> int | None:
        """One step; when to be called again, None when all was seen."""
        if not self._begun:
            self._begun = True
            return now + AT_FIRST
        self.halt.clear()
        if not self._done and self.database.inspect(stop=self.halt.is_set):
            self._done = True
            log.info("the store was looked at to its end")
        return None if self._done else now + REST
