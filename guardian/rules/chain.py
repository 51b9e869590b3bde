"""The journal's chain.

Each line's hash covers the line and the hash before it, so that nobody can edit the past unseen.

Pure, and used on both sides of the socket: the store writes by it, and a client verifies by it without trusting the
daemon. What is cut off at the end shows only against a head that was noted elsewhere; `verify` returns the head for
that purpose.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.model import Entry

START = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The chain holds: so many lines, ending in this hash."""

    lines: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """The chain breaks at this line: it, or what stood before it, was changed, removed or put in."""

    seq: int
    why: str


def seal(*, seq: int, at: int, kind: str, who: str, data: dict[str, object], prev: str) -> str:
    """The hash of one line."""
    line = json.dumps([seq, at, kind, who, data, prev], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(line.encode("ascii")).hexdigest()


def verify(entries: Iterable[Entry], *, head: str = START, seq: int = 0) -> Whole | Torn:
    """Follow the chain from `head`, which line `seq` left; the first line that does not fit is named."""
    for entry in entries:
        if entry.seq != seq + 1:
            return Torn(seq=entry.seq, why=f"line {seq + 1} is missing")
        if entry.prev != head:
            return Torn(seq=entry.seq, why="it does not follow the line before it")
        if entry.hash != seal(
            seq=entry.seq, at=entry.at, kind=entry.kind, who=entry.who, data=entry.data, prev=entry.prev
        ):
            return Torn(seq=entry.seq, why="its words were changed")
        head, seq = entry.hash, entry.seq
    return Whole(lines=seq, head=head)
