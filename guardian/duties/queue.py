"""The queue as people use it: enter one post, or import many. Called by API threads.

Each call one transaction.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from guardian.duties.import_check import Plan
from guardian.duties.importing import Importing, Unasked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from guardian.duties.importing import Imported, Platforms
    from guardian.store.database import Database
    from guardian.store.posts import Entered, Known


class Queue:
    """How posts come into the house."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: Collection[str],
        zone: str,
        clock: Callable[[], int],
        platforms: Platforms | None = None,
    ) -> None:
        self.database = database
        self.accounts = accounts
        self.zone = zone
        self.clock = clock
        self.importing = Importing(
            database=database,
            accounts=lambda: self.accounts,
            zone=lambda: self.zone,
            platforms=platforms or Unasked(),
            clock=clock,
        )

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what a person should know of it. Raises Mistake, AccountRefused."""
        return self.importing.add(raw, who=who)

    def take_in(self, text: str, *, who: str) -> Imported:
        """Import JSON Lines, all or nothing: one wrong line and nothing is entered."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.importing.take_in(Plan(stream=io.BytesIO(raw), size=len(raw)), who=who)
