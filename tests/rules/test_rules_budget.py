"""How many deletions a platform takes, and when the next may go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardian.rules.budget import times

WINDOW = 1_800_000


def test_sixty_deletions_fit_into_two_windows_and_the_first_thirty_go_at_once() -> None:
    found = times([], now=1_000, wanted=60, count=30, window=WINDOW)
    assert found[:30] == [1_000] * 30
    assert found[30:] == [1_000 + WINDOW + 1] * 30


def test_what_went_before_is_counted_against_the_budget() -> None:
    past = [500] * 29
    found = times(past, now=1_000, wanted=2, count=30, window=WINDOW)
    assert found == [1_000, 500 + WINDOW + 1]


def test_a_clock_that_went_back_does_not_open_the_budget() -> None:
    assert times([9_000_000] * 30, now=1_000, wanted=1, count=30, window=WINDOW) == [1_000 + WINDOW + 1]


@given(
    past=st.lists(st.integers(0, 10_000), max_size=40).map(sorted),
    wanted=st.integers(0, 40),
    count=st.integers(1, 10),
    window=st.integers(1, 5_000),
)
def test_no_window_ever_holds_more_than_the_platform_takes(
    past: list[int], wanted: int, count: int, window: int
) -> None:
    now = 10_000
    found = times(past, now=now, wanted=wanted, count=count, window=window)
    assert found == sorted(found)
    went = sorted([*past, *found])
    for at in found:
        assert sum(1 for other in went if at - window < other <= at) <= max(
            count, sum(1 for p in past if at - window < p)
        )
