"""Where in a line of JSON a key stands, so that an error names its column. Pure; looks only when something is wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.rules.columns import Path

SPACE = re.compile(r"[ \t\n\r]*")
_whole = json.JSONDecoder()


def column(line: str, path: Path) -> int:
    """The column, from 1, of what a path leads to; of the nearest thing above it that is there; else the first."""
    try:
        return _found(line, path) + 1
    except (ValueError, IndexError, RecursionError):
        return 1


def column_of_key(line: str, key: str) -> int:
    """The first column, from 1, at which a key of that name stands, on whatever level."""
    found = re.search(rf'"{re.escape(key)}"\s*:', line)
    return 1 if found is None else found.start() + 1


def _found(line: str, path: Path) -> int:
    at = _after(line, 0)
    best = at if path and isinstance(path[0], int) else 0
    for step in path:
        seen = _item(line, at, step) if isinstance(step, int) else _key(line, at, step)
        if seen is None:
            return best
        best, at = seen
    return best


def _key(line: str, at: int, wanted: str) -> tuple[int, int] | None:
    """Where a key of the object that begins here stands, and where its value begins."""
    if line[at] != "{":
        return None
    at = _after(line, at + 1)
    while line[at] == '"':
        name, after = _whole.raw_decode(line, at)
        value = _after(line, _after(line, after) + 1)
        if name == wanted:
            return at, value
        _, end = _whole.raw_decode(line, value)
        at = _after(line, end)
        if line[at] != ",":
            return None
        at = _after(line, at + 1)
    return None


def _item(line: str, at: int, wanted: int) -> tuple[int, int] | None:
    """Where an item of the list that begins here begins."""
    if line[at] != "[":
        return None
    at = _after(line, at + 1)
    for _ in range(wanted):
        _, end = _whole.raw_decode(line, at)
        at = _after(line, end)
        if line[at] != ",":
            return None
        at = _after(line, at + 1)
    return at, at


def _after(line: str, at: int) -> int:
    found = SPACE.match(line, at)
    return at if found is None else found.end()
