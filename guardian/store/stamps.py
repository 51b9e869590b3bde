"""Time stamps that are wanted: one for each seal and authority. Inside a caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.store.database import Tx

MINUTE, HOUR = 60_000, 3_600_000
WAITS = (
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    4 * HOUR,
    12 * HOUR,
    24 * HOUR,
)  # then every day: a late one still counts


class Wanted(NamedTuple):
    """A stamp: of which seal, by whom, when it is asked for next (ms), how often that failed and why."""

    bundle: str
    seal: int
    authority: str
    due_at: int
    done_at: int | None
    tries: int
    why: str | None


def want(tx: Tx, bundle: str, seal: int, authorities: Iterable[str], *, now: int) -> None:
    """Have a seal stamped by each of them, as soon as may be; one that is wanted already is not wanted twice."""
    for authority in authorities:
        Q.want_stamp(tx, bundle=bundle, seal=seal, authority=authority, now=now)


def due(tx: Tx, *, now: int, limit: int) -> list[Wanted]:
    """Those to be asked for now, the one that waits longest first."""
    return [Wanted(**row) for row in Q.stamps_due(tx, now=now, limit=limit)]


def next_due(tx: Tx) -> int | None:
    """When the next one is to be asked for; None: all are there."""
    found = Q.next_stamp(tx)
    return None if found is None else int(found)


def of_bundle(tx: Tx, bundle: str) -> list[Wanted]:
    """Every stamp of a bundle, there or not."""
    return [Wanted(**row) for row in Q.stamps_of(tx, bundle=bundle)]


def done(tx: Tx, stamp: Wanted, *, now: int) -> None:
    """It is there."""
    Q.stamp_done(tx, bundle=stamp.bundle, seal=stamp.seal, authority=stamp.authority, now=now)


def failed(tx: Tx, stamp: Wanted, *, why: str, now: int) -> int:
    """It is not, for this reason; when it is asked for again: later each time."""
    again = now + WAITS[min(stamp.tries, len(WAITS) - 1)]
    Q.stamp_failed(tx, bundle=stamp.bundle, seal=stamp.seal, authority=stamp.authority, due_at=again, why=why)
    return again


def forget(tx: Tx, stamp: Wanted) -> None:
    """Nobody wants it any more."""
    Q.forget_stamp(tx, bundle=stamp.bundle, seal=stamp.seal, authority=stamp.authority)
