"""When an account's next deletions may go, by what its platform takes and what has gone. Any thread may call.

One place for takedowns and for what is scheduled on the platform itself: they spend from the same purse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.rules import budget
from guardian.store import takedowns

if TYPE_CHECKING:
    from guardian.adapter import Budget
    from guardian.store.database import Database

SLACK = 1_000  # ms: a platform counts from when a request arrived, we from when we meant to send it


def turns(
    database: Database, account: str, allowed: Budget, *, now: int, wanted: int = 1, reserve: int = 0
) -> list[int]:
    """The moments (ms) of the next `wanted` requests; so many of the platform's count are left for others."""
    window = allowed.window + SLACK
    with database.reading() as tx:
        spent = takedowns.spent(tx, account, since=now - window)
    return budget.times(spent, now=now, wanted=wanted, count=max(allowed.count - reserve, 1), window=window)
