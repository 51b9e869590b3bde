"""Is the wall clock to be believed? It is compared with the one clock that nobody can set, and with what was written.

A post's time is a wall time, so a clock that is wrong by five years would send, or miss, a whole year's plan. While it
is in doubt nothing is claimed and nothing is missed. Suspending the machine is no doubt: the boot-time clock counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

TOLERANCE = 60_000
FIRST_SENSIBLE = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
A_DAY = 86_400_000
LONGEST_AWAY = 30 * A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The clocks at one moment: `wall` in ms since 1970, `elapsed` in ms of the boot-time clock of boot `boot`.

    `synchronised` is the kernel's word that somebody keeps the wall clock right.
    """

    wall: int
    elapsed: int
    boot: str
    synchronised: bool

    @property
    def anchor(self) -> Anchor:
        """What to hold later sights against, if this one is believed."""
        return Anchor(boot=self.boot, offset=self.wall - self.elapsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """How far the wall clock was from the boot-time clock of a boot, when it was last believed."""

    boot: str
    offset: int


@dataclass(frozen=True, slots=True)
class Steady:
    """The wall clock is where it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumped:
    """It is not: off `by` so many ms, as far as can be told, and why in words."""

    by: int
    why: str


def judge(now: Sight, anchor: Anchor | None, seen: int) -> Steady | Jumped:
    """Whether the wall clock may be believed.

    `anchor` is what it was believed by before (None in a new house), `seen` the newest wall time that was written down
    while it was believed (0: none).
    """
    if anchor is not None and near(now, anchor):
        return Steady()
    found = _before(now, seen)
    if found is None and anchor is not None and not now.synchronised:
        found = _astray(now, anchor, seen)
    return found or Steady()


def _before(now: Sight, seen: int) -> Jumped | None:
    """A time that is over, whatever the kernel says of it."""
    if now.wall < FIRST_SENSIBLE:
        return Jumped(by=now.wall - max(seen, FIRST_SENSIBLE), why=f"it shows {_day(now.wall)}")
    if now.wall < seen - TOLERANCE:
        return Jumped(by=now.wall - seen, why=f"it is {_span(seen - now.wall)} before what was written down last")
    return None


def _astray(now: Sight, anchor: Anchor, seen: int) -> Jumped | None:
    """A time that nobody vouches for, and that did not come by itself."""
    if now.boot == anchor.boot:
        by = now.anchor.offset - anchor.offset
        return Jumped(by=by, why=f"it jumped by {'-' if by < 0 else '+'}{_span(abs(by))}")
    if now.wall - seen > LONGEST_AWAY:
        why = f"it is {_span(now.wall - seen)} after what was written down last, and nobody keeps it right"
        return Jumped(by=now.wall - seen, why=why)
    return None


def near(now: Sight, anchor: Anchor) -> bool:
    """Whether the wall clock has gone on as the boot-time clock has; needs no look at anything else."""
    return now.boot == anchor.boot and abs(now.anchor.offset - anchor.offset) <= TOLERANCE


def look_from(started: int, now: int) -> int:
    """From when on (ms) to look for what left the house at `started`, if it is `now`.

    A time to come was written by a clock that was ahead and has been set right since, nobody knows by how much: then a
    whole day is looked through. From that time on nothing would be found, and what is live would be sent again.
    """
    return started if started <= now + TOLERANCE else now - A_DAY


def _day(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).date().isoformat()


def _span(ms: int) -> str:
    """A length of time, as a person says it."""
    seconds = ms // 1000
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return f"{seconds} seconds"
