"""Looks at an account's timeline after a freeze: planned, so that they survive a restart. In a caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One look: at what the account shows since then (ms)."""

    id: str
    incident: str
    account: str
    since: int
    due_at: int


def plan(tx: Tx, *, incident: str, account: str, since: int, due_at: int) -> None:
    """Look at that time."""
    Q.insert_sweep(tx, id=new_id("s"), incident=incident, account=account, since=since, due_at=due_at)


def due(tx: Tx, now: int) -> list[Sweep]:
    """Those whose time has come."""
    return [
        Sweep(
            id=row["id"],
            incident=row["incident"],
            account=row["account"],
            since=row["since"],
            due_at=row["due_at"],
        )
        for row in Q.sweeps_due(tx, now=now)
    ]


def following(tx: Tx) -> int | None:
    """When the next one is due."""
    found = Q.next_sweep(tx)
    return None if found is None else int(found)


def how_many(tx: Tx, *, account: str, since: int) -> int:
    """How often the account was, or will be, looked at for the freeze that began then."""
    return sum(int(row["n"]) for row in Q.sweeps_of(tx, account=account, since=since))


def done(tx: Tx, sweep_id: str, *, now: int, why: str = "") -> None:
    """It was made; `why` not, if it could not be."""
    Q.sweep_done(tx, id=sweep_id, now=now, why=why)
