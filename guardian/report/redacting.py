"""Names taken out of the facts before anything is computed: a person has the same pseudonym all through. Pure.

People, what third parties wrote, where proof lies, on which machine somebody sat. Pseudonyms are numbered in the order
of the journal, so that a later report of the same incident gives the same person the same number. What cannot be
recognised as a name (a stranger's, in a note) stays: whoever hands a report out reads it first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.report.lines import Document

OURS = ("guardian", "")
NOUNS = {
    "person": "person",
    "owner": "person",
    "login": "person",
    "agreed": "person",
    "host": "host",
    "bundle": "bundle",
}
DROPPED = ("uid", "tty", "boot", "pid")
STRANGERS = ("not ours",)
TAKEN_OUT = "[redacted]"
SHORTEST = 3  # letters of a name that is looked for inside other words


class Pseudonyms:
    """One number for each name of a kind, in the order in which they come."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def learn(self, noun: str, name: str) -> None:
        """Give a name its pseudonym, if it has none yet."""
        if name in OURS or name in self.of:
            return
        self._counts[noun] = self._counts.get(noun, 0) + 1
        self.of[name] = f"{noun} {self._counts[noun]}"

    def scrub(self, text: str) -> str:
        """A text with every name in it that is known, as a whole word, replaced."""
        return self._pattern.sub(lambda found: self.of[found[0]], text)

    def settle(self) -> None:
        """All are known now."""
        names = sorted((name for name in self.of if len(name) >= SHORTEST), key=lambda name: (-len(name), name))
        words = "|".join(re.escape(name) for name in names)
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)" if words else r"(?!)")


def redacted(facts: Document) -> Document:
    """The same facts without names; `head` still says what they are based on."""
    names = Pseudonyms()
    lines, before = list(facts.get("lines") or []), list(facts.get("before") or [])
    for prefix, told in (("", lines), ("earlier ", before)):
        for line in told:
            names.learn(f"{prefix}person", str(line.get("who", "")))
            for noun, name in _named(line.get("data"), ""):
                names.learn(f"{prefix}{noun}", name)
    names.settle()
    return {
        **facts,
        "redacted": True,
        "lines": [_line(line, names) for line in lines],
        "before": [_line(line, names) for line in before],
    }


def _named(found: object, key: str) -> Iterator[tuple[str, str]]:
    """Every name in a line's data, with what it is the name of."""
    if isinstance(found, dict):
        for inner, value in found.items():
            yield from _named(value, str(inner))
    elif isinstance(found, list):
        for value in found:
            yield from _named(value, key)
    elif isinstance(found, str) and key in NOUNS:
        yield NOUNS[key], found


def _line(line: Document, names: Pseudonyms) -> Document:
    who = str(line.get("who", ""))
    strange = line.get("kind") in STRANGERS
    return {**line, "who": names.of.get(who, who), "data": _without(line.get("data"), "", names, strange=strange)}


def _without(found: Any, key: str, names: Pseudonyms, *, strange: bool) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(found, dict):
        return {inner: _without(value, str(inner), names, strange=strange) for inner, value in found.items()}
    if isinstance(found, list):
        return [_without(value, key, names, strange=strange) for value in found]
    if found is not None and (key in DROPPED or (strange and key == "text")):
        return TAKEN_OUT
    if not isinstance(found, str):
        return found
    return names.of.get(found, found) if key in NOUNS else names.scrub(found)
