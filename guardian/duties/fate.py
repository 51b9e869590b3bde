"""What a takedown does to the post it is about: by the law, in the caller's transaction.

A post that is live goes to *retracting* with the first request and to *retracted* when none of its parts is left. Of a
thread that is live by half, the rest never goes out by itself again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.model import Event, State
from guardian.rules.lifecycle import TABLE
from guardian.rules.takedown import OPEN
from guardian.store import holds, posts, takedowns

if TYPE_CHECKING:
    from guardian.model import Target
    from guardian.store.database import Tx

TAKEN_DOWN = "a part of it was taken down"
WHO = "guardian"


def begins(tx: Tx, target: Target, *, by: str, now: int) -> None:
    """A request is about to leave."""
    if target.post is None:
        return
    post = posts.get(tx, target.post)
    if post.state is State.PUBLISHED:
        posts.move(tx, post.id, Event.RETRACT, now=now, why="being taken down")
    elif Event.CANCEL in TABLE[post.state]:
        posts.move(tx, post.id, Event.CANCEL, now=now, why=TAKEN_DOWN)
    elif post.state in (State.CLAIMED, State.SENDING):
        holds.place(tx, post=post.id, reason=TAKEN_DOWN, by=by, now=now)


def ends(tx: Tx, target: Target, *, now: int) -> None:
    """A target has come to its end; the post is retracted when nothing of it is left."""
    if target.post is None:
        return
    post = posts.get(tx, target.post)
    if post.state not in (State.PUBLISHED, State.RETRACTING) or _more_to_do(tx, target):
        return
    left = takedowns.live_parts_left(tx, post.id)
    if post.state is State.PUBLISHED:
        if left:
            return
        posts.move(tx, post.id, Event.RETRACT, now=now, why="found gone")  # somebody was faster, or a later look
    if left == 0:
        posts.move(tx, post.id, Event.GONE, now=now, why="taken down")
        return
    parts = len(post.parts)
    why = target.state.replace("_", " ") if parts == 1 else f"{parts - left} of {parts} parts taken down"
    posts.move(tx, post.id, Event.STILL_THERE, now=now, why=why)


def _more_to_do(tx: Tx, target: Target) -> bool:
    """Whether another part of the same post is being taken down by the same order."""
    return any(
        other.post == target.post and other.id != target.id and other.state in OPEN
        for other in takedowns.targets(tx, target.takedown)
    )
