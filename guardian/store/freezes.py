"""Freezes and epochs in the store: bookkeeping and coverage, never what the stop depends on.

Inside a caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.model import Freeze
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.model import Account
    from guardian.store.database import Tx


def set_covers(tx: Tx, accounts: Iterable[Account]) -> None:
    """Write down which scopes cover which account, as the configuration has it."""
    Q.clear_covers(tx)
    for account in accounts:
        for scope in account.scopes:
            Q.insert_cover(tx, account=account.name, scope=scope)


def add_covers(tx: Tx, accounts: Iterable[Account]) -> None:
    """The same for accounts that come or change while lanes run: what covered them until now covers them as well."""
    for account in accounts:
        for scope in account.scopes:
            Q.add_cover(tx, account=account.name, scope=scope)


def covered_by(tx: Tx, scopes: Iterable[str]) -> set[str]:
    """The names of the accounts that any of these scopes covers."""
    wanted = set(scopes)
    return {row["account"] for row in Q.covers(tx) if row["scope"] in wanted}


def epoch(tx: Tx, scope: str) -> int | None:
    """The epoch of a scope; None when the store has never seen it."""
    found = Q.scope_epoch(tx, scope=scope)
    return None if found is None else int(found)


def note_epoch(tx: Tx, scope: str, value: int) -> None:
    """Note an epoch; a lower one than is known already is ignored (invariant I9)."""
    Q.set_epoch(tx, scope=scope, epoch=value)


def record(tx: Tx, scope: str, *, reason: str, by: str, at: int, mark: str | None) -> Freeze:
    """Write down a freeze that the fence has carried out: a row, and the next epoch of its scope."""
    value = (epoch(tx, scope) or 0) + 1
    note_epoch(tx, scope, value)
    freeze_id = new_id("f")
    Q.insert_freeze(tx, id=freeze_id, scope=scope, reason=reason, by_whom=by, at=at, epoch=value, mark=mark)
    return next(freeze for freeze in in_force(tx) if freeze.id == freeze_id)


def lift(tx: Tx, freezes: Iterable[Freeze], scope: str, *, reason: str, by: str, now: int) -> int:
    """Lift these freezes of one scope; the next epoch, which its permit will carry.

    Where there are none, no time ends that a post could have missed.
    """
    mine = tuple(freezes)
    for freeze in mine:
        Q.lift_freeze(tx, id=freeze.id, now=now, by_whom=by, reason=reason)
    value = (epoch(tx, scope) or 0) + 1
    note_epoch(tx, scope, value)
    if mine:
        Q.note_lift(tx, scope=scope, now=now)
    return value


def in_force(tx: Tx) -> list[Freeze]:
    """Every freeze that nobody has lifted, oldest first."""
    return [to_freeze(row) for row in Q.freezes_in_force(tx)]


def history(tx: Tx, *, limit: int = 1000) -> list[Freeze]:
    """Every freeze there ever was, newest first."""
    return [to_freeze(row) for row in Q.freeze_history(tx, limit=limit)]


def held(tx: Tx) -> int:
    """How many posts wait behind the freezes in force."""
    return int(Q.held_count(tx) or 0)


def to_freeze(row: Any) -> Freeze:  # noqa: ANN401 (a row of the database)
    """A row as a Freeze."""
    return Freeze(
        id=row["id"],
        scope=row["scope"],
        reason=row["reason"],
        by=row["by_whom"],
        at=row["at"],
        epoch=row["epoch"],
        mark=row["mark"],
        lifted_at=row["lifted_at"],
        lifted_by=row["lifted_by"],
        lifted_reason=row["lifted_reason"],
    )
