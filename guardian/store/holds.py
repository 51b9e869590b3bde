"""Holds in the store: one row keeps back one post, or every post with a tag, those that come later too.

Inside a caller's transaction. What a hold covers is not claimed, by the same statement that claims.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guardian.model import Hold
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx

RESTORE = "guardian restore"


def place(
    tx: Tx, *, reason: str, by: str, now: int, post: str | None = None, tag: str | None = None
) -> tuple[Hold, bool]:
    """Hold a post or a tag; with it whether that is new. A second hold joins the first, whose words stand."""
    known = of_post(tx, post) if post is not None else of_tag(tx, tag or "")
    if known is not None:
        return known, False
    placed = Hold(id=new_id("h"), post=post, tag=tag, reason=reason, by=by, at=now)
    written_tag = None if tag is None else written(tag)
    Q.insert_hold(tx, id=placed.id, post=post, tag=written_tag, reason=reason, by_whom=by, at=now)
    return placed, True


def lift(tx: Tx, hold: Hold, *, by: str, now: int) -> None:
    """Lift one hold. Whoever does has missed what fell due meanwhile, in this same transaction."""
    Q.lift_hold(tx, id=hold.id, by_whom=by, now=now)


def of_post(tx: Tx, post: str) -> Hold | None:
    """The hold of this post itself."""
    row = Q.hold_of_post(tx, post=post)
    return None if row is None else to_hold(row)


def of_tag(tx: Tx, tag: str) -> Hold | None:
    """The hold of a tag."""
    row = Q.hold_of_tag(tx, tag=written(tag))
    return None if row is None else to_hold(row)


def covering(tx: Tx, post: str) -> list[Hold]:
    """Every hold that covers a post, its own first."""
    return [to_hold(row) for row in Q.holds_of(tx, post=post)]


def by(tx: Tx, who: str) -> list[Hold]:
    """The holds of posts that somebody has placed, oldest first."""
    return [to_hold(row) for row in Q.holds_by_whom(tx, by_whom=who)]


def hold_what_waits(tx: Tx, *, reason: str, now: int) -> int:
    """After a restore: hold every post that may have been sent since the backup was made; how many now are."""
    Q.hold_what_waits(tx, mark=new_id("h")[:10], reason=reason, by_whom=RESTORE, now=now)
    return int(Q.held_by_whom(tx, by_whom=RESTORE) or 0)


def of_tags(tx: Tx) -> list[Hold]:
    """Every hold of a tag, oldest first."""
    return [to_hold(row) for row in Q.holds_of_tags(tx)]


def in_force(tx: Tx, *, limit: int) -> tuple[list[Hold], int]:
    """The holds that nobody has lifted, those of tags first, and how many there are in all."""
    return [to_hold(row) for row in Q.holds_in_force(tx, limit=limit)], int(Q.holds_count(tx) or 0)


def written(tag: str) -> str:
    """A tag as the store has it: as JSON writes it."""
    return json.dumps(tag)


def to_hold(row: Any) -> Hold:  # noqa: ANN401 (a row of the database)
    """A row as a Hold."""
    return Hold(
        id=row["id"],
        post=row["post"],
        tag=None if row["tag"] is None else json.loads(row["tag"]),
        reason=row["reason"],
        by=row["by_whom"],
        at=row["at"],
    )
