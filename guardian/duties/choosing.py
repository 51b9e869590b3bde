"""Which posts a person means: these ids, or whatever fits a filter. Inside a caller's transaction.

Whoever was shown what a filter chooses decides about that and nothing else: the choice has a mark, and one that has
changed since is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardian.errors import Illegal, Mistake
from guardian.model import State
from guardian.store import holds, listing, posts
from guardian.store.listing import Filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.model import Post
    from guardian.store.database import Tx

MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What may be done with posts in which states, and which of them a filter means that names none."""

    name: str
    lawful: tuple[State, ...]
    usual: tuple[State, ...]


HOLD = Act(
    name="hold",
    lawful=(
        State.QUEUED, State.CLAIMED, State.BLOCKED, State.SENDING, State.UNKNOWN, State.MISSED, State.REFUSED,
    ),
    usual=(State.QUEUED, State.CLAIMED, State.BLOCKED, State.SENDING, State.UNKNOWN, State.MISSED),
)  # fmt: skip
UNHOLD = Act(name="unhold", lawful=tuple(State), usual=())
RELEASE = Act(name="release", lawful=(State.MISSED,), usual=(State.MISSED,))
RESCHEDULE = Act(
    name="reschedule",
    lawful=(State.QUEUED, State.BLOCKED, State.MISSED, State.REFUSED),
    usual=(State.QUEUED, State.BLOCKED, State.MISSED),
)
CANCEL = Act(
    name="cancel",
    lawful=(State.QUEUED, State.BLOCKED, State.MISSED, State.UNKNOWN),
    usual=(State.QUEUED, State.BLOCKED, State.MISSED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The posts that are meant, in the order of their time or as named; `left` are on hold and so not released."""

    posts: list[Post]
    left: list[Post]

    @property
    def mark(self) -> str:
        """One word for exactly these posts."""
        names = "\n".join(sorted(post.id for post in self.posts))
        return hashlib.sha256(names.encode()).hexdigest()[:16]


def choose(tx: Tx, act: Act, which: Sequence[str] | Filter, *, shown: str | None = None) -> Choice:
    """The posts of these ids, or those that fit a filter.

    Raises Unfound, Mistake, or Illegal when it is not what was `shown`.
    """
    if not isinstance(which, Filter):
        return Choice(posts=[posts.get(tx, one) for one in dict.fromkeys(which)], left=[])
    found = _fitting(tx, act, which)
    left = [post for post in found if holds.covering(tx, post.id)] if act is RELEASE else []
    names = {post.id for post in left}
    choice = Choice(posts=[post for post in found if post.id not in names], left=left)
    if shown is not None and choice.mark != shown:
        raise Illegal(f"cannot {act.name} them, because other posts fit now than were shown", fix="look again")
    return choice


def _fitting(tx: Tx, act: Act, wanted: Filter) -> list[Post]:
    unlawful = [state for state in wanted.states if state not in act.lawful]
    if unlawful:
        raise Mistake(
            f"cannot {act.name} what is {unlawful[0]}, because that is never allowed",
            fix=f"choose from: {', '.join(act.lawful)}",
        )
    wanted = replace(wanted, states=wanted.states or act.usual, own_hold=act is UNHOLD)
    found: list[Post] = []
    for row in listing.stream(tx, wanted):
        found.append(posts.to_post(row))
        if len(found) > MOST:
            raise Mistake(
                f"cannot {act.name} so many, because more than {MOST} posts fit", fix="choose fewer at a time"
            )
    return found
