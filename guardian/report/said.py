"""What people said during an incident: notes, decisions, roles, class, actions, the statement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.report.lines import utc
from guardian.report.targets import LIVE

if TYPE_CHECKING:
    from guardian.report.lines import Document, Facts, Line


def notes(facts: Facts) -> list[Document]:
    """Every note, oldest first."""
    return [{**_by(line), "text": line.text("text")} for line in facts.of("note")]


def decisions(facts: Facts) -> list[Document]:
    """What was decided, what was weighed, who agreed; that of a takedown is one."""
    found = []
    for line in facts.of("decision", "takedown ordered"):
        count = len(line.rows("targets"))
        found.append(
            {
                **_by(line),
                "decision": line.text("decision"),
                "options": line.names("options"),
                "agreed": line.names("agreed"),
                "reason": line.text("reason"),
                "posts": count if line.kind == "takedown ordered" else None,
            }
        )
    return found


def roles(facts: Facts) -> list[Document]:
    """Who has which role: the last word for each, in the order in which they were first named."""
    found: dict[str, Document] = {}
    for line in facts.of("role"):
        earlier = found.get(line.text("role"), {}).get("lines", [])
        found[line.text("role")] = {
            **_by(line),
            "role": line.text("role"),
            "person": line.text("person"),
            "lines": [*earlier, line.seq],
        }
    return list(found.values())


def actions(facts: Facts) -> list[Document]:
    """What is to be done, by whom, until when."""
    return [
        {**_by(line), "text": line.text("text"), "owner": line.text("owner"), "due": line.text("due")}
        for line in facts.of("action")
    ]


def classed(facts: Facts, key: str) -> Document | None:
    """The last word about its class or its severity, with every line that said one."""
    said = [line for line in facts.of("classed") if line.text(key)]
    if not said:
        return None
    return {"value": said[-1].text(key), "lines": [line.seq for line in said]}


def statement(facts: Facts) -> Document | None:
    """The first public statement: when it was live, if it is a post of ours, else when somebody said so."""
    said = facts.of("statement")
    if not said:
        return None
    first = said[0]
    live = _went_live(facts, first)
    return {
        "at": utc(live.at if live is not None else first.at),
        "at_ms": live.at if live is not None else first.at,
        "who": first.who,
        "lines": sorted({first.seq, *([] if live is None else [live.seq])}),
        **{key: first.text(key) or None for key in ("post", "url", "text")},
    }


def _went_live(facts: Facts, said: Line) -> Line | None:
    post, url = said.text("post"), said.text("url")
    for line in (*facts.before, *facts.lines):
        if line.kind in LIVE and ((post and line.text("post") == post) or (url and line.text("url") == url)):
            return line
    return None


def _by(line: Line) -> Document:
    return {"at": utc(line.at), "who": line.who, "lines": [line.seq]}
