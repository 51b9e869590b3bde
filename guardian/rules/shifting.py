"""Moving a post in time: to a moment that a person names, or by a shift. Pure; times in ms UTC.

A day is a day of the wall: `+1d` at 09:00 in Europe/Stockholm is 09:00, also where the clocks change in between. Hours,
minutes and seconds are exact. A post whose wall time is kept, so that it can be computed anew when the rules of its
zone change, keeps one that fits its new time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from guardian.errors import Mistake
from guardian.rules import timing

if TYPE_CHECKING:
    from guardian.model import Post

WORD = re.compile(r"([+-])(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?")
DAYS_OF_A_WEEK = 7
HOUR, MINUTE, SECOND = 3_600_000, 60_000, 1_000


@dataclass(frozen=True, slots=True)
class To:
    """A moment as a person writes it, as in a record."""

    text: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Days of the wall, then exact ms; both may be negative."""

    days: int
    exact: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A post's new time; `wall` where the time is one of the wall; `note` says what had to be decided."""

    at: int
    zone: str | None
    wall: str | None
    note: str | None = None


def read_shift(text: str) -> By:
    """`+2h`, `-1d`, `+1d 2h`, `-1w 30m`: a sign goes on until the next one. Raises Mistake."""
    days = exact = 0
    sign = ""
    for word in text.split():
        found = WORD.fullmatch(word if word[0] in "+-" else sign + word)
        if found is None or not any(found.groups()[1:]):
            raise _unread(text)
        sign = found[1]
        weeks, day, hours, minutes, seconds = (int(sign + (one or "0")) for one in found.groups()[1:])
        days += weeks * DAYS_OF_A_WEEK + day
        exact += hours * HOUR + minutes * MINUTE + seconds * SECOND
    if not sign:
        raise _unread(text)
    return By(days, exact)


def moved(post: Post, move: To | By, *, now: int, default_zone: str) -> Moved:
    """Where a post goes. Raises Mistake when that is no time of this century, or no zone."""
    zone = post.zone or default_zone
    if isinstance(move, By):
        return _shifted(post, move, zone)
    instant = timing.resolve(move.text, move.zone, now=now, default_zone=zone)
    wall = move.text if timing.is_wall(move.text) else None
    return Moved(at=instant.at, zone=instant.zone or post.zone, wall=wall, note=instant.note)


def _shifted(post: Post, by: By, zone: str) -> Moved:
    there = timing.zone_named(zone)
    note = None
    try:
        wall = _wall_of(post, zone) + timedelta(days=by.days)
        when = datetime.fromtimestamp(post.at / 1000, UTC)
        if by.days:
            when, note = timing.from_wall(wall, zone)
        when = when.astimezone(UTC) + timedelta(milliseconds=by.exact)
    except (OverflowError, ValueError):
        raise _beyond(post) from None
    if not timing.EARLIEST <= when <= timing.LATEST:
        raise _beyond(post)
    at = round(when.timestamp() * 1000)
    if post.wall is None:
        return Moved(at=at, zone=post.zone, wall=None, note=note)
    if by.exact:
        wall = when.astimezone(there).replace(tzinfo=None)
    return Moved(at=at, zone=zone, wall=_if_it_means(wall, zone, at, anyway=not by.exact), note=note)


def _wall_of(post: Post, zone: str) -> datetime:
    """What the clock on the wall shows when the post is due; as it was written, where it was."""
    if post.wall is not None:
        return datetime.fromisoformat(post.wall)
    return datetime.fromtimestamp(post.at / 1000, timing.zone_named(zone)).replace(tzinfo=None)


def _if_it_means(wall: datetime, zone: str, at: int, *, anyway: bool) -> str | None:
    """A wall time, if it is read back as this moment: the second of an hour that happens twice is not."""
    back, _ = timing.from_wall(wall, zone)
    return wall.isoformat() if anyway or round(back.timestamp() * 1000) == at else None


def _unread(text: str) -> Mistake:
    return Mistake(
        f"cannot read the shift {text!r}, because it is not made of a sign and whole numbers with units",
        fix='write it like "+2h", "-1d" or "+1d 2h"',
    )


def _beyond(post: Post) -> Mistake:
    return Mistake(f"cannot move {post.id} so far, because that is not in this century", fix="choose a smaller shift")
