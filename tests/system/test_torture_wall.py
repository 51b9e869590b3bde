"""The short slice of the torture's rows about the wall clock."""

from __future__ import annotations

from tests.torture.results import Options
from tests.torture.rows_wall import wall_clock


def test_a_wall_clock_that_is_set_by_an_hour_or_by_years_sends_and_misses_nothing_out_of_turn() -> None:
    result = wall_clock(Options(short=True))
    assert result.holds, result.line()
    assert result.trials >= 6
