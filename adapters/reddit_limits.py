"""What Reddit can do to a post that stays: lock it, cover it. What each needs, says, and how it is read back. Pure.

Neither hides anything: a locked post is read as before, and a covered one is shown to whoever taps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from adapters import reddit_answers as answers_
from guardian.errors import Refusal
from guardian.model import Decision, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.adapter import Answer


class Limit(NamedTuple):
    """The field of a post that says whether it is in force, and the requests that lay and lift it."""

    field: str
    lay: str
    lift: str


LIMITS: Mapping[Decision, Limit] = {
    Decision.LOCK: Limit("locked", "lock", "unlock"),
    Decision.SPOILER: Limit("spoiler", "spoiler", "unspoiler"),
}
LIFTS = frozenset(one.lift for one in LIMITS.values())


def prepared(decision: Decision, fullname: str, status: Answer | None, own: str) -> Limit:
    """The limit, if it can be laid on what `status` shows; `own` is our account. Raises Refusal, with the reason."""
    limit = LIMITS.get(decision)
    if limit is None:
        raise _unlimited(decision, "Reddit has no such thing")
    known = status is not None and status.status == answers_.OK
    thing = answers_.thing_in(status.body, fullname) if known and status is not None else None
    if thing is None:
        raise _unlimited(decision, "nobody knows what it is now")
    if answers_.is_deleted(thing):
        raise _unlimited(decision, "it is deleted")
    if decision is Decision.SPOILER and fullname.startswith("t1_"):
        raise _unlimited(decision, "at Reddit a comment cannot be covered by a mark, only a post can")
    if decision is Decision.LOCK and thing.get("can_mod_post") is not True:
        where = str(thing.get("subreddit", ""))[:50]
        raise _unlimited(decision, f"{own} is no moderator of r/{where}, and nobody else can lock a post")
    return limit


def presence(decision: Decision, fullname: str, status: Answer) -> Presence:
    """Whether the limit is in force, by Reddit's own word of the post."""
    limit = LIMITS.get(decision)
    thing = answers_.thing_in(status.body, fullname) if status.status == answers_.OK else None
    if limit is None or thing is None:
        return Presence.UNKNOWN
    if answers_.is_deleted(thing):
        return Presence.GONE
    said = thing.get(limit.field)
    return Presence.LIMITED if said is True else Presence.THERE if said is False else Presence.UNKNOWN


def _unlimited(decision: Decision, why: str) -> Refusal:
    return Refusal(f"cannot lay a {decision} on it, because {why}", fix="hide it, delete it, or keep it")
