"""Missing what has to be missed, with one line in the journal for all of it. Inside a caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.store import journal, posts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.store.database import Tx

WHO = "guardian"
MOST_NAMED = 500


def sweep(tx: Tx, accounts: Iterable[str], *, now: int, late_after: int) -> list[str]:
    """Miss every post whose time has passed: too long ago, under a freeze, or on hold; their ids."""
    missed = [post for account in accounts for post in posts.miss(tx, account, now=now, late_after=late_after)]
    if missed:
        line = journal.append(tx, "missed", who=WHO, now=now, count=len(missed), posts=missed[:MOST_NAMED])
        journal.tells_about(tx, line, missed)
    return missed
