"""The facts of an incident, gathered from the journal alone: what its report is computed from, always the same.

Called by API threads. Reads page by page, so that a long incident keeps nobody waiting; writes nothing. An open
incident is told as far as the journal goes; a closed one as far as its last line, and what belongs to it afterwards:
looks again, notes, actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.duties.incidents import find
from guardian.store import journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from guardian.model import Entry, Incident
    from guardian.store.database import Database

FORMAT = "guardian incident facts 1"
PAGE = 500
MOST_LINES = 20_000
MOST_AFTER = 5_000
MOST_POSTS = 2_000
MOST_OF_A_POST = 100
BEFORE = ("entered", "imported", "published", "live_after_all")


def gather(database: Database, name: str) -> dict[str, Any]:
    """The facts of one incident. Raises Unfound."""
    with database.reading() as tx:
        incident = find(tx, name)
        head = journal.head(tx)
    upto = incident.closed_seq if incident.closed_seq is not None else (head.seq if head else incident.opened_seq)
    inside = list(_lines(database, incident.opened_seq, upto))
    after = _after(database, incident, upto)
    known = {one.seq for one in (*inside, *after)}
    before = [one for one in _about(database, _posts([*inside, *after])) if one.seq not in known]
    last = max((*inside, *after), key=lambda one: one.seq)
    return {
        "format": FORMAT,
        "incident": incident.id,
        "head": {"seq": last.seq, "hash": last.hash},
        "first": incident.opened_seq,
        "last": incident.closed_seq,
        "left_out": upto - incident.opened_seq + 1 - len(inside),
        "lines": [_document(one) for one in (*inside, *after)],
        "before": [_document(one) for one in before],
    }


def _lines(database: Database, first: int, last: int) -> Iterator[Entry]:
    """Every line between two, as far as there is room for them."""
    seq, left = first - 1, MOST_LINES
    while left > 0 and seq < last:
        with database.reading() as tx:
            page = journal.between(tx, seq, last, limit=min(PAGE, left))
        if not page:
            return
        yield from page
        seq, left = page[-1].seq, left - len(page)


def _after(database: Database, incident: Incident, upto: int) -> list[Entry]:
    """What names a closed incident and was said later."""
    if incident.closed_seq is None:
        return []
    with database.reading() as tx:
        named, _ = journal.of_post(tx, incident.id, limit=MOST_AFTER)
    return [one for one in named if one.seq > upto]


def _posts(lines: Iterable[Entry]) -> list[str]:
    """The posts that were taken down, that landed, or that are the statement, in the order in which they appear."""
    found: dict[str, None] = {}
    for one in lines:
        if "incident" not in one.data:
            continue
        targets = one.data.get("targets")
        rows = targets if isinstance(targets, list) else []
        for row in (one.data, *rows):
            post = row.get("post") if isinstance(row, dict) else None
            if isinstance(post, str):
                found[post] = None
    return list(found)[:MOST_POSTS]


def _about(database: Database, posts: Iterable[str]) -> list[Entry]:
    """How these posts came to be live, in the order of the journal."""
    found: dict[int, Entry] = {}
    for post in posts:
        with database.reading() as tx:
            told, _ = journal.of_post(tx, post, limit=MOST_OF_A_POST)
        found |= {one.seq: one for one in told if one.kind in BEFORE}
    return [found[seq] for seq in sorted(found)]


def _document(found: Entry) -> dict[str, Any]:
    return {"seq": found.seq, "at": found.at, "kind": found.kind, "who": found.who, "data": found.data}
