"""What is good enough to go into a bad night with: how old, how much room, which version, how far off. Pure."""

from __future__ import annotations

from enum import StrEnum

DAY = 86_400_000
DRILL_EVERY = 30 * DAY
BACKUP_EVERY = 2 * DAY
AHEAD = DAY  # a date further in the future is none
SKEW_WRONG, SKEW_LOW = 60_000, 10_000
FIXED, WITHDRAWN = (3, 51, 3), (3, 52)


class Verdict(StrEnum):
    """How a thing was found, from good to bad; `unchecked` is as bad as wrong for whoever relies on it."""

    WELL = "well"
    WARNING = "warning"
    UNCHECKED = "unchecked"
    WRONG = "wrong"


def of_age(at: int | None, *, now: int, every: int) -> Verdict:
    """Of what has to be done every so often (ms), and was done last at `at`; None: never."""
    return Verdict.WELL if at is not None and now - every <= at <= now + AHEAD else Verdict.WARNING


def of_room(free: int, *, enough: int, least: int) -> Verdict:
    """Of room that is left: below `least` something will fail soon."""
    if free < least:
        return Verdict.WRONG
    return Verdict.WARNING if free < enough else Verdict.WELL


def of_skew(ms: int) -> Verdict:
    """Of a clock that is so far from a platform's. An answer under way makes up to some seconds of it."""
    if abs(ms) >= SKEW_WRONG:
        return Verdict.WRONG
    return Verdict.WARNING if abs(ms) >= SKEW_LOW else Verdict.WELL


def of_sqlite(version: str) -> Verdict:
    """Of a library by its version: older ones can, very rarely, damage a store that has a write-ahead log.

    Mended in 3.51.3 and 3.53.0; 3.52.0 was withdrawn (research/reliability, decision 8).
    """
    try:
        found = tuple(int(part) for part in version.split("."))
    except ValueError:
        return Verdict.UNCHECKED
    return Verdict.WARNING if found < FIXED or found[:2] == WITHDRAWN else Verdict.WELL


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst of them; well where there is none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.WELL)
