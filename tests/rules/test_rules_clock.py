"""When the wall clock is doubted, and when it is believed again: every boundary of the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.rules import clock
from guardian.rules.clock import Anchor, Jumped, Sight, Steady

HOUR, DAY, YEAR = 3_600_000, 86_400_000, 365 * 86_400_000
NOW = clock.FIRST_SENSIBLE + YEAR
UP = 5 * HOUR
ANCHOR = Anchor(boot="b1", offset=NOW - UP)


def sight(*, off: int = 0, later: int = 0, boot: str = "b1", synchronised: bool = False) -> Sight:
    """The clocks `later` ms on, with the wall `off` ms away from where it should be."""
    return Sight(wall=NOW + later + off, elapsed=UP + later, boot=boot, synchronised=synchronised)


def judged(now: Sight, *, anchor: Anchor | None = ANCHOR, seen: int = NOW - HOUR) -> Jumped | None:
    found = clock.judge(now, anchor, seen)
    return None if isinstance(found, Steady) else found


@pytest.mark.parametrize("later", [0, 1, DAY, 5 * YEAR])
def test_time_that_passes_and_a_machine_that_was_suspended_hold_nothing(later: int) -> None:
    assert judged(sight(later=later)) is None


@pytest.mark.parametrize("off", [1, -1, clock.TOLERANCE, -clock.TOLERANCE])
def test_a_small_correction_holds_nothing(off: int) -> None:
    assert judged(sight(off=off, later=DAY), seen=NOW) is None


@pytest.mark.parametrize("off", [clock.TOLERANCE + 1, -clock.TOLERANCE - 1, HOUR, -HOUR, 5 * YEAR])
def test_a_jump_while_it_runs_is_doubted_and_its_size_is_told(off: int) -> None:
    found = judged(sight(off=off, later=DAY))
    assert found is not None
    assert found.by == off


def test_the_reason_says_in_words_how_far_it_jumped() -> None:
    forward, back = judged(sight(off=5 * YEAR)), judged(sight(off=-HOUR), seen=0)
    assert forward is not None
    assert back is not None
    assert (forward.why, back.why) == ("it jumped by +1825 days", "it jumped by -60 minutes")


def test_a_synchronised_kernel_ends_the_doubt_but_not_before_what_was_written_last() -> None:
    assert judged(sight(off=HOUR, synchronised=True)) is None
    assert judged(sight(off=-HOUR, synchronised=True), seen=NOW - 2 * HOUR) is None
    found = judged(sight(off=-HOUR, synchronised=True), seen=NOW)
    assert found is not None
    assert found.why == "it is 60 minutes before what was written down last"


@pytest.mark.parametrize("synchronised", [True, False])
@pytest.mark.parametrize("anchor", [ANCHOR, None])
def test_a_clock_of_1970_is_doubted_even_in_a_new_house_and_whatever_the_kernel_says(
    synchronised: bool, anchor: Anchor | None
) -> None:
    dawn = Sight(wall=12_000, elapsed=12_000, boot="b2", synchronised=synchronised)
    found = judged(dawn, anchor=anchor, seen=0)
    assert found is not None
    assert found.why == "it shows 1970-01-01"


def test_a_new_house_believes_any_sensible_clock() -> None:
    assert judged(sight(off=-clock.TOLERANCE * 60), anchor=None, seen=0) is None


@pytest.mark.parametrize("later", [clock.TOLERANCE, DAY, clock.LONGEST_AWAY - HOUR])
def test_after_a_reboot_a_while_without_power_is_believed(later: int) -> None:
    assert judged(sight(later=later, boot="b2")) is None


def test_after_a_reboot_a_time_before_the_journals_end_is_doubted() -> None:
    assert judged(sight(off=-HOUR - clock.TOLERANCE, boot="b2")) is None
    assert judged(sight(off=-HOUR - clock.TOLERANCE - 1, boot="b2")) is not None


def test_after_a_reboot_years_are_doubted_unless_the_clock_is_kept_right() -> None:
    assert judged(sight(off=5 * YEAR, boot="b2")) is not None
    assert judged(sight(off=5 * YEAR, boot="b2", synchronised=True)) is None


@given(st.lists(st.integers(-clock.TOLERANCE, clock.TOLERANCE), max_size=50))
def test_many_small_steps_add_up_and_are_found(steps: list[int]) -> None:
    off = sum(steps)
    assert (judged(sight(off=off), seen=0) is None) == (abs(off) <= clock.TOLERANCE)


@pytest.mark.parametrize("age", [-clock.TOLERANCE, 0, HOUR, YEAR])
def test_a_lost_post_is_looked_for_from_when_it_left(age: int) -> None:
    assert clock.look_from(NOW - age, NOW) == NOW - age


def test_what_is_dated_in_the_future_is_looked_for_a_whole_day_back() -> None:
    assert clock.look_from(NOW + clock.TOLERANCE + 1, NOW) == NOW - DAY
