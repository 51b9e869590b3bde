"""The journal: what happened, in order, append-only, each line sealed over the one before it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guardian.model import Entry
from guardian.rules import chain
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.store.database import Tx


NAMED = ("post", "bundle", "incident", "takedown", "target")


def append(tx: Tx, kind: str, *, who: str, now: int, **data: object) -> Entry:
    """Add one line, in the transaction of what it tells about: either both are there, or neither.

    A line about one post names it as `post`, one about a bundle of evidence as `bundle`, and so on (NAMED); it is found
    again by any of these names. Of one about many posts, `tells_about` says which.
    """
    head = Q.journal_head(tx)
    seq, prev = (head["seq"] + 1, head["hash"]) if head else (1, chain.START)
    plain: dict[str, Any] = json.loads(json.dumps(data))
    entry = Entry(
        seq=seq,
        at=now,
        kind=kind,
        who=who,
        data=plain,
        prev=prev,
        hash=chain.seal(seq=seq, at=now, kind=kind, who=who, data=plain, prev=prev),
    )
    Q.append_journal(
        tx,
        seq=seq,
        at=now,
        kind=kind,
        who=who,
        data=json.dumps(plain, ensure_ascii=False),
        prev=prev,
        hash=entry.hash,
    )
    tells_about(tx, entry, [str(plain[key]) for key in NAMED if plain.get(key) is not None])
    return entry


def tells_about(tx: Tx, entry: Entry, posts: Iterable[str]) -> None:
    """Note all posts that a line tells about; the line itself names at most some hundred of them."""
    Q.note_lines(tx, [{"post": post, "seq": entry.seq} for post in posts])


def after(tx: Tx, seq: int, *, limit: int = 1000) -> list[Entry]:
    """A page of the journal, from the line after `seq`."""
    return [_entry(row) for row in Q.journal_after(tx, after=seq, limit=limit)]


def rows_after(tx: Tx, seq: int, *, limit: int) -> list[Any]:
    """The same as rows, whose `data` is JSON as it lies there: for whoever hands it on."""
    return list(Q.journal_after(tx, after=seq, limit=limit))


def between(tx: Tx, after: int, upto: int, *, limit: int = 1000) -> list[Entry]:
    """A page of the journal, from the line after `after`, as far as the line `upto`."""
    return [_entry(row) for row in Q.journal_between(tx, after=after, upto=upto, limit=limit)]


def head(tx: Tx) -> Entry | None:
    """The last line; None while there is none."""
    row = Q.journal_head(tx)
    return None if row is None else _entry(row)


def of_post(tx: Tx, post_id: str, *, limit: int) -> tuple[list[Entry], int]:
    """The last lines that tell about a post (or an incident), oldest first, and how many there are in all."""
    rows = list(Q.journal_of_post(tx, post=post_id, limit=limit))
    return [_entry(row) for row in reversed(rows)], int(Q.journal_count_of(tx, post=post_id) or 0)


def of_kind(tx: Tx, post_id: str, kind: str) -> list[Entry]:
    """The lines of one kind that tell about a post, oldest first."""
    return [_entry(row) for row in Q.lines_of_kind(tx, post=post_id, kind=kind)]


def last_of(tx: Tx, kind: str, other: str) -> Entry | None:
    """The last line of one of two kinds. Looks through the journal from its end: for a start, not for every send."""
    row = Q.last_of_kinds(tx, kind=kind, other=other)
    return None if row is None else _entry(row)


def _entry(row: Any) -> Entry:  # noqa: ANN401 (a row of the database)
    return Entry(**{**dict(row), "data": json.loads(row["data"])})
