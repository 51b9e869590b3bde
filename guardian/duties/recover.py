"""After a crash: what was under way when the daemon last ended. Called once at start, before any lane runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.duties.publish import WHO
from guardian.model import Event, State
from guardian.store import attempts, journal, posts
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Database


def recover(database: Database, *, now: int) -> dict[str, int]:
    """A *claimed* post had not left: back into the queue. A *sending* one may have.

    Unknown, and the platform is asked.
    """
    found = {"unclaimed": 0, "unknown": 0}
    with database.transaction() as tx:
        for row in list(Q.stranded(tx)):
            post = posts.to_post(row)
            if post.state is State.CLAIMED:
                posts.move(tx, post.id, Event.UNCLAIM, now=now, why="the daemon ended before it was sent")
                found["unclaimed"] += 1
                continue
            attempt = attempts.open_of(tx, post.id)
            if attempt is not None:
                attempts.end(tx, attempt, outcome="unknown", detail="the daemon ended while it was sent", now=now)
            posts.move(tx, post.id, Event.LOSE, now=now, why="the daemon ended while it was sent")
            found["unknown"] += 1
        journal.append(tx, "started", who=WHO, now=now, **found)
    return found
