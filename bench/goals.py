"""What was hoped for and what came out: a ratio of two medians of one run, and how much (or little) it may be. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.timing import Taken

P99 = "p99"
PER_SECOND = " (posts/s)"


class Goal(NamedTuple):
    """A ratio of two medians in this run (`beside` empty: the figure itself, in `unit`), and its bounds.

    Where `what` ends with p99, it is the p99 of the figure that is compared.
    """

    what: str
    of: str
    beside: str = ""
    most: float | None = None
    least: float | None = None
    unit: str = "ms"


class Line(NamedTuple):
    """A ratio and what became of its goal."""

    what: str
    ratio: str
    beside: str
    goal: str
    verdict: str


def line(goal: Goal, taken: Taken, beside: Callable[[Goal, Taken], float | None] | None = None) -> Line:
    """One goal as it came out; `beside` looks up what it is compared with, where that is not a figure's name."""
    mine = taken.p99(goal.of) if goal.what.endswith(P99) else taken.p50(goal.of)
    theirs = (beside or median)(goal, taken)
    if mine is None or theirs is None:
        return Line(goal.what, "-", goal.beside or goal.unit, _bound(goal), "not measured")
    ratio = mine / theirs
    return Line(goal.what, f"{ratio:.2f}", goal.beside or goal.unit, _bound(goal), _verdict(goal, ratio))


def lines(wanted: Sequence[Goal], taken: Taken) -> list[Line]:
    """All of them."""
    return [line(goal, taken) for goal in wanted]


def median(goal: Goal, taken: Taken) -> float | None:
    """What a goal is compared with: another figure's median, or one of its unit."""
    return taken.p50(goal.beside) if goal.beside else 1.0


def _bound(goal: Goal) -> str:
    unit = "" if goal.beside else f" {goal.unit}"
    if goal.most is not None:
        return f"<= {goal.most:g}{unit}"
    return f">= {goal.least:g}{unit}" if goal.least is not None else ""


def _verdict(goal: Goal, ratio: float) -> str:
    if goal.most is None and goal.least is None:
        return ""
    kept = (goal.most is None or ratio <= goal.most) and (goal.least is None or ratio >= goal.least)
    return "reached" if kept else "MISSED"
