"""What is due, late and missed, to the millisecond; and the pace of what is released."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.rules import timing

LIMIT = 900_000
NOW = 10_000_000
MOMENTS = st.integers(0, 2 * NOW)


@pytest.mark.parametrize(("at", "due"), [(NOW - 1, True), (NOW, True), (NOW + 1, False)])
def test_a_post_is_not_sent_a_millisecond_early(at: int, due: bool) -> None:
    assert timing.is_due(at, NOW) is due


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (NOW - LIMIT + 1, None),
        (NOW - LIMIT, None),  # exactly as late as is allowed
        (NOW - LIMIT - 1, "late"),
        (NOW - 10 * LIMIT, "late"),
        (NOW, None),
        (NOW + 1, None),
    ],
)
def test_what_is_later_than_the_limit_is_never_sent_by_itself(at: int, why: str | None) -> None:
    found = timing.missed_why(at=at, entered_at=0, now=NOW, late_after=LIMIT, frozen_until=0)
    assert found == why


@pytest.mark.parametrize(
    ("at", "entered_at", "frozen_until", "why"),
    [
        (NOW - 10, 0, NOW - 9, "frozen"),  # a freeze of however short a time was over one millisecond after it fell due
        (NOW - 10, 0, NOW - 10, None),  # lifted at the very moment at which it fell due
        (NOW - 10, 0, NOW - 11, None),  # lifted before
        (NOW - 10, NOW - 5, NOW - 6, None),  # entered, released or rescheduled after the lift, in full sight of it
        (NOW - 10, NOW - 6, NOW - 6, None),
        (NOW - 10, NOW - 7, NOW - 6, "frozen"),  # entered while the freeze was in force
        (NOW - 10, 0, NOW, "frozen"),  # still in force
        (NOW, 0, NOW, None),  # due this very moment: not yet sent, not yet missed
        (NOW + 5, 0, NOW, None),  # still to come: only held
        (NOW + 5, 0, NOW + 9, None),
    ],
)
def test_what_fell_due_under_a_freeze_is_missed_however_short_it_was(
    at: int, entered_at: int, frozen_until: int, why: str | None
) -> None:
    found = timing.missed_why(at=at, entered_at=entered_at, now=NOW, late_after=LIMIT, frozen_until=frozen_until)
    assert found == why


@settings(max_examples=100, deadline=None)
@given(MOMENTS, MOMENTS, MOMENTS, MOMENTS)
def test_waiting_longer_never_makes_a_missed_post_sendable(at: int, entered: int, until: int, later: int) -> None:
    def why(now: int) -> str | None:
        return timing.missed_why(at=at, entered_at=entered, now=now, late_after=LIMIT, frozen_until=until)

    if why(NOW) is not None:
        assert why(NOW + later) is not None


@settings(max_examples=100, deadline=None)
@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_released_post_is_not_missed_at_once_again(at: int, until: int, gap: int) -> None:
    released = max(at, until)
    found = timing.missed_why(at=released + gap, entered_at=released, now=released, late_after=0, frozen_until=until)
    assert found is None


def test_two_posts_of_one_account_keep_their_distance() -> None:
    assert timing.next_send(last_sent=None, gap=30_000) == 0
    assert timing.next_send(last_sent=NOW, gap=30_000) == NOW + 30_000
    assert timing.next_send(last_sent=NOW, gap=0) == NOW


def test_released_posts_do_not_all_leave_at_once() -> None:
    last, found = None, []
    for _ in range(3):
        last = timing.paced_at(last, now=NOW, gap=30_000)
        found.append(last)
    assert found == [NOW, NOW + 30_000, NOW + 60_000]
    assert timing.paced_at(NOW + 7, now=NOW, gap=0) == NOW
