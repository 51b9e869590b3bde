"""How things look: lines, tables, times, and text that cannot steer the terminal. Pure, but for what prints."""

import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from guardian.fence.report import printable

WIDEST = 100
LABEL = 11
CUT = "…"


def say(line: str = "") -> None:
    """A line on stdout."""
    print(line)


def tell(text: str) -> None:
    """A message on stderr, made harmless line by line."""
    for line in text.removesuffix("\n").split("\n"):  # no other sign ends one
        print(printable(line), file=sys.stderr)


def document(found: object) -> None:
    """The one JSON document; what could steer a terminal is written as an escape, which JSON reads as the same."""
    print(_harmless(found, indent=2))


def record(found: object) -> None:
    """One JSON document on one line, for a program that reads line by line."""
    print(_harmless(found, indent=None))


def _harmless(found: object, *, indent: int | None) -> str:
    narrow = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"  # some letters can only stand as escapes
    text = json.dumps(found, indent=indent, ensure_ascii=narrow)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def width() -> int:
    """How wide a line may be: as the terminal, and never wider than a page."""
    return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)


def local(at: str | int | None) -> str:
    """A time of a document, in UTC or in milliseconds, as the wall clock here shows it, with its offset."""
    if at is None:
        return "-"
    when = datetime.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at / 1000).astimezone()
    return when.astimezone().isoformat(sep=" ", timespec="seconds")


def one_line(text: object) -> str:
    """A text on one line, its line ends shown as a sign, everything else that steers made visible."""
    return printable(str(text).replace("\r\n", "\n").replace("\n", " ⏎ "))


def cut(text: str, columns: int) -> str:
    """As much of a text as fits into so many columns of a terminal."""
    if _columns(text) <= columns:
        return text
    kept, used = "", 1
    for letter in text:
        used += _columns(letter)
        if used > columns:
            break
        kept += letter
    return kept + CUT


def field(label: str, text: object) -> str:
    """A label and what it says; what is longer than a line goes on below itself."""
    start = f"  {label:<{LABEL}} "
    return (
        textwrap.fill(
            one_line(text),
            width(),
            initial_indent=start,
            subsequent_indent=" " * len(start),
            replace_whitespace=False,
            break_long_words=False,  # a path or an address is copied whole
            break_on_hyphens=False,
        )
        or start.rstrip()
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Rows under their heads; the last column takes what room is left, and is cut there."""
    lines = [[one_line(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(_columns(line[place]) for line in lines) for place in range(len(heads) - 1)]
    room = max(width() - sum(widths) - 2 * len(widths), 20)
    for line in lines:
        cells = [cell + " " * (columns - _columns(cell)) for cell, columns in zip(line, widths, strict=False)]
        yield "  ".join([*cells, cut(line[-1], room)]).rstrip()


def state(post: dict[str, Any]) -> str:
    """Where a post is, in one word; which freeze holds it is said beside or below."""
    return "held" if post.get("held_by") else str(post["state"])


def count(number: int, noun: str) -> str:
    """`1 post`, `2 posts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counts(found: dict[str, int]) -> str:
    """How many posts are in which state."""
    return ", ".join(f"{number} {name}" for name, number in sorted(found.items())) or "none"


def indented(lines: Iterable[str], by: str = "    ") -> Iterator[str]:
    """The same lines, further in."""
    return (by + line for line in lines)


def _columns(text: str) -> int:
    """How many columns a terminal needs for it: East Asian letters and most pictures take two, marks none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
