"""The report before it has a form: sections of fields, tables and sentences, in the words of one language. Pure.

What stands in it is text as it came: whoever writes it down (`markdown`, `page`) makes it harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.report import tables
from guardian.report.phrases import Phrases

if TYPE_CHECKING:
    from guardian.report.lines import Document
    from guardian.report.words import Words


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels and what they say."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their heads."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences of ours, each for itself."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Nobody has recorded anything of it."""

    text: str


Block = Fields | Table | Sentences | Missing


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """The whole report."""

    language: str
    title: str
    sections: tuple[Section, ...]
    record: Document


def paper(record: Document, words: Words, *, redacted: bool = False) -> Paper:
    """The report of a record (`figures.record`)."""
    says = Phrases(words)
    made: dict[str, list[Block]] = {
        "overview": _overview(record, says, redacted=redacted),
        "happened": [*_table(tables.happened(record, says)), *_table(tables.freezes(record, says))],
        "measures": _table(tables.measures(record, says)),
        "takedowns": _table(tables.takedowns(record, says)),
        "landed": _table(tables.landed(record, says)),
        "strangers": _table(tables.strangers(record, says)),
        "native": _table(tables.natives(record, says)),
        "hindered": _table(tables.hindered(record, says)),
        "decisions": _table(tables.decisions(record, says)),
        "statement": _statement(record, says),
        "roles": _table(tables.roles(record, says)),
        "actions": _table(tables.actions(record, says)),
        "notes": _table(tables.notes(record, says)),
        "timeline": _table(tables.timeline(record, says)),
        "limits": [Sentences(tuple(words(key) for key in LIMITS))],
    }
    missing: tuple[Block, ...] = (Missing(words("missing")),)
    sections = [Section(key, words(key), tuple(blocks) or missing) for key, blocks in made.items()]
    title = f"{words('title')} {record['incident']}"
    return Paper(words("language"), title, tuple(sections), record)


LIMITS = ("limit_gone", "limit_visible", "limit_clock", "limit_people", "limit_outside", "limit_chain")


def _table(found: tables.Rows) -> list[Block]:
    heads, rows = found
    return [Table(tuple(heads), tuple(tuple(row) for row in rows))] if rows else []


def _overview(record: Document, says: Phrases, *, redacted: bool) -> list[Block]:
    words = says.words
    ordered = record["ordered_at"]
    opened: dict[str, Any] = record["opened"] or {}
    rows = [
        (words("incident"), str(record["incident"])),
        (words("state"), words(f"state_{record['state']}")),
        (words("class"), says.figure(record["class"], "class")),
        (words("severity"), says.figure(record["severity"], "severity")),
        (words("opened"), says.moment(record["opened"])),
        (words("cause"), says.text(opened.get("cause"))),
        (words("ordered"), words("missing") if ordered is None else says.proven(ordered["at"], ordered["lines"])),
        (words("closed"), says.moment(record["closed"])),
        (words("based_on"), words("head", **record["head"])),
    ]
    told = [words("left_out", count=record["left_out"])] if record["left_out"] else []
    told += [words("redacted")] if redacted else []
    return [Fields(tuple(rows)), *([Sentences(tuple(told))] if told else [])]


def _statement(record: Document, says: Phrases) -> list[Block]:
    found = record["statement"]
    if found is None:
        return []
    words = says.words
    rows = [
        (words("statement_at"), says.proven(found["at"], found["lines"])),
        (words("who"), says.text(found["who"])),
        *((words(key), says.text(found[key])) for key in ("post", "url", "text") if found[key]),
    ]
    return [Fields(tuple(rows))]
