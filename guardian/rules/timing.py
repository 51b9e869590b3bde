"""Time: what is due, what is late, what is missed, and which instant a person's wall time means.

All in milliseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from guardian.errors import Mistake

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment, the zone it was given in, and what had to be decided to get from the wall to the moment."""

    at: int
    zone: str | None
    note: str | None = None


def is_due(at: int, now: int) -> bool:
    """Whether the time of a post has come."""
    return at <= now


def missed_why(*, at: int, entered_at: int, now: int, late_after: int, frozen_until: int) -> str | None:
    """Why a post that is still unsent must not be sent by itself any more; None when it may.

    Late: `at` is more than `late_after` ago. Frozen: its time (or its entry into the queue, whichever came later) lies
    before the end of a freeze that covered it, however short. What entered later than that was asked for in full sight.
    """
    if now - at > late_after:
        return "late"
    if is_due(at, now) and max(at, entered_at) < frozen_until:
        return "frozen"
    return None


def next_send(*, last_sent: int | None, gap: int) -> int:
    """The earliest moment for the next post of an account that leaves `gap` between two."""
    return 0 if last_sent is None else last_sent + gap


def paced_at(last: int | None, *, now: int, gap: int) -> int:
    """When the next released post of an account goes out: now, or `gap` after the `last` one that still waits.

    Without a gap always now: whoever says so does not wait behind others.
    """
    return now if last is None or not gap else max(now, last + gap)


def resolve(text: str, zone: str | None, *, now: int, default_zone: str) -> Instant:
    """The instant that `at` (and `zone`) of an import record mean. Raises Mistake when they mean none.

    "now"; a time with offset; or a wall time in a zone. A wall time that a zone skips becomes the first instant after
    the gap; one that happens twice is the first of the two; both are said in the note (research/reliability 2.7).
    """
    if zone is not None:
        zone_named(zone)
    if text == "now":
        return Instant(at=now, zone=zone)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake(
            f"cannot read the time {text!r}, because it is not ISO 8601", fix="write it like 2026-11-21T09:00:00+01:00"
        ) from None
    if len(text) <= len("2026-11-21"):
        raise Mistake(f"cannot use {text!r}, because it is a day without a time", fix=f"write {text}T09:00:00")
    note = None
    if when.tzinfo is None:
        zone = zone or default_zone
        when, note = from_wall(when, zone)
    if not EARLIEST <= when <= LATEST:
        raise Mistake(f"cannot use the time {text!r}, because it is not in this century", fix="correct the year")
    return Instant(at=round(when.timestamp() * 1000), zone=zone, note=note)


def is_wall(text: str) -> bool:
    """Whether a time that `resolve` takes is one of the wall: without an offset, so that its zone decides."""
    return text != "now" and datetime.fromisoformat(text).tzinfo is None


def from_wall(wall: datetime, name: str) -> tuple[datetime, str | None]:
    """The instant of a wall time in a zone, and what had to be decided. Raises Mistake when there is no such zone."""
    zone = zone_named(name)
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first, None
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        return first, f"{wall.isoformat()} happens twice in {name}; the first of the two was taken"
    after = _end_of_gap(wall, zone)
    return after, f"{wall.isoformat()} does not exist in {name}; {after.isoformat()} was taken"


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap that swallows `wall`."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0).astimezone(zone)


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone. Raises Mistake when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Mistake(
            f"cannot use the zone {name!r}, because it is not an IANA zone", fix="write it like Europe/Stockholm"
        ) from None
