"""The benchmark's arithmetic: what is printed as reached was measured, and what could not be measured is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import page
from bench.carriers import rate
from bench.goals import PER_SECOND, Goal, Line, line, lines
from bench.lateness import late
from bench.peers import BULLMQ, RQ
from bench.stop import FASTEST, _beside
from bench.timing import Measured, Missing, Taken, in_turn, missing, whole

if TYPE_CHECKING:
    from pathlib import Path

QUIET = (0.0, 0.0, 0.0)


def taken(**figures: list[float]) -> Taken:
    found = Taken()
    found.figures = {name: list(values) for name, values in figures.items()}
    return found


def test_a_goal_that_is_missed_is_not_said_to_be_reached() -> None:
    found = taken(ours=[30.0, 20.0, 40.0], theirs=[10.0, 10.0, 90.0])
    assert line(Goal("x", "ours", "theirs", 3.0), found) == Line("x", "3.00", "theirs", "<= 3", "reached")
    assert line(Goal("x", "ours", "theirs", 2.9), found).verdict == "MISSED"
    assert line(Goal("x p99", "ours", "", 50.0), found) == Line("x p99", "40.00", "ms", "<= 50 ms", "reached")
    assert line(Goal("x", "ours", most=29.0, unit="MB"), found) == Line("x", "30.00", "MB", "<= 29 MB", "MISSED")


def test_a_rate_that_is_too_low_is_missed_and_one_that_is_high_enough_is_not() -> None:
    found = taken(ours=[30.0], theirs=[40.0])
    assert line(Goal("x", "ours", "theirs", least=0.75), found) == Line("x", "0.75", "theirs", ">= 0.75", "reached")
    assert line(Goal("x", "ours", "theirs", least=0.76), found).verdict == "MISSED"


def test_what_was_not_measured_reaches_nothing() -> None:
    assert line(Goal("x", "ours", "theirs", 3.0), taken(theirs=[1.0])).verdict == "not measured"
    assert line(Goal("x", "ours", "theirs", least=0.0), taken(ours=[1.0])).verdict == "not measured"
    assert line(Goal("x", "ours", FASTEST, 3.0), taken(ours=[1.0]), _beside).verdict == "not measured"


def test_the_fastest_peer_is_the_one_that_counts() -> None:
    found = taken(ours=[50.0], **{RQ: [400.0], BULLMQ: [200.0]})
    assert line(Goal("x", "ours", FASTEST, 0.25), found, _beside).ratio == "0.25"


def test_a_peer_that_is_missing_stops_nothing_and_is_named_with_its_reason(tmp_path: Path) -> None:
    things = [missing("away", "it is not installed"), Measured("here", lambda: {"here": 2.0}, 3)]
    found, absent = in_turn(things, rounds=2, budget=10)
    assert absent == ["away: it is not installed"]
    assert found.figures == {"here": [2.0] * 6}  # the first round warms up
    path = tmp_path / "performance.md"
    section = page.Section("one", "One", "* how\n")
    page.publish(section, lines([Goal("x", "here", "", 3.0)], found), found, absent, QUIET, path=path)
    text = path.read_text("utf-8")
    assert "| x | 2.00 | ms | <= 3 ms | reached |" in text
    assert "Not measured: away: it is not installed" in text


def test_without_a_round_to_warm_up_every_round_counts() -> None:
    found, _ = in_turn([Measured("here", lambda: {"here": 2.0})], rounds=2, budget=10, warm=False)
    assert found.figures == {"here": [2.0, 2.0]}


def test_one_benchmark_again_replaces_its_own_section_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    for name, figure in (("starting", 1.0), ("dispatch", 9.0), ("starting", 2.0)):
        found = taken(x=[figure])
        section = page.Section(name, f"About {name}", "* how\n")
        page.publish(section, lines([Goal(f"{name} in all", "x", most=5.0)], found), found, [], QUIET, path=path)
    text = path.read_text("utf-8")
    assert text.count("## About starting") == 1
    assert "| starting in all | 2.00 |" in text
    assert "| starting in all | 1.00 |" not in text
    assert text.index("## About dispatch") < text.index("## About starting")  # always in the same order
    assert "**2 goals: 1 reached, 1 MISSED, 0 not measured.**" in text
    assert "* MISSED: dispatch in all (9.00 ms, goal <= 5 ms)" in text


def test_the_worst_of_rates_is_the_lowest(tmp_path: Path) -> None:
    path, name = tmp_path / "performance.md", f"ours{PER_SECOND}"
    page.publish(page.Section("one", "One", ""), [], taken(**{name: [10.0, 50.0]}), [], QUIET, path=path)
    assert f"| {name} | 30.0 | 10.0 | 2 |" in path.read_text("utf-8")


def test_a_rate_is_that_of_the_middle_whatever_the_beginning_and_the_end_took() -> None:
    middle = [(5_000 + place * 10, 0.0, place) for place in range(101)]  # 10 ms apart, after a slow start
    arrivals = [(0, 0.0, 0), *middle, (900_000, 0.0, 0)]
    assert rate([(ms * 1_000_000, wall, place) for ms, wall, place in arrivals]) == pytest.approx(100.0)


def test_lateness_is_counted_from_when_each_post_was_due() -> None:
    assert late([(0, 1_007.0, 0), (0, 1_031.0, 2), (0, 1_011.0, 1)], first=1_000.0, step=10.0) == [7.0, 11.0, 1.0]


def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(Missing, match="ended with 1"):
        whole("false", ["false"])
