"""A store proven whole, to its end: pages, indexes, references, the journal's chain, the posts' seals, the law.

What a start has no time for. Used on copies, before and after an upgrade, by one thread that owns the connection; works
on every schema that was ever released.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.errors import Garbled
from guardian.rules import chain
from guardian.store import journal, posts
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx

PAGE = 500
OURS = frozenset({"migrations", "transitions"})  # what an upgrade itself writes
UNDER_WAY = ("claimed", "sending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a whole store holds. `rows` are counted by table; `freezes` are the scopes of those in force."""

    schema: int
    rows: dict[str, int]
    states: dict[str, int]
    freezes: tuple[str, ...]
    lines: int
    head: str

    @property
    def posts(self) -> int:
        """How many posts there are."""
        return self.rows.get("posts", 0)

    @property
    def in_flight(self) -> int:
        """How many posts were being sent, or were lost and not found yet."""
        return sum(self.states.get(state, 0) for state in ("sending", "unknown"))


def prove(tx: Tx) -> Facts:
    """Look at all of it. Raises Garbled with what is wrong, in half a sentence."""
    try:
        found = str(tx.execute("pragma integrity_check(1)").fetchone()["integrity_check"])
        if found != "ok":
            raise Garbled(found.splitlines()[-1])
        lost = tx.execute("pragma foreign_key_check").fetchone()
        if lost is not None:
            raise Garbled(f"a row of {lost['table']} belongs to one of {lost['parent']} that is gone")
        tables = _tables(tx)
        lines, head = _chain(tx)
        _seals(tx)
        return Facts(
            schema=schema(tx),
            rows={name: _count(tx, name) for name in tables},
            states=_states(tx),
            freezes=tuple(sorted(row["scope"] for row in Q.freezes_in_force(tx))),
            lines=lines,
            head=head,
        )
    except sqlite3.DatabaseError as error:
        raise Garbled(str(error)) from error


def schema(tx: Tx) -> int:
    """The last migration that was applied; 0 for a file that is no store of ours."""
    if "migrations" not in _tables(tx):
        return 0
    return max((int(row["number"]) for row in Q.applied_migrations(tx)), default=0)


def lost_between(before: Facts, after: Facts) -> str:
    """What an upgrade has changed that it must not, in words; empty when nothing."""
    for name, count in before.rows.items():
        if name not in OURS and after.rows.get(name) != count:
            return f"{name} had {count} rows and has {after.rows.get(name, 0)}"
    if before.states != after.states:
        return "posts are in other states than before"
    if before.freezes != after.freezes:
        return "other freezes are in force than before"
    if (before.lines, before.head) != (after.lines, after.head):
        return "the journal is another one"
    return ""


def _tables(tx: Tx) -> list[str]:
    rows = tx.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name")
    return [row["name"] for row in rows]


def _count(tx: Tx, table: str) -> int:
    return int(tx.execute(f'select count(*) as n from "{table}"').fetchone()["n"])  # noqa: S608 (a name of its own schema)


def _chain(tx: Tx) -> tuple[int, str]:
    found = chain.Whole(lines=0, head=chain.START)
    try:
        while page := journal.after(tx, found.lines, limit=PAGE):
            following = chain.verify(page, head=found.head, seq=found.lines)
            if isinstance(following, chain.Torn):
                raise Garbled(f"its journal breaks at line {following.seq}: {following.why}")
            found = following
    except (ValueError, TypeError):
        raise Garbled(f"its journal breaks after line {found.lines}: its words cannot be read") from None
    return found.lines, found.head


def _seals(tx: Tx) -> None:
    if not tx.execute("select 1 from pragma_table_info('posts') where name = 'seal'").fetchone():
        return
    seq: int | None = 0
    while seq is not None:
        rows = list(Q.sealed_posts_after(tx, after=seq, limit=PAGE))
        for row in rows:
            if row["seal"] != posts.seal(row):
                raise Garbled(f"the content of {row['id']} is not what was entered")
        seq = rows[-1]["seq"] if rows else None


def _states(tx: Tx) -> dict[str, int]:
    """By the posts themselves, which must be what the kept counts say; what is sent has an attempt that is open."""
    found = {row["state"]: int(row["n"]) for row in tx.execute("select state, count(*) as n from posts group by state")}
    kept = {row["state"]: int(row["n"]) for row in Q.counts_by_state(tx)}
    if found != kept:
        raise Garbled("its counts are not those of its posts")
    stray = tx.execute(
        "select id from posts p where state = 'sending'"
        " and not exists (select 1 from attempts a where a.post = p.id and a.ended_at is null) limit 1"
    ).fetchone()
    if stray is not None:
        raise Garbled(f"{stray['id']} is being sent, and nothing says how")
    return found
