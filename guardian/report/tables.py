"""The tables of a report: heads and rows; every row ends with the lines of the journal behind it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardian.report.lines import Document
    from guardian.report.phrases import Phrases

Rows = tuple["Sequence[str]", "Sequence[Sequence[str]]"]
COUNTS = ("held", "missed", "landed", "published", "unknown", "strangers")


def happened(record: Document, says: Phrases) -> Rows:
    """In numbers."""
    words = says.words
    rows: list[Sequence[str]] = []
    if record["freezes"]:
        rows.append(_count(says, "freezes", len(record["freezes"]), _lines_of(record["freezes"])))
    for key in COUNTS:
        found = record["counts"][key]
        if found is None:
            rows.append((words(f"count_{key}"), words("missing"), ""))
        else:
            rows.append(_count(says, key, found["value"], found["lines"]))
    wanted = [one for one in record["takedowns"] if one["decision"] in ("delete", "hide")]
    if wanted:
        done = [one for one in wanted if one["ended_line"] is not None]
        rows.append(_count(says, "targets", len(wanted), _lines_of(wanted)))
        rows.append(_count(says, "done", len(done), [one["ended_line"] for one in done]))
    longest = max(
        (one for one in record["takedowns"] if one["visible_ms"] is not None),
        key=lambda one: int(one["visible_ms"]),
        default=None,
    )
    if longest is not None:
        lines = [longest["published_line"], longest["ended_line"]]
        rows.append((words("count_longest"), says.length(longest["visible_ms"]), says.lines(lines)))
    return (words("figure"), words("value"), words("lines")), rows


def freezes(record: Document, says: Phrases) -> Rows:
    """What was frozen, and for how long."""
    words = says.words
    heads = [words(key) for key in ("scope", "frozen_at", "lifted_at", "who", "reason", "lines")]
    return heads, [
        (
            one["scope"],
            says.text(one["at"]),
            one["lifted_at"] or words("not_lifted"),
            one["who"],
            says.text(one["reason"]),
            says.lines(one["lines"]),
        )
        for one in record["freezes"]
    ]


def measures(record: Document, says: Phrases) -> Rows:
    """How long it took."""
    words = says.words
    return [words(key) for key in ("measure", "took", "lines")], [
        (
            words(f"measure_{one['measure']}"),
            words("so_far", done=one["done"], of=one["of"])
            if one["ms"] is None and one.get("of")
            else says.length(one["ms"]),
            says.lines(one["lines"]) if one["lines"] else "",
        )
        for one in record["measures"]
    ]


def takedowns(record: Document, says: Phrases) -> Rows:
    """Each post: what became of it, with which proof, how long it was visible."""
    words = says.words
    keys = ("account", "post", "decision", "state", "proof", "published", "confirmed", "visible", "lines")
    return [words(key) for key in keys], [
        (
            says.text(one["account"]),
            says.text(one["url"] or one["platform_id"] or one["post"] or one["target"]),
            words.among("decision", one["decision"]),
            _joined(words.among("outcome", one["state"]), one["why"]),
            _joined(says.text(one["bundle"]), one["grade"], one["sha256"]),
            says.text(one["published_at"]),
            says.text(one["ended_at"]),
            says.length(one["visible_ms"]),
            says.lines(one["lines"]),
        )
        for one in record["takedowns"]
    ]


def landed(record: Document, says: Phrases) -> Rows:
    """What was on the wire when the order came."""
    words = says.words
    heads = [words(key) for key in ("account", "post", "url", "when", "taken_down_later", "lines")]
    return heads, [
        (
            says.text(one["account"]),
            says.text(one["post"]),
            says.text(one["url"]),
            says.text(one["at"]),
            words.among("outcome", one["takedown"]),
            says.lines(one["lines"]),
        )
        for one in record["landed"]
    ]


def strangers(record: Document, says: Phrases) -> Rows:
    """Posts on our accounts that are not ours."""
    keys = ("account", "url", "text")
    return _plain(record["strangers"], says, keys, when=True)


def natives(record: Document, says: Phrases) -> Rows:
    """What the platform itself would publish."""
    words = says.words
    heads = [words(key) for key in ("account", "post", "due", "state", "text", "lines")]
    return heads, [
        (
            says.text(one["account"]),
            says.text(one["platform_id"]),
            says.text(one["due"]),
            _joined(words.among("native", one["state"]), one["why"]),
            says.text(one["text"]),
            says.lines(one["lines"]),
        )
        for one in record["natives"]
    ]


def hindered(record: Document, says: Phrases) -> Rows:
    """What did not go as ordered."""
    words = says.words
    heads = [words(key) for key in ("when", "what", "about", "why", "lines")]
    return heads, [
        (
            says.text(one["at"]),
            words.among("hindered", one["what"]),
            one["about"] or "",
            one["why"] or "",
            says.lines(one["lines"]),
        )
        for one in record["hindered"]
    ]


def decisions(record: Document, says: Phrases) -> Rows:
    """What was decided, what was weighed, who agreed."""
    words = says.words
    heads = [words(key) for key in ("when", "who", "decision", "options", "agreed", "reason", "lines")]
    return heads, [
        (
            says.text(one["at"]),
            one["who"],
            _decided(one, says),
            says.many(one["options"]),
            says.many(one["agreed"]),
            says.text(one["reason"]),
            says.lines(one["lines"]),
        )
        for one in record["decisions"]
    ]


def _decided(one: Document, says: Phrases) -> str:
    """The words of a person as they are; the decision of a takedown by its name."""
    if one["posts"] is None:
        return says.text(one["decision"])
    return _joined(says.words.among("decision", one["decision"]), says.words("posts", count=one["posts"]))


def roles(record: Document, says: Phrases) -> Rows:
    """Who does what."""
    return _plain(record["roles"], says, ("role", "person"))


def actions(record: Document, says: Phrases) -> Rows:
    """What is to be done, by whom, until when."""
    words = says.words
    return [words(key) for key in ("action", "owner", "due", "lines")], [
        (says.text(one["text"]), says.text(one["owner"]), says.text(one["due"]), says.lines(one["lines"]))
        for one in record["actions"]
    ]


def notes(record: Document, says: Phrases) -> Rows:
    """What people wrote down meanwhile."""
    words = says.words
    return [words(key) for key in ("when", "who", "note", "lines")], [
        (says.text(one["at"]), one["who"], says.text(one["text"]), says.lines(one["lines"])) for one in record["notes"]
    ]


def timeline(record: Document, says: Phrases) -> Rows:
    """Every line, in the order of the journal."""
    words = says.words
    return [words(key) for key in ("line", "when", "who", "what")], [
        (str(one["seq"]), says.text(one["at"]), one["who"], says.told(one["kind"], one["data"]))
        for one in record["timeline"]
    ]


def _plain(found: Iterable[Document], says: Phrases, keys: Sequence[str], *, when: bool = False) -> Rows:
    words = says.words
    shown = (("at", "when"), *((key, key) for key in keys)) if when else tuple((key, key) for key in keys)
    heads = [*(words(head) for _, head in shown), words("lines")]
    return heads, [[*(says.text(one[key]) for key, _ in shown), says.lines(one["lines"])] for one in found]


def _count(says: Phrases, key: str, value: int, lines: Sequence[int]) -> Sequence[str]:
    return says.words(f"count_{key}"), str(value), says.lines(lines) if lines else ""


def _lines_of(found: Iterable[Document]) -> list[int]:
    return [line for one in found for line in one["lines"]]


def _joined(*found: object) -> str:
    return "; ".join(str(one) for one in found if one)
