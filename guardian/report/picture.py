"""The incident as a picture: bars for what was frozen or visible, marks for what was said. SVG, no script. Pure.

The scale of time is logarithmic and begins at the first order: the first minute is what a reader wants to see, and the
last look comes a week later.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from guardian.report.harmless import in_html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.report.lines import Document
    from guardian.report.words import Words

WIDE, LABELS, ROW, TOP = 960, 250, 24, 34
MOST_BARS = 20
LONGEST_LABEL = 34
TICKS = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (86_400, "1 d"),
    (604_800, "7 d"),
    (2_592_000, "30 d"),
)


class Bar(NamedTuple):
    """One row, in seconds after the order. `end` None goes on to the edge; a point has both alike."""

    label: str
    begin: float
    end: float | None
    colour: str


def drawn(record: Document, words: Words) -> Iterator[str]:
    """The picture, or nothing where nobody gave an order."""
    ordered = record["ordered_at"]
    zero = _seconds(ordered["at"]) if ordered is not None else None
    if zero is None:
        return
    bars = list(_bars(record, words, zero))
    last = max([1.0, *(bar.end if bar.end is not None else bar.begin for bar in bars)])
    scale = math.log1p(last * 1.25)
    high = TOP + ROW * len(bars) + 8
    yield f'<svg viewBox="0 0 {WIDE} {high}" role="img" xmlns="http://www.w3.org/2000/svg">'
    yield f"<title>{in_html(words('picture'))}</title>"
    yield from _axis(last, scale, high, words)
    for place, bar in enumerate(bars):
        yield from _row(bar, TOP + ROW * place, scale)
    yield "</svg>"


def _bars(record: Document, words: Words, zero: float) -> Iterator[Bar]:
    for one in record["freezes"][:MOST_BARS]:
        begin, end = _after(one["at"], zero), _after(one["lifted_at"], zero)
        if begin is not None:
            yield Bar(words("picture_frozen", scope=one["scope"]), begin, end, "#2b6cb0")
    for one in record["takedowns"][:MOST_BARS]:
        begin, end = _after(one["published_at"], zero), _after(one["ended_at"], zero)
        name = one["url"] or one["platform_id"] or one["target"]
        yield Bar(words("picture_visible", target=name), begin or 0.0, end, "#c05621")
    said = _after((record["statement"] or {}).get("at"), zero)
    if said is not None:
        yield Bar(words("picture_statement"), said, said, "#2f855a")
    closed = _after((record["closed"] or {}).get("at"), zero)
    if closed is not None:
        yield Bar(words("picture_closed"), closed, closed, "#4a5568")


def _axis(last: float, scale: float, high: int, words: Words) -> Iterator[str]:
    yield _text(LABELS, 14, words("picture_order"), anchor="middle")
    yield _line(LABELS, high)
    for seconds, label in TICKS:
        if seconds <= last * 1.25:
            x = _x(seconds, scale)
            yield _text(x, 14, label, anchor="middle")
            yield _line(x, high)


def _row(bar: Bar, y: int, scale: float) -> Iterator[str]:
    label = bar.label if len(bar.label) <= LONGEST_LABEL else f"{bar.label[: LONGEST_LABEL - 1]}\u2026"
    yield _text(LABELS - 8, y + 14, label, anchor="end")
    begin = _x(bar.begin, scale)
    if bar.end == bar.begin:
        yield f'<circle cx="{begin:.1f}" cy="{y + 10}" r="6" fill="{bar.colour}"/>'
        return
    end = WIDE - 6 if bar.end is None else _x(bar.end, scale)
    wide = max(end - begin, 2)
    yield f'<rect x="{begin:.1f}" y="{y + 3}" width="{wide:.1f}" height="14" fill="{bar.colour}"/>'


def _x(seconds: float, scale: float) -> float:
    """Where a moment lies; what was before the order lies at its line."""
    return LABELS + (WIDE - LABELS - 6) * math.log1p(max(seconds, 0.0)) / scale


def _text(x: float, y: int, words: str, *, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="11" font-family="sans-serif" text-anchor="{anchor}" '
        f'direction="ltr" unicode-bidi="isolate">{in_html(words)}</text>'
    )


def _line(x: float, high: int) -> str:
    return f'<line x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{high}" stroke="#ddd"/>'


def _after(at: str | None, zero: float) -> float | None:
    seconds = _seconds(at)
    return None if seconds is None else seconds - zero


def _seconds(at: str | None) -> float | None:
    """A time of the record in seconds; None for one that no calendar has."""
    try:
        return None if at is None else datetime.fromisoformat(at).timestamp()
    except ValueError:
        return None
