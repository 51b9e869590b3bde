"""The tables that other tools take for their bulk uploads, read as records of ours: Buffer's and Hootsuite's. Pure.

Which column means what, and from where that is known: docs/importing.md. Nothing is guessed in silence: a date whose
day and month could be exchanged needs to be told which comes first, and an address of a picture is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.rules.columns import Path

BUFFER, HOOTSUITE = "buffer", "hootsuite"
TOOLS = (BUFFER, HOOTSUITE)
NAMES = {BUFFER: ("Text", "Image URL", "Tags", "Posting Time"), HOOTSUITE: ("date", "message", "link")}
BUFFERS = ", ".join(NAMES[BUFFER])
ORDER = "do say which comes first: --dates day, or --dates month"
IGNORED = ("", "board name")
DAY_FIRST, MONTH_FIRST = "day", "month"
YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))? *([AaPp]\.?[Mm]\.?)?")
YEAR_LAST = re.compile(
    r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))? *([AaPp]\.?[Mm]\.?)?"
)
MONTHS, HALF_DAY = 12, 12
NO_ADDRESS = (
    "cannot fetch the picture, because the guardian opens no addresses, "
    "do download it and use a table of ours with media1_path (docs/importing.md), or empty the field"
)
TAG_SIGN = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the table itself does not say: who posts, in which zone, and whether the day or the month comes first."""

    account: str
    zone: str | None = None
    dates: str | None = None


class Foreign:
    """The meaning of one table. `has_header`: its first row names the columns and is no post."""

    def __init__(self, tool: str, first: list[str], choices: Choices | None) -> None:
        self.choices = choices or Choices(account="")
        self.wrong: tuple[tuple[int, str], ...] = ()
        if tool == HOOTSUITE:
            self.has_header = _when(first[0], MONTH_FIRST) is None and "date" in first[0].lower()
            extra = max(len(first) - 3, 0)
            self.names = (*NAMES[HOOTSUITE], *(f"image {number + 1}" for number in range(extra)))
            self._of = {"at": 0, "text": 1, "link": 2}
            self._images = list(range(3, 3 + extra))
            return
        self.has_header = True
        self.names = tuple(name.strip() for name in first)
        low = [name.lower() for name in self.names]
        self._of = {
            key: low.index(name)
            for key, name in (("at", "posting time"), ("text", "text"), ("tags", "tags"))
            if name in low
        }
        self._images = [place for place, name in enumerate(low) if name == "image url"]
        self.wrong = tuple(self._odd(low))

    @staticmethod
    def _odd(low: list[str]) -> list[tuple[int, str]]:
        known = {name.lower() for name in NAMES[BUFFER]} | set(IGNORED)
        found = [
            (
                place,
                f"cannot read the column {name!r}, because Buffer has none like it, do choose from: {BUFFERS}",
            )
            for place, name in enumerate(low)
            if name not in known or (name and low.index(name) < place)
        ]
        return found + [
            (0, f"cannot read the table, because the column {name!r} is missing, do add it")
            for name in ("Text", "Posting Time")
            if name.lower() not in low
        ]

    def record(self, fields: list[str]) -> tuple[dict[str, object], dict[Path, int], list[tuple[int, str]]]:
        """A row as a record of ours; where in the row its values stand; what of it cannot be taken."""
        wrong = [(place, NO_ADDRESS) for place in self._images if place < len(fields) and fields[place].strip()]
        said = {key: fields[place] if place < len(fields) else "" for key, place in self._of.items()}
        at = self._at(said.get("at", "").strip())
        if at.startswith("cannot "):
            wrong.append((self._of.get("at", 0), at))
            at = "now"
        text, link = said.get("text", ""), said.get("link", "").strip()
        if link and link not in text:
            text = f"{text.rstrip()} {link}".lstrip()
        raw: dict[str, object] = {"account": self.choices.account, "at": at, "text": text}
        tags = [TAG_SIGN.sub("-", tag.strip()) for tag in said.get("tags", "").split(",") if tag.strip()]
        raw |= {"tags": tags} if tags else {}
        raw |= {"zone": self.choices.zone} if self.choices.zone else {}
        places: dict[Path, int] = {(key,): place for key, place in self._of.items()}
        return raw, places, sorted(wrong)

    def _at(self, text: str) -> str:
        """The time as ISO 8601 writes it, or what is wrong with it."""
        if "at" not in self._of:
            return "now"  # said once, of the first row
        if not text:
            return "cannot schedule the post, because it has no time, do write one, as 2026-11-25 09:00"
        return (
            _when(text, self.choices.dates)
            or f"cannot read the time {text!r}, because it is none, do write 2026-11-25 09:00"
        )


def _when(text: str, order: str | None) -> str | None:
    """The wall time, or a question; None for what is no time at all."""
    found = YEAR_FIRST.fullmatch(text)
    if found is not None:
        year, _, month, day, *clock = found.groups()
        return _iso(year, month, day, clock)
    found = YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    one, _, two, year, *clock = found.groups()
    year = year if len(year) == len("2026") else f"20{year}"
    if order is None and int(one) != int(two):
        could = f"{year}-{int(two):02}-{int(one):02} or {year}-{int(one):02}-{int(two):02}"
        if int(one) > MONTHS or int(two) > MONTHS:
            could = "only one of the two in this row, and either in others"
        return f"cannot read the time {text!r}, because it could be {could}, {ORDER}"
    day, month = (one, two) if order == DAY_FIRST else (two, one)
    if int(month) > MONTHS:
        fix = f"do look whether --dates {order} is right"
        return f"cannot read the time {text!r}, because there is no month {int(month)}, {fix}"
    return _iso(year, month, day, clock)


def _iso(year: str, month: str, day: str, clock: list[str]) -> str | None:
    hour, minute, second, half = int(clock[0]), clock[1], clock[2] or "00", clock[3]
    if half:
        if not 1 <= hour <= HALF_DAY:
            return None
        hour = hour % HALF_DAY + (HALF_DAY if half[0] in "Pp" else 0)
    return f"{year}-{int(month):02}-{int(day):02}T{hour:02}:{minute}:{second}"
