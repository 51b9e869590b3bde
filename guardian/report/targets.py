"""What became of each post that was to be taken down: how long it was visible, which proof, which lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.report.lines import utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.report.lines import Document, Facts, Line

UNDER_WAY = "under way"
DONE = ("gone", "hidden")
UNDONE, LIFTED = "undone", "lifted"
LIMITS = ("close-replies", "detach-quotes", "lock", "spoiler")  # the post stays: it was never to be out of sight
LIVE = ("published", "live_after_all")
OF_A_LOOK = {
    "gone": "gone",
    "hidden": "hidden",
    "limited": "kept",
    "there": "still_visible",
    "still_visible": "still_visible",
}
KINDS = ("snapshot sealed", "no snapshot", "takedown acting", "taken down", "looked again", "undone", "not undone")


def targets(facts: Facts) -> list[Document]:
    """One document for each target, in the order of the journal."""
    found: dict[str, Document] = {}
    for line in facts.lines:
        if line.kind == "takedown ordered":
            for row in line.rows("targets"):
                _ordered(found, line, row)
        elif line.kind in KINDS:
            _went_on(found, line)
    for one in found.values():
        _measure(one, facts)
    return list(found.values())


def _ordered(found: dict[str, Document], line: Line, row: Mapping[str, Any]) -> None:
    name = str(row.get("target") or f"{row.get('account')}/{row.get('platform_id')}")
    one = found.setdefault(name, _new(name))
    one |= {key: row[key] for key in ("account", "platform_id", "url", "post", "part") if row.get(key) is not None}
    one |= {"takedown": line.text("takedown"), "decision": line.text("decision") or None, "ordered_at": line.at}
    one["lines"].append(line.seq)


def _went_on(found: dict[str, Document], line: Line) -> None:
    """A later line about a target; one that nobody has ordered here (a snapshot alone) begins its own story."""
    name = line.text("target") or f"{line.text('account')}/{line.text('platform_id')}"
    one = found.setdefault(name, _new(name))
    for key in ("account", "platform_id", "url", "post", "part"):
        if one.get(key) is None and line.data.get(key) is not None:
            one[key] = line.data[key]
    one["lines"].append(line.seq)
    for key in ("bundle", "grade", "sha256"):
        one[key] = line.text(key) or one[key]
    if line.kind == "snapshot sealed":
        one["sealed_at"] = one["sealed_at"] if one["sealed_at"] is not None else line.at
    elif line.kind == "taken down":
        _into(one, line.text("state"), line)
    elif line.kind == "looked again":
        _into(one, _of_a_look(line.text("presence"), one["decision"]), line)
    elif line.kind == UNDONE:
        one["state"], one["why"] = LIFTED if one["decision"] in LIMITS else UNDONE, line.text("reason")


def _of_a_look(presence: str, decision: str | None) -> str:
    """The state that a look shows; empty where it shows none. A veil is what was wanted, or it is not enough."""
    if presence == "veiled":
        return "hidden" if decision == "hide" else "still_visible"
    return OF_A_LOOK.get(presence, "")


def _into(one: Document, state: str, line: Line) -> None:
    """The state that a line gives it. Of a post that is gone only its first line says when."""
    if not state or (one["state"] in (UNDONE, LIFTED) and state == "still_visible"):
        return
    one["why"] = line.text("why") or line.text("verdict") or (one["why"] if state == one["state"] else "")
    if state == "still_visible" and one["decision"] in ("keep", None):
        return
    if one["state"] not in DONE and state in DONE:
        one["ended_at"], one["ended_line"] = line.at, line.seq
    elif state not in DONE:
        one["ended_at"], one["ended_line"] = None, None
    one["state"] = state


def _new(name: str) -> Document:
    return {
        "target": name,
        "takedown": None,
        "decision": None,
        "account": None,
        "platform_id": None,
        "url": None,
        "post": None,
        "part": None,
        "state": UNDER_WAY,
        "why": "",
        "bundle": None,
        "grade": None,
        "sha256": None,
        "ordered_at": None,
        "sealed_at": None,
        "ended_at": None,
        "ended_line": None,
        "published_at": None,
        "published_line": None,
        "visible_ms": None,
        "lines": [],
    }


def _measure(one: Document, facts: Facts) -> None:
    """How long it was there: from the line that says it went live to the line that says it is not there any more."""
    line = published(facts, account=one["account"], platform_id=one["platform_id"])
    if line is not None:
        one["published_at"], one["published_line"] = line.at, line.seq
        one["lines"] = sorted({*one["lines"], line.seq})
    if line is not None and one["ended_at"] is not None:
        one["visible_ms"] = one["ended_at"] - line.at
    for key in ("ordered_at", "sealed_at", "ended_at", "published_at"):
        one[key] = utc(one[key])


def published(facts: Facts, *, account: object, platform_id: object) -> Line | None:
    """The line by which a post on its platform went live, if it was one of ours."""
    for line in (*facts.before, *facts.lines):
        same = platform_id is not None and line.text("platform_id") == str(platform_id)
        if line.kind in LIVE and same and (account is None or line.text("account") in ("", str(account))):
            return line
    return None
