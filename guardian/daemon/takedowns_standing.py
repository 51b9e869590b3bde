"""What takedowns are under way, and what of them is not done, for whoever shows the state of everything or of one post.

Called by the server's worker threads, inside a reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.daemon import documents
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx

MOST = 20


def standing(tx: Tx, incident: str | None) -> documents.Document:
    """Orders that are not over; and what of the open incident is still visible, unknown or was not attempted."""
    wrong = list(Q.targets_not_as_ordered(tx, incident=incident, limit=MOST)) if incident is not None else []
    return {
        "running": [
            {
                "takedown": row["id"],
                "decision": row["decision"],
                "reason": row["reason"],
                "done": int(row["done"]),
                "posts": int(row["posts"]),
                "due": documents.utc(row["due"]),
            }
            for row in Q.takedowns_running(tx, limit=MOST)
        ],
        "not_done": [
            {
                "takedown": row["takedown"],
                "account": row["account"],
                "platform_id": row["platform_id"],
                "url": row["url"],
                "post": row["post"],
                "decision": row["decision"],
                "state": row["state"],
                "why": row["why"],
            }
            for row in wrong
        ],
        "not_done_in_all": int(wrong[0]["in_all"]) if wrong else 0,
    }


def of_post(tx: Tx, post: str) -> list[documents.Document]:
    """What was ordered about a post of ours: the takedown, what became of it, and which bundle has its proof."""
    return [
        {
            "takedown": row["takedown"],
            "decision": row["decision"],
            "at": documents.utc(row["ordered_at"]),
            "by": row["by_whom"],
            "part": None if row["part"] is None else row["part"] + 1,
            "state": row["state"],
            "why": row["why"],
            "evidence": row["evidence"],
            "grade": row["grade"],
        }
        for row in Q.targets_of_our_post(tx, post=post, limit=MOST)
    ]
