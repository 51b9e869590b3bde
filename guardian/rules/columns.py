"""The columns of a table of posts: the names of a record's keys, flat, and a row as the record that it means. Pure.

`media1_path`, `media1_alt` (or `media1_sha256`), `media2_path` ...; a thread has its first part in `text` and
`media1_*`, the others in `part2_text`, `part2_media1_path` ...; tags are separated by spaces.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from guardian.rules import cells

Path = tuple[str | int, ...]

PLAIN = ("account", "at", "zone", "text", "warning", "language", "visibility", "tags", "campaign", "ref")
MEDIA = ("path", "sha256", "alt")
TRIMMED = frozenset(
    {"account", "at", "zone", "language", "visibility", "campaign"}
)  # a blank in a spreadsheet's cell is no part of it
PARTED = re.compile(r"(?:part([1-9]\d?|100)_)?(?:media([1-9]\d?)_(path|sha256|alt)|(text))")
EXAMPLES = (*PLAIN, "media1_path", "media1_alt", "media1_sha256", "part2_text", "part2_media1_path", "part2_media1_alt")
SPACES = re.compile(r"[ \t\r\n]+")  # and no others: a tag may have any other sign in it


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column holds: a plain key, or (with `part` from 1) a part's text or something of one of its files."""

    key: str
    part: int = 1
    file: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """What the first row says. `wrong` are pairs of place (from 0) and message."""

    names: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    wrong: tuple[tuple[int, str], ...]


def read_header(names: list[str]) -> Columns:
    """The columns of a table, with everything that is wrong with their names."""
    found: list[Cell | None] = []
    wrong = []
    seen: dict[str, int] = {}
    clean = tuple(name.strip() for name in names)
    for place, name in enumerate(clean):
        cell = _cell(name)
        if name in seen and name:
            wrong.append((place, f"cannot read the column {name!r}, because field {seen[name] + 1} has that name, too"))
            cell = None
        elif cell is None and name:
            near = difflib.get_close_matches(name.lower(), EXAMPLES, n=1)
            fix = f", do write {near[0]}" if near else ""
            wrong.append((place, f"cannot read the column {name!r}, because there is no such column{fix}"))
        elif cell is None:
            wrong.append((place, "cannot read the column, because it has no name, do name it or remove it"))
        seen.setdefault(name, place)
        found.append(cell)
    missing = [name for name in ("account", "at") if name not in seen]
    wrong += [(0, f"cannot read the table, because the column {name!r} is missing, do add it") for name in missing]
    return Columns(names=clean, cells=tuple(found), wrong=tuple(wrong))


def as_record(columns: Columns, fields: list[str]) -> tuple[dict[str, Any], dict[Path, int]]:
    """A row as the record that it means, and where in the row each key's value stands."""
    raw: dict[str, Any] = {}
    parts: dict[int, _Part] = {1: _Part()}
    for place, (cell, value) in enumerate(zip(columns.cells, map(cells.read, fields), strict=False)):
        if cell is None:
            continue
        if cell.key in PLAIN and cell.key != "text":
            raw |= _plain(cell.key, value)
        else:
            parts.setdefault(cell.part, _Part()).take(cell, place, value)
    places: dict[Path, int] = {
        (cell.key,): place for place, cell in enumerate(columns.cells) if cell and cell.key in PLAIN and cell.part == 1
    }
    last = max(number for number, part in parts.items() if number == 1 or part.says())
    if last == 1:
        parts[1].put(raw, places, ())
        return raw, places
    raw["parts"] = []
    for number in range(1, last + 1):
        raw["parts"].append({})
        parts.get(number, _Part()).put(raw["parts"][-1], places, ("parts", number - 1))
    return raw, places


def place_of(places: dict[Path, int], path: Path) -> int:
    """The field that a key stands in, or the nearest that says something of it."""
    while path:
        if path in places:
            return places[path]
        path = path[:-1]
    return 0


class _Part:
    """What a row says of one part."""

    def __init__(self) -> None:
        self.text = ""
        self.at: int | None = None
        self.files: dict[int, dict[str, tuple[int, str]]] = {}

    def take(self, cell: Cell, place: int, value: str) -> None:
        if cell.key == "text":
            self.text, self.at = value, place
        elif value:
            self.files.setdefault(cell.file, {})[cell.key] = (place, value)

    def says(self) -> bool:
        return bool(self.text or self.files)

    def put(self, into: dict[str, Any], places: dict[Path, int], at: Path) -> None:
        into["text"] = self.text
        if self.at is not None:
            places.setdefault((*at, "text"), self.at)
            places.setdefault(at, self.at)
        for number, file in enumerate(file for _, file in sorted(self.files.items())):
            into.setdefault("media", []).append({key: value for key, (_, value) in file.items()})
            for key, (place, _) in file.items():
                for path in ((*at, "media", number, key), (*at, "media", number), (*at, "media"), at):
                    places.setdefault(path, place)


def _plain(key: str, value: str) -> dict[str, Any]:
    if key == "tags":
        found = [tag for tag in SPACES.split(value) if tag]
        return {key: found} if found else {}
    value = value.strip() if key in TRIMMED else value
    return {key: value} if value else {}


def _cell(name: str) -> Cell | None:
    if name in PLAIN:
        return Cell(name)
    found = PARTED.fullmatch(name)
    if found is None:
        return None
    part, file, key, _ = found.groups()
    if part == "1":
        return None
    return Cell(key or "text", int(part or 1), int(file or 0))
