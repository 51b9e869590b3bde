"""Figures, times and lengths as a report says them, each with the lines that prove it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.report.lines import utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.report.lines import Document
    from guardian.report.words import Words

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
MOST_LINES = 12
MOMENTS = ("due", "due_at", "landed_at", "ordered_at", "at")
GROUPS = {"state": "outcome", "decision": "decision", "class": "class", "severity": "severity"}


class Phrases:
    """The words of one language, put together."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def text(self, found: object) -> str:
        """A text, or the word for none."""
        return self.words("missing") if found in (None, "", []) else str(found)

    def many(self, found: Sequence[object]) -> str:
        """Several texts as one."""
        return ", ".join(str(one) for one in found) if found else self.words("missing")

    def lines(self, found: Sequence[int]) -> str:
        """Numbers of lines; of a long row of them the first, the last, and how many."""
        numbers = sorted(set(found))
        if len(numbers) <= MOST_LINES:
            return ", ".join(str(one) for one in numbers) or self.words("missing")
        return f"{', '.join(str(one) for one in numbers[: MOST_LINES - 1])} \u2026 {numbers[-1]} ({len(numbers)})"

    def proven(self, said: object, lines: Sequence[int]) -> str:
        """What is said, and by which lines of the journal."""
        return f"{self.text(said)} ({self.words('lines_of', lines=self.lines(lines))})"

    def figure(self, found: Document | None, group: str) -> str:
        """A figure of a group of names, with its lines; or the word for none."""
        return self.words("missing") if found is None else self._word(group, found)

    def _word(self, group: str, found: Document) -> str:
        return self.proven(self.words.among(group, found["value"]), found["lines"])

    def moment(self, found: Document | None) -> str:
        """When something was said, by whom and why."""
        if found is None:
            return self.words("missing")
        said = self.words("by", at=found["at"], who=found["who"], reason=found["reason"])
        return self.proven(said, found["lines"])

    def length(self, ms: int | None) -> str:
        """How long something took."""
        if ms is None:
            return self.words("missing")
        if ms < SECOND:
            return self.words("milliseconds", ms=ms)
        if ms < MINUTE:
            return self.words("seconds", s=ms / SECOND)
        if ms < HOUR:
            return self.words("minutes", m=ms // MINUTE, s=ms % MINUTE // SECOND)
        if ms < DAY:
            return self.words("hours", h=ms // HOUR, m=ms % HOUR // MINUTE)
        return self.words("days", d=ms // DAY, h=ms % DAY // HOUR)

    def told(self, kind: str, data: Document) -> str:
        """A line of the journal in words. What the catalogue does not know is said as it stands there."""
        plain = {key: self._plain(key, value) for key, value in data.items()}
        said = self.words.line(kind, dict(plain))
        if said is not None:
            return said
        facts = ", ".join(f"{key}={value}" for key, value in plain.items() if key != "incident")
        return f"{kind}: {facts}" if facts else kind

    def _plain(self, key: str, value: object) -> object:
        """A moment as UTC, a name by its word; a list by what it holds, or by how much when that cannot be read."""
        if isinstance(value, list):
            short = len(value) <= MOST_LINES and all(isinstance(one, str | int) for one in value)
            return ", ".join(str(one) for one in value) if short else f"[{len(value)}]"
        if isinstance(value, dict):
            return f"{{{len(value)}}}"
        if key in MOMENTS and isinstance(value, int) and not isinstance(value, bool):
            return utc(value)
        return self.words.among(GROUPS[key], value) if key in GROUPS and value else value
