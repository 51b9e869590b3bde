"""CSV as spreadsheets write it (RFC 4180): rows with the line on which each field begins. Pure, but for reading.

Quotes, line ends inside of quotes, a byte order mark; `,`, `;` or tabs between the fields, as in the first line.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.rules.lines import MAX_LINE, Flaw, Line, Readable, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MOST_FIELDS = 2000
WORDS = (
    ("expected after", 'a quoted field goes on after its closing quote, do write "" for a quote inside of one'),
    ("new-line character", "a carriage return stands outside of quotes, do save it with line ends LF or CRLF"),
    ("unexpected end", "a quote that opens in this record is never closed, do close it; nothing after it was read"),
    (
        "field limit",
        "a field of it is longer than 131072 signs, or its quote is never closed; nothing after it was read",
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its fields, and the line on which it begins."""

    line: int
    fields: list[str]

    def line_of(self, place: int) -> int:
        """The line on which a field begins; places are counted from 0."""
        return self.line + sum(one.count("\n") for one in self.fields[:place])


@dataclass(slots=True)
class Table:
    """The rows of a file, one after the other. `separator` is known once the first row is."""

    stream: Readable
    separator: str = ","
    _flaws: list[Flaw] = field(default_factory=list)

    def rows(self) -> Iterator[Row | Flaw]:
        """Every row that is not empty, and what cannot be read of the others."""
        lines = self._fed()
        first = next(lines, "")
        self.separator = separator_of(first)
        reader = csv.reader(_again(first, lines), delimiter=self.separator, strict=True)
        while True:
            begins = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                yield from self._taken()
                return
            except csv.Error as error:
                yield from self._taken()
                yield _worded(begins, str(error))
                if "unexpected end" in str(error) or "field limit" in str(error):
                    return
                continue
            if self._flaws:
                yield from self._taken()
            elif len(fields) > MOST_FIELDS:
                yield Flaw(begins, 1, f"cannot read the record, because it has more than {MOST_FIELDS} fields")
            elif any(fields):
                yield Row(begins, fields)

    def _fed(self) -> Iterator[str]:
        for line in numbered(self.stream, keep_ends=True):
            yield self._noted(line)

    def _noted(self, line: Line) -> str:
        if line.flaw is not None:
            self._flaws.append(line.flaw)
        return line.text or "\n"

    def _taken(self) -> list[Flaw]:
        found, self._flaws = self._flaws, []
        return found


def separator_of(line: str) -> str:
    """The first separator of a line outside of quotes: no name of a column and no time has one in it."""
    quoted = False
    for letter in line[:MAX_LINE]:
        quoted ^= letter == '"'
        if letter in SEPARATORS and not quoted:
            return letter
    return ","


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _worded(line: int, said: str) -> Flaw:
    because = next((words for part, words in WORDS if part in said), said)
    return Flaw(line, 1, f"cannot read the record, because {because}")
