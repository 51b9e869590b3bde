"""The time of a record: which instant it means, its wall time as it was written, and that it has not passed. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from guardian.errors import Mistake
from guardian.rules import timing

if TYPE_CHECKING:
    from guardian.rules.timing import Instant

GRACE = 60_000  # a time that has only just passed was meant as now
NOW = "now"
LATER = "do use now, or a later time"
UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"))


def instant(at: str, zone: str | None, now: int, default_zone: str) -> Instant | str:
    """The instant, or what is wrong with the time."""
    try:
        return timing.resolve(at, zone if isinstance(zone, str) else None, now=now, default_zone=default_zone)
    except Mistake as error:
        return str(error)


def wall(at: str) -> str | None:
    """The time as it was written, where that needs a zone to be an instant: it may mean another one tomorrow."""
    return at if at != NOW and datetime.fromisoformat(at).tzinfo is None else None


def passed(instant: Instant, at: str, now: int) -> str | None:
    """Why nothing can be scheduled for an instant; None when it still can."""
    if instant.at >= now - GRACE:
        return None
    return f"cannot schedule for {at!r}, because {_shown(instant)} has passed, {_ago(now - instant.at)} ago, {LATER}"


def must_not_have_passed(instant: Instant, at: str, now: int) -> None:
    """Raise Mistake for a time that has passed."""
    why = passed(instant, at, now)
    if why is not None:
        raise Mistake(why.removesuffix(f", {LATER}"), fix=LATER.removeprefix("do "))


def _shown(instant: Instant) -> str:
    zone = UTC if instant.zone is None else ZoneInfo(instant.zone)
    return datetime.fromtimestamp(instant.at / 1000, zone).isoformat(timespec="seconds")


def _ago(passed: int) -> str:
    size, unit = next((size, unit) for size, unit in UNITS if passed >= size)
    number = passed // size
    return f"{number} {unit}{'' if number == 1 else 's'}"
