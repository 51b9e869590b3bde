"""The files that an import shows: found in it, handed over as whoever calls, each once.

A file that cannot be used is no reason to stop: its error goes to the daemon as the words for its place, so that one
list has everything that is wrong. What is wrong with the import itself is not looked at here; the daemon says it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from guardian.client import Client
from guardian.errors import Mistake
from guardian.rules import columns, lines
from guardian.rules.table import Row, Table

MOST_FILES = 10_000
JSONL, CSV = "jsonl", "csv"
LONGEST_PATH = 4096
LONGEST_WORDS = 900


def hand_over(client: Client, paths: list[str], beside: Path) -> dict[str, str]:
    """What became of each path: the SHA-256, or why there is none. Paths are relative to `beside`."""
    return {path: _handed(client, path, beside) for path in paths}


def named_in(file: BinaryIO, form: str) -> list[str]:
    """Every path that the import names, each once, in order. Raises Mistake when there are too many."""
    found: dict[str, None] = {}
    for path in _named(file, form):
        if isinstance(path, str) and len(path) <= LONGEST_PATH and path.strip():
            found.setdefault(path)
        if len(found) > MOST_FILES:
            raise Mistake(f"cannot import it, because it shows more than {MOST_FILES} files", fix="split it")
    return list(found)


def _handed(client: Client, path: str, beside: Path) -> str:
    try:
        return str(client.upload(beside / path)["sha256"])
    except Mistake as error:
        return str(error)[:LONGEST_WORDS]
    except ValueError:
        return f"cannot hand over {path!r}, because that is no path, do name a file"


def _named(file: BinaryIO, form: str) -> Iterator[Any]:
    if form == JSONL:
        for line in lines.numbered(file):
            if '"path"' in line.text:
                yield from _of_record(_read(line.text))
    elif form == CSV:
        yield from _of_table(file)


def _of_table(file: BinaryIO) -> Iterator[Any]:
    header = None
    for row in Table(file).rows():
        if not isinstance(row, Row):
            continue
        if header is None:
            header = columns.read_header(row.fields)
            if not any(cell and cell.key == "path" for cell in header.cells):
                return
        else:
            yield from _of_record(columns.as_record(header, row.fields)[0])


def _of_record(raw: Any) -> Iterator[Any]:  # noqa: ANN401 (whatever the JSON says)
    if not isinstance(raw, dict):
        return
    parts = raw.get("parts")
    for part in (raw, *(parts if isinstance(parts, list) else ())):
        media = part.get("media") if isinstance(part, dict) else None
        for one in media if isinstance(media, list) else ():
            if isinstance(one, dict):
                yield one.get("path")


def _read(text: str) -> Any:  # noqa: ANN401 (whatever the JSON says)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # the daemon says where and why
