"""Attempts in the store: opened before a byte may leave, closed with what the receipt proves.

Inside a caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.model import Attempt
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.model import Post
    from guardian.store.database import Tx


def begin(tx: Tx, post: Post, *, key: str, now: int) -> str:
    """Write down the intent to send the part that is due; its id. The database refuses a second open one."""
    attempt = new_id("a")
    Q.open_attempt(tx, id=attempt, post=post.id, account=post.account, part=post.live, key=key, now=now)
    return attempt


def end(tx: Tx, attempt: str, *, outcome: str, detail: str | None, now: int) -> None:
    """Write down what is known of an attempt."""
    Q.close_attempt(tx, id=attempt, outcome=outcome, detail=detail, now=now)


def resolve(tx: Tx, attempt: str, *, outcome: str, detail: str | None) -> None:
    """Say what an unknown attempt turned out to be."""
    Q.resolve_attempt(tx, id=attempt, outcome=outcome, detail=detail)


def look_noted(tx: Tx, attempt: str, *, now: int) -> None:
    """The platform was asked once more."""
    Q.look_noted(tx, id=attempt, now=now)


def open_of(tx: Tx, post_id: str) -> str | None:
    """The id of the post's open attempt."""
    row = Q.open_attempt_of(tx, post=post_id)
    return None if row is None else str(row["id"])


def of_post(tx: Tx, post_id: str) -> list[Attempt]:
    """Every attempt of a post, oldest first."""
    return [to_attempt(row) for row in Q.attempts_of(tx, post=post_id)]


def unknown(tx: Tx, account: str) -> list[Any]:
    """The unresolved attempts of an account as rows, with `looks` and `looked_at`."""
    return [row for row in Q.unknown_attempts(tx) if row["account"] == account]


def first_at(tx: Tx, post: Post, otherwise: int) -> int:
    """When the part that is due may first have left."""
    found = Q.first_attempt_at(tx, post=post.id, part=post.live)
    return otherwise if found is None else int(found)


def last_sent(tx: Tx, account: str, *, now: int) -> int | None:
    """When something of the account last left, or may have."""
    found = Q.last_sent(tx, account=account, now=now)
    return None if found is None else int(found)


def known_ids(tx: Tx, account: str) -> frozenset[str]:
    """The platform ids of the account's posts: whoever looks for a lost one passes these over."""
    return frozenset(row["platform_id"] for row in Q.platform_ids(tx, account=account))


def is_known(tx: Tx, account: str, platform_id: str) -> bool:
    """Whether the platform's id belongs to a part of one of the account's posts already."""
    return bool(Q.platform_id_known(tx, account=account, platform_id=platform_id))


def are_open(tx: Tx, account: str) -> bool:
    """Whether it is not known yet of some part of the account's whether it is live."""
    return bool(Q.posts_in_doubt(tx, account=account))


def twins_answered(tx: Tx, post: Post) -> int:
    """How often the platform answered an attempt at the part that is due with the id of another."""
    return int(Q.twins_answered(tx, post=post.id, part=post.live) or 0)


def in_flight(tx: Tx, *, since: int) -> list[Any]:
    """Attempts that were open at some time since then, as rows."""
    return list(Q.in_flight_since(tx, since=since))


def count_in_flight(tx: Tx) -> int:
    """How many attempts are open now."""
    return int(Q.count_in_flight(tx) or 0)


def half_sent(tx: Tx) -> list[Any]:
    """Threads of which some parts are live and others not, in whatever state, as rows like those of `in_flight`."""
    return list(Q.half_sent(tx))


def to_attempt(row: Any) -> Attempt:  # noqa: ANN401 (a row of the database)
    """A row as an Attempt."""
    return Attempt(
        id=row["id"],
        post=row["post"],
        account=row["account"],
        part=row["part"],
        key=row["key"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=row["outcome"],
        detail=row["detail"],
    )
