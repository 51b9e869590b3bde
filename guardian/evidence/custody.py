"""The chain of custody in a bundle: the lines of the journal about it, checkable without the store.

`custody-N.jsonl` holds one journal line per line, and after each extract a line that says how many they were, and the
hash of the first and of the last: a tail that is cut off shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from guardian.errors import GuardianError, Mistake
from guardian.evidence import canonical
from guardian.model import Entry
from guardian.rules import chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.evidence.bundle import Bundle

FILE = "custody.jsonl"


def extract(bundle: Bundle, entries: Sequence[Entry]) -> None:
    """Append these lines of the journal, in their order (not necessarily neighbours). Raises Mistake, Unwritable."""
    if not entries:
        raise Mistake("cannot write an extract of the journal, because it has no lines")
    lines: list[dict[str, object]] = [
        {
            "at": one.at,
            "data": one.data,
            "hash": one.hash,
            "kind": one.kind,
            "prev": one.prev,
            "seq": one.seq,
            "who": one.who,
        }
        for one in entries
    ]
    end: dict[str, object] = {"extract": {"first": entries[0].hash, "last": entries[-1].hash, "lines": len(entries)}}
    for line in [*lines, end]:
        bundle.append(FILE, _written(line))


def _written(line: dict[str, object]) -> bytes:
    """In the form that the journal's own hash is made of: whatever the journal may hold can stand here."""
    return json.dumps(line, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def wrong(data: bytes) -> Iterator[str]:
    """What is wrong with a file of extracts, sentence by sentence."""
    run: list[Entry] = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            found = canonical.table(line)
            if "extract" in found:
                yield from _ends(run, found["extract"], number)
                run = []
            else:
                run.append(Entry(**found))
        except (GuardianError, ValueError, TypeError, KeyError):
            yield f"line {number} is no line of the journal"
    if run or (data and not data.endswith(b"\n")):
        yield f"its end was cut off: {len(run)} lines stand after the last extract"


def _ends(run: list[Entry], said: dict[str, object], number: int) -> Iterator[str]:
    seen = {"first": run[0].hash, "last": run[-1].hash, "lines": len(run)} if run else {}
    if seen != said:
        yield f"the extract that ends in line {number} is not the one that was written: lines were cut off or put in"
    head, before = None, None
    for entry in run:
        follows = before is not None and entry.seq == before + 1
        found = chain.verify([entry], head=head if follows and head else entry.prev, seq=entry.seq - 1)
        if isinstance(found, chain.Torn):
            yield f"the chain is torn at journal line {found.seq}: {found.why}"
        if before is not None and entry.seq <= before:
            yield f"journal line {entry.seq} does not come after line {before}"
        head, before = entry.hash, entry.seq
