"""What was under way when something broke: at a start after a crash, and in a lane whose settling failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.duties.publish import WHO
from guardian.model import Event, State
from guardian.store import attempts, journal, posts
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Database, Tx

ENDED = "the daemon ended"
BROKE = "an error broke off"


def recover(database: Database, *, now: int) -> dict[str, int]:
    """Sort out what a crash left. Called once at start, before any lane runs."""
    with database.transaction() as tx:
        found = _sort_out(tx, now=now, because=ENDED, account=None)
        journal.append(tx, "started", who=WHO, now=now, **found)
    return found


def tidy(database: Database, account: str, *, now: int) -> None:
    """Sort out what an error left in one lane. Called by that lane, which sends nothing meanwhile."""
    with database.transaction() as tx:
        found = _sort_out(tx, now=now, because=BROKE, account=account)
        if any(found.values()):
            journal.append(tx, "tidied", who=WHO, now=now, account=account, **found)


def _sort_out(tx: Tx, *, now: int, because: str, account: str | None) -> dict[str, int]:
    """A *claimed* post had not left: back into the queue. A *sending* one may have: the platform is asked."""
    found = {"unclaimed": 0, "unknown": 0}
    for post in [posts.to_post(row) for row in Q.stranded(tx, account=account)]:
        if post.state is State.CLAIMED:
            posts.move(tx, post.id, Event.UNCLAIM, now=now, why=f"{because} before it was sent")
            found["unclaimed"] += 1
            continue
        why = f"{because} while it was sent"
        attempt = attempts.open_of(tx, post.id)
        if attempt is not None:
            attempts.end(tx, attempt, outcome="unknown", detail=why, now=now)
        posts.move(tx, post.id, Event.LOSE, now=now, why=why)
        found["unknown"] += 1
    return found
