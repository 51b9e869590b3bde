"""An incident in figures: what happened, how much of it, how long it took; each with its lines of the journal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.report import said
from guardian.report.lines import utc
from guardian.report.measures import measures, order
from guardian.report.targets import LIMITS, UNDER_WAY, targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardian.report.lines import Document, Facts, Line

NOT_DONE = ("no snapshot", "not undone")
OUTCOMES_IN_DOUBT = ("unknown", "still_visible", "not_attempted")


def record(facts: Facts) -> Document:
    """The whole record, as JSON has it. Times are UTC; null: not recorded."""
    found = targets(facts)
    begin = order(facts)
    return {
        "incident": facts.incident,
        "state": "closed" if facts.of("incident closed") else "open",
        "opened": _first(facts, "incident opened"),
        "ordered_at": None if begin is None else {"at": utc(begin.at), "lines": [begin.line]},
        "closed": _first(facts, "incident closed"),
        "class": said.classed(facts, "class"),
        "severity": said.classed(facts, "severity"),
        "head": {"seq": facts.head, "hash": facts.hash},
        "left_out": facts.left_out,
        "freezes": freezes(facts),
        "counts": counts(facts),
        "takedowns": found,
        "landed": landed(facts, found),
        "natives": natives(facts),
        "strangers": strangers(facts),
        "measures": measures(facts, found),
        "hindered": hindered(facts, found),
        "decisions": said.decisions(facts),
        "roles": said.roles(facts),
        "actions": said.actions(facts),
        "notes": said.notes(facts),
        "statement": said.statement(facts),
        "timeline": [
            {"seq": line.seq, "at": utc(line.at), "kind": line.kind, "who": line.who, "data": dict(line.data)}
            for line in facts.lines
        ],
    }


def _first(facts: Facts, kind: str) -> Document | None:
    line = next(iter(facts.of(kind)), None)
    if line is None:
        return None
    more = {"cause": line.text("cause")} if line.text("cause") else {}
    return {"at": utc(line.at), "who": line.who, "reason": line.text("reason"), **more, "lines": [line.seq]}


def freezes(facts: Facts) -> list[Document]:
    """Each scope that was frozen, and when it was lifted, if it was."""
    lifts = {name: line for line in facts.of("thawed") for name in line.names("lifts")}
    found = []
    for line in facts.of("frozen"):
        lift = lifts.get(line.text("freeze"))
        found.append(
            {
                "scope": line.text("scope"),
                "reason": line.text("reason"),
                "who": line.who,
                "at": utc(line.number("ordered_at") or line.at),
                "lifted_at": None if lift is None else utc(lift.at),
                "lifted_by": None if lift is None else lift.who,
                "lines": [line.seq, *([] if lift is None else [lift.seq])],
            }
        )
    return found


def counts(facts: Facts) -> dict[str, Document | None]:
    """How much was held, missed, landed, published, kept out. Null: no line says anything about it."""
    held = [line for line in facts.of("freeze confirmed", "freeze not confirmed") if line.number("held") is not None]
    most = max(held, key=lambda line: line.number("held") or 0, default=None)
    missed = facts.of("missed")
    return {
        "held": None if most is None else {"value": most.number("held"), "lines": [most.seq]},
        "missed": _counted(missed, sum(_how_many(line) for line in missed)),
        "landed": _counted(facts.of("landed during freeze")),
        "published": _counted(facts.of("published", "live_after_all")),
        "unknown": _counted(facts.of("unknown")),
        "strangers": _counted(facts.of("not ours")),
    }


def _how_many(line: Line) -> int:
    count = line.number("count")
    return max(count if count is not None else len(line.many("posts")), 0)


def _counted(lines: Sequence[Line], value: int | None = None) -> Document | None:
    if not lines:
        return None
    return {"value": len(lines) if value is None else value, "lines": [line.seq for line in lines]}


def landed(facts: Facts, found: Iterable[Document]) -> list[Document]:
    """Posts that went live although a freeze had been ordered, and whether they were taken down afterwards."""
    taken = {(one["account"], str(one["platform_id"])): one for one in found}
    rows = []
    for line in facts.of("landed during freeze"):
        later = taken.get((line.text("account"), line.text("platform_id")))
        rows.append(
            {
                **{key: line.text(key) or None for key in ("post", "account", "platform_id", "url")},
                "at": utc(line.number("landed_at") or line.at),
                "takedown": None if later is None else later["state"],
                "lines": [line.seq, *([] if later is None else later["lines"])],
            }
        )
    return rows


def natives(facts: Facts) -> list[Document]:
    """Posts scheduled on the platform itself: the last word about each."""
    found: dict[tuple[str, str], Document] = {}
    for line in facts.lines:
        verb, _, state = line.kind.partition(" ")
        if verb != "native":
            continue
        key = line.text("account"), line.text("platform_id")
        one = found.setdefault(key, {"account": key[0], "platform_id": key[1], "due": None, "text": "", "lines": []})
        due = line.data.get("due")
        one["due"] = (utc(due) if isinstance(due, int) else str(due)) if due is not None else one["due"]
        one["text"] = line.text("text") or one["text"]
        one |= {"state": state, "why": line.text("why"), "lines": [*one["lines"], line.seq]}
    return list(found.values())


def strangers(facts: Facts) -> list[Document]:
    """Posts on our accounts that the guardian did not send."""
    return [
        {
            "at": utc(line.at),
            **{key: line.text(key) or None for key in ("account", "platform_id", "url", "text")},
            "lines": [line.seq],
        }
        for line in facts.of("not ours")
    ]


def hindered(facts: Facts, found: Sequence[Document]) -> list[Document]:
    """What did not go as ordered, in the order of the journal. `what` is a key of the catalogue."""
    limited = {one["target"] for one in found if one["decision"] in LIMITS}
    rows = [
        *(_row(line, "not_confirmed", _unconfirmed(line)) for line in facts.of("freeze not confirmed")),
        *(_row(line, "not_durable", "") for line in facts.of("freeze confirmed") if line.data.get("durable") is False),
        *(
            _row(line, _outcome(line, limited), line.text("why"), line.text("url") or line.text("target"))
            for line in facts.of("taken down")
            if line.text("state") in OUTCOMES_IN_DOUBT
        ),
        *(
            _row(line, "came_back", line.text("why"), line.text("url") or line.text("target"))
            for line in facts.of("looked again")
            if line.text("presence") == "there"
            and line.text("decision") != "keep"
            and line.text("target") not in limited
        ),
        *(
            _row(
                line,
                "proof_incomplete",
                line.text("missing") or line.text("why") or line.text("grade"),
                line.text("bundle"),
            )
            for line in facts.of("snapshot sealed")
            if line.text("grade") not in ("complete", "")
        ),
        *(_row(line, "lingering", "; ".join(line.names("lingering")), line.text("url")) for line in _lingering(facts)),
        *(_row(line, line.kind.replace(" ", "_"), line.text("why"), line.text("url")) for line in facts.of(*NOT_DONE)),
        *(
            _row(line, "anchor_gap", line.text("why"), line.text("bundle"))
            for line in facts.of("custody")
            if line.text("event") == "anchor gap"
        ),
        *(_row(line, "native_left", line.text("why"), line.text("platform_id")) for line in facts.of("native left")),
        *(_row(line, "clock", line.text("why")) for line in facts.of("clock_doubted")),
        *(_under_way(one) for one in found if one["state"] == UNDER_WAY and one["decision"] in ("delete", "hide")),
    ]
    return sorted(rows, key=lambda one: one["lines"][-1])


def _outcome(line: Line, limited: set[str]) -> str:
    """What a line of an outcome in doubt means: a post under a limit was to stay visible."""
    state = line.text("state")
    return "not_limited" if state == "still_visible" and line.text("target") in limited else state


def _lingering(facts: Facts) -> list[Line]:
    """Looks that found it still served somewhere, though it is gone where it was."""
    return [line for line in facts.of("looked again") if line.names("lingering")]


def _under_way(one: Document) -> Document:
    return {"at": None, "what": "under_way", "about": one["url"] or one["target"], "why": "", "lines": one["lines"]}


def _row(line: Line, what: str, why: str, about: str = "") -> Document:
    return {"at": utc(line.at), "what": what, "about": about, "why": why, "lines": [line.seq]}


def _unconfirmed(line: Line) -> str:
    return "; ".join(f"{one.get('scope')}: {one.get('why')}" for one in line.rows("unconfirmed"))
