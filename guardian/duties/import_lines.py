"""A whole import, read record by record from an open file: what is right, and everything that is wrong with its place.

JSON Lines, a table of our own (CSV), or the table of another tool (`foreign.py`). Nothing of it is kept in memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from guardian.duties.foreign import TOOLS, Foreign
from guardian.duties.record_words import Unwelcome
from guardian.duties.records import MOST_WRONG_OF_ONE, Read, read_object
from guardian.rules import columns, lines, places
from guardian.rules.table import SEPARATORS, Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.duties.foreign import Choices
    from guardian.duties.record_words import Fault
    from guardian.duties.records import Rules
    from guardian.rules.columns import Path
    from guardian.rules.lines import Flaw, Readable

MAX_RECORDS = 100_000  # of one import
MOST_WRONG = 10_000  # then nobody reads on, and neither do we
JSONL, CSV = "jsonl", "csv"
FORMATS = (JSONL, CSV, *TOOLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong, and where: the column is a sign's in JSON Lines, a field's in a table."""

    line: int
    column: int
    message: str
    unwelcome: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know of a line that is not wrong."""

    line: int
    note: str


@dataclass(frozen=True, slots=True)
class Right:
    """A record that is right; `place` finds line and column of one of its keys, should it be wrong after all."""

    line: int
    read: Read
    place: Callable[[Path], tuple[int, int]]


Found = Right | Wrong | Remark


def read(stream: Readable, form: str, rules: Rules, choices: Choices | None = None) -> Iterator[Found]:
    """Every record with its line, everything that is wrong, and what there is to say of the file itself.

    That is everything, unless there is so much of it that the list itself would be the trouble: of one record the first
    20 things, and nothing after 10,000 in all or after 100,000 records.
    """
    source = _json_lines(stream, rules) if form == JSONL else _rows(stream, form, rules, choices)
    good = wrong = 0
    for found in source:
        if not isinstance(found, Remark) and (good == MAX_RECORDS or wrong >= MOST_WRONG):
            yield _enough(found.line, wrong)
            return
        good += isinstance(found, Right)
        wrong += isinstance(found, Wrong)
        yield found


def _json_lines(stream: Readable, rules: Rules) -> Iterator[Found]:
    for line in lines.numbered(stream):
        if line.flaw is not None:
            yield _flawed(line.flaw)
        elif line.text.strip():
            yield from _of_line(line.text, line.number, rules)


def _of_line(text: str, number: int, rules: Rules) -> Iterator[Found]:
    try:
        raw = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        column, because = _unread(text, error)
        yield Wrong(line=number, column=column, message=f"cannot read the record, because {because}")
        return
    found = read_object(raw, rules)
    if isinstance(found, Read):
        yield Right(number, found, lambda path: (number, places.column(text, path)))
        return
    named = [
        _wrong(number, places.column(text, fault.path), fault.message, fault) for fault in found[:MOST_WRONG_OF_ONE]
    ]
    yield from sorted(named, key=lambda one: one.column)


def _rows(stream: Readable, form: str, rules: Rules, choices: Choices | None) -> Iterator[Found]:
    table = Table(stream)
    meaning: _Own | Foreign | None = None
    for row in table.rows():
        if not isinstance(row, Row):
            yield _flawed(row)
        elif meaning is None:
            meaning = _Own(row.fields) if form == CSV else Foreign(form, row.fields, choices)
            if table.separator != ",":
                yield Remark(row.line, f"the fields are separated by {SEPARATORS[table.separator]}")
            for place, message in sorted(meaning.wrong):
                yield _wrong(row.line_of(place), place + 1, message)
            if not meaning.has_header:
                yield from _of_row(row, meaning, rules)
        else:
            yield from _of_row(row, meaning, rules)


def _of_row(row: Row, meaning: _Own | Foreign, rules: Rules) -> Iterator[Found]:
    names = meaning.names
    if len(row.fields) != len(names) and meaning.has_header:
        place = min(len(row.fields), len(names))
        because = f"it has {len(row.fields)} fields, and the first row has {len(names)}"
        yield _wrong(row.line_of(place), place + 1, f"cannot read the record, because {because}")
        return
    raw, where, wrong = meaning.record(row.fields)
    for place, message in wrong:
        yield _at_field(row, place, names, message)
    found = read_object(raw, rules)
    if isinstance(found, Read):
        if not wrong:
            yield Right(row.line, found, partial(_place, row, where))
        return
    told = {place for place, _ in wrong}
    named = [(columns.place_of(where, fault.path), fault) for fault in found[:MOST_WRONG_OF_ONE]]
    for place, fault in sorted(named, key=lambda one: one[0]):
        if place not in told:
            yield _at_field(row, place, names, fault.message, fault)


class _Own:
    """A table with our columns."""

    has_header = True

    def __init__(self, header: list[str]) -> None:
        self.columns = columns.read_header(header)
        self.names, self.wrong = self.columns.names, self.columns.wrong

    def record(self, fields: list[str]) -> tuple[dict[str, object], dict[Path, int], list[tuple[int, str]]]:
        """A row as the record that it means."""
        raw, where = columns.as_record(self.columns, fields)
        for name in ("account", "at"):
            if name not in self.names:
                raw.setdefault(name, "now" if name == "at" else "")
        return raw, where, []


def _place(row: Row, where: dict[Path, int], path: Path) -> tuple[int, int]:
    place = columns.place_of(where, path)
    return row.line_of(place), place + 1


def _at_field(row: Row, place: int, names: tuple[str, ...], message: str, fault: Fault | None = None) -> Wrong:
    name = names[place] if place < len(names) else ""
    return _wrong(row.line_of(place), place + 1, f"{message} (column {name!r})" if name else message, fault)


def _wrong(line: int, column: int, message: str, fault: Fault | None = None) -> Wrong:
    return Wrong(line=line, column=column, message=message, unwelcome=isinstance(fault, Unwelcome))


def _flawed(flaw: Flaw) -> Wrong:
    return Wrong(line=flaw.line, column=flaw.column, message=flaw.message)


def _enough(number: int, wrong: int) -> Wrong:
    because = (
        f"{wrong} things are wrong by now" if wrong >= MOST_WRONG else f"an import has at most {MAX_RECORDS} records"
    )
    fix = "correct those first" if wrong >= MOST_WRONG else "split it"
    return Wrong(line=number, column=1, message=f"cannot read on, because {because}, do {fix}")


class _Twice(ValueError):
    """A key that an object has twice: whichever was meant, the other would be dropped in silence."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return found


def _unread(line: str, error: ValueError | RecursionError) -> tuple[int, str]:
    """Where and why a line is no JSON that can be used."""
    if isinstance(error, json.JSONDecodeError):
        return error.colno, f"of {error.msg}"
    if isinstance(error, _Twice):
        return places.column_of_key(line, error.key), f"{error.key!r} is in it twice, do write it once"
    if isinstance(error, RecursionError):
        return 1, "it is nested too deeply"
    return 1, "a number in it is beyond measure"
