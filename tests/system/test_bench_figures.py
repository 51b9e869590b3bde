"""The benchmark's arithmetic: what is printed as reached was measured, and what could not be measured is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import page
from bench.peers import BULLMQ, RQ
from bench.stop import FASTEST, Goal, line
from bench.timing import Measured, Missing, Taken, in_turn, missing, whole

if TYPE_CHECKING:
    from pathlib import Path


def taken(**figures: list[float]) -> Taken:
    found = Taken()
    found.figures = {name: list(values) for name, values in figures.items()}
    return found


def test_a_goal_that_is_missed_is_not_said_to_be_reached() -> None:
    found = taken(ours=[30.0, 20.0, 40.0], theirs=[10.0, 10.0, 90.0])
    assert line(Goal("x", "ours", "theirs", 3.0), found) == page.Line("x", "3.00", "theirs", "<= 3", "reached")
    assert line(Goal("x", "ours", "theirs", 2.9), found).verdict == "MISSED"
    assert line(Goal("x p99", "ours", "", 50.0), found) == page.Line("x p99", "40.00", "ms", "<= 50 ms", "reached")


def test_what_was_not_measured_reaches_nothing() -> None:
    assert line(Goal("x", "ours", "theirs", 3.0), taken(theirs=[1.0])).verdict == "not measured"
    assert line(Goal("x", "ours", FASTEST, 3.0), taken(ours=[1.0])).verdict == "not measured"


def test_the_fastest_peer_is_the_one_that_counts() -> None:
    found = taken(ours=[50.0], **{RQ: [400.0], BULLMQ: [200.0]})
    assert line(Goal("x", "ours", FASTEST, 0.25), found).ratio == "0.25"


def test_a_peer_that_is_missing_stops_nothing_and_is_named_with_its_reason(tmp_path: Path) -> None:
    things = [missing("away", "it is not installed"), Measured("here", lambda: {"here": 2.0}, 3)]
    found, absent = in_turn(things, rounds=2, budget=10)
    assert absent == ["away: it is not installed"]
    assert found.figures == {"here": [2.0] * 6}  # the first round warms up
    path = tmp_path / "performance.md"
    page.write(path, [line(Goal("x", "here", "", 3.0), found)], found, absent, (0.0, 0.0, 0.0))
    text = path.read_text("utf-8")
    assert "| x | 2.00 | ms | <= 3 ms | reached |" in text
    assert "Not measured: away: it is not installed" in text


def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(Missing, match="ended with 1"):
        whole("false", ["false"])
