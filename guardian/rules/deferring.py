"""When a post that the platform itself would publish is put off, until when, and when it has to be deleted. Pure.

Mastodon publishes an item that is due within five minutes from a queue that does not look at its new time: only
deleting stops that one. It takes 25 items for one day. Times are milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 24 * 60 * 60_000
FAR = 365 * DAY
FAR_ALREADY = 300 * DAY
TOO_LATE = 5 * 60_000 + 30_000  # with half a minute for our request, and for a clock that is not theirs
MOST_A_DAY = 25


def must_go(due: int, *, now: int) -> bool:
    """Whether putting it off comes too late."""
    return due <= now + TOO_LATE


def is_far(due: int, *, now: int) -> bool:
    """Whether nobody has to put it off: an earlier freeze did, or its author."""
    return due >= now + FAR_ALREADY


def until(due: int, others: Iterable[int], *, now: int) -> int:
    """The moment to put it off to: about a year from now, at its time of day, on a day that has room.

    `others` are the times of everything else that is scheduled there.
    """
    full = Counter(at // DAY for at in others)
    day = (now + FAR) // DAY
    while full[day] >= MOST_A_DAY:
        day += 1
    return day * DAY + due % DAY
