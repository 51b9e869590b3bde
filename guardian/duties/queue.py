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

    from guardian.config.in_force import InForce
    from guardian.duties.importing import Imported, Platforms
    from guardian.store.database import Database
    from guardian.store.posts import Entered, Known


class Queue:
    """How posts come into the house."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        clock: Callable[[], int],
        platforms: Platforms | None = None,
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.clock = clock
        self.importing = Importing(
            database=database,
            accounts=lambda: self.accounts,
            zone=lambda: self.zone,
            platforms=platforms or Unasked(),
            clock=clock,
        )

    @property
    def accounts(self) -> Collection[str]:
        """Every account that the configuration names."""
        return [account.name for account in self.in_force.settings.accounts]

    @property
    def zone(self) -> str:
        """Of times that name none."""
        return self.in_force.settings.queue.zone

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what a person should know of it. Raises Mistake, AccountRefused."""
        return self.importing.add(raw, who=who)

    def take_in(self, text: str, *, who: str) -> Imported:
        """Import JSON Lines, all or nothing: one wrong line and nothing is entered."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.importing.take_in(Plan(stream=io.BytesIO(raw), size=len(raw)), who=who)
