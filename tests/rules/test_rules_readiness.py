"""What is good enough for a bad night, at its edges."""

from __future__ import annotations

import pytest

from guardian.rules.readiness import DAY, Verdict, of_age, of_room, of_skew, of_sqlite, worst

NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (None, Verdict.WARNING),
        (NOW, Verdict.WELL),
        (NOW - 2 * DAY, Verdict.WELL),
        (NOW - 2 * DAY - 1, Verdict.WARNING),
        (NOW + DAY, Verdict.WELL),
        (NOW + DAY + 1, Verdict.WARNING),
    ],
)
def test_what_was_done_too_long_ago_or_in_the_far_future_does_not_count(at: int | None, verdict: Verdict) -> None:
    assert of_age(at, now=NOW, every=2 * DAY) is verdict


@pytest.mark.parametrize(
    ("free", "verdict"), [(9, Verdict.WRONG), (10, Verdict.WARNING), (19, Verdict.WARNING), (20, Verdict.WELL)]
)
def test_room_is_scarce_before_it_is_gone(free: int, verdict: Verdict) -> None:
    assert of_room(free, enough=20, least=10) is verdict


@pytest.mark.parametrize(
    ("ms", "verdict"),
    [(0, Verdict.WELL), (-9_999, Verdict.WELL), (10_000, Verdict.WARNING), (-60_000, Verdict.WRONG)],
)
def test_a_clock_is_off_in_either_direction(ms: int, verdict: Verdict) -> None:
    assert of_skew(ms) is verdict


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("3.40.1", Verdict.WARNING),
        ("3.51.2", Verdict.WARNING),
        ("3.51.3", Verdict.WELL),
        ("3.52.0", Verdict.WARNING),
        ("3.53.0", Verdict.WELL),
        ("4.0", Verdict.WELL),
        ("3.x", Verdict.UNCHECKED),
    ],
)
def test_the_versions_with_the_known_bug_are_named_and_the_withdrawn_one(version: str, verdict: Verdict) -> None:
    assert of_sqlite(version) is verdict


def test_one_thing_that_is_wrong_makes_the_whole_of_it_wrong() -> None:
    assert worst([]) is Verdict.WELL
    assert worst([Verdict.WARNING, Verdict.WELL]) is Verdict.WARNING
    assert worst([Verdict.WRONG, Verdict.UNCHECKED, Verdict.WARNING]) is Verdict.WRONG
    assert worst([Verdict.UNCHECKED, Verdict.WARNING]) is Verdict.UNCHECKED
