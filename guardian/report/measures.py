"""How long it took: from the order to the confirmed freeze, to the confirmed takedown, to the first statement. Pure.

What has no line has no measure. Each one names the lines it is taken from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.report.said import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.report.lines import Document, Facts, Line


@dataclass(frozen=True, slots=True)
class Order:
    """When the first order was given, and the line that says so."""

    at: int
    line: int


def order(facts: Facts) -> Order | None:
    """The first freeze or takedown; where there was none, the incident's first line."""
    found = [
        Order(_ordered_at(line), line.seq)
        for line in facts.of("frozen", "freeze confirmed", "freeze not confirmed", "takedown ordered")
    ]
    opened = [Order(line.at, line.seq) for line in facts.of("incident opened")]
    return min(found or opened, key=lambda one: (one.at, one.line), default=None)


def measures(facts: Facts, targets: Sequence[Document]) -> list[Document]:
    """The three measures, in the order of the story."""
    began = order(facts)
    if began is None:
        return []
    return [_frozen(facts, began), _taken_down(facts, targets, began), _stated(facts, began)]


def _frozen(facts: Facts, began: Order) -> Document:
    confirmed = facts.of("freeze confirmed")
    refused = facts.of("freeze not confirmed")
    if not confirmed:
        return _measure("confirmed", began, None, [line.seq for line in refused])
    first = confirmed[0]
    earlier = [line.seq for line in refused if line.seq < first.seq]
    elapsed = first.data.get("elapsed_ms")
    known = isinstance(elapsed, int | float) and not isinstance(elapsed, bool) and not earlier
    ended = _ordered_at(first) + round(elapsed) if known and elapsed is not None else first.at
    return _measure("confirmed", began, ended, [*earlier, first.seq])


def _taken_down(facts: Facts, targets: Sequence[Document], began: Order) -> Document:
    """Until the last one was confirmed; open as long as one of them is not."""
    wanted = [one for one in targets if one["decision"] in ("delete", "hide")]
    done = [one for one in wanted if one["ended_line"] is not None]
    ended = [line for line in facts.lines if line.seq in {one["ended_line"] for one in done}]
    last = max(ended, key=lambda line: line.at, default=None)
    whole = last is not None and len(done) == len(wanted)
    found = _measure("taken_down", began, last.at if whole and last else None, [line.seq for line in ended])
    return {**found, "done": len(done), "of": len(wanted)}


def _stated(facts: Facts, began: Order) -> Document:
    said = statement(facts)
    return _measure("stated", began, None if said is None else said["at_ms"], [] if said is None else said["lines"])


def _measure(key: str, began: Order, ended: int | None, lines: list[int]) -> Document:
    return {
        "measure": key,
        "ms": None if ended is None else max(ended - began.at, 0),
        "lines": sorted({began.line, *lines}) if lines else [],
    }


def _ordered_at(line: Line) -> int:
    """When a line's order was given: a freeze knows it from its marker, which is older than the line."""
    found = line.number("ordered_at")
    return line.at if found is None or found > line.at else found
