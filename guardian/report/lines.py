"""The facts of an incident as its report reads them: lines of the journal, forgiving about what is missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Document = dict[str, Any]
BEFORE_1970 = "?"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal."""

    seq: int
    at: int
    kind: str
    who: str
    data: Mapping[str, Any]

    def text(self, key: str) -> str:
        """What it says under a key; empty when it says nothing."""
        found = self.data.get(key)
        return "" if found is None else str(found)

    def number(self, key: str) -> int | None:
        """A whole number that it names; None when it names none."""
        found = self.data.get(key)
        return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    def rows(self, key: str) -> list[Mapping[str, Any]]:
        """The documents of a list."""
        return [one for one in self.many(key) if isinstance(one, dict)]

    def names(self, key: str) -> list[str]:
        """The words of a list."""
        return [str(one) for one in self.many(key) if one is not None]

    def many(self, key: str) -> list[Any]:
        """A list that it names; empty when it names none."""
        found = self.data.get(key)
        return found if isinstance(found, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a report is computed from. `before` are earlier lines about posts that became part of the incident."""

    incident: str
    head: int
    hash: str
    left_out: int
    lines: tuple[Line, ...]
    before: tuple[Line, ...]

    def of(self, *kinds: str) -> list[Line]:
        """The lines of these kinds, in order."""
        return [one for one in self.lines if one.kind in kinds]


def read(document: Document) -> Facts:
    """The facts as they came over the socket, or out of a file."""
    head = document.get("head") or {}
    return Facts(
        incident=str(document.get("incident", "")),
        head=int(head.get("seq", 0)),
        hash=str(head.get("hash", "")),
        left_out=int(document.get("left_out", 0)),
        lines=tuple(_lines(document.get("lines") or [])),
        before=tuple(_lines(document.get("before") or [])),
    )


def utc(at: int | None) -> str | None:
    """Milliseconds as UTC; a time that no calendar has is a question mark."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return BEFORE_1970


def _lines(found: Iterable[Document]) -> Iterable[Line]:
    for one in found:
        data = one.get("data")
        yield Line(
            int(one["seq"]),
            int(one["at"]),
            str(one.get("kind", "")),
            str(one.get("who", "")),
            data if isinstance(data, dict) else {},
        )
