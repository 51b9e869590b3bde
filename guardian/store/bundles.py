"""Bundles of evidence in the store: which there are, how long they are kept, and every touch as a line of the journal.

Inside a caller's transaction. The files are elsewhere (`guardian/evidence`); a line of kind `custody`, or `snapshot
sealed`, is what they are held against later: whoever can change files cannot change the journal unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardian.errors import Mistake, Unfound
from guardian.model import Target
from guardian.store import journal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.model import Entry, Grade
    from guardian.store.database import Tx

CUSTODY, SEALED = "custody", "snapshot sealed"
WHO = "guardian"
LAST = (1 << 62, "")
MOST_LINES = 5_000


class About(NamedTuple):
    """What a bundle is about that belongs to no takedown."""

    account: str
    platform_id: str
    url: str | None = None
    post: str | None = None


class Kept(NamedTuple):
    """A bundle. `sha256` is of its last list of hashes; `held` says why a legal hold keeps it; times in ms."""

    name: str
    incident: str | None
    target: str | None
    account: str
    platform: str
    platform_id: str
    url: str | None
    post: str | None
    grade: str
    created_at: int
    seals: int
    sha256: str | None
    held: str | None
    erased_at: int | None
    purge_at: int | None


def record(  # noqa: PLR0913 (one parameter for each column)
    tx: Tx,
    name: str,
    *,
    platform: str,
    grade: Grade,
    now: int,
    target: Target | About,
    incident: str | None = None,
    keep: int | None = None,
    who: str = WHO,
) -> Kept:
    """Note a bundle that has been begun, to be kept for `keep` ms (None: until somebody decides)."""
    about = {"account": target.account, "platform_id": target.platform_id, "url": target.url, "post": target.post}
    facts = {"incident": incident, "target": target.id if isinstance(target, Target) else None, "platform": platform}
    Q.insert_bundle(
        tx, name=name, grade=grade, now=now, purge_at=None if keep is None else now + keep, **about, **facts
    )
    custody(tx, name, "created", who=who, now=now, account=target.account, platform_id=target.platform_id)
    return get(tx, name)


def sealed(tx: Tx, name: str, *, n: int, sha256: str, grade: Grade | None = None) -> None:
    """Note seal `n` and the hash of its list. The caller writes the line `snapshot sealed`, which says more."""
    Q.seal_bundle(tx, name=name, seal=n, sha256=sha256, grade=grade)


def get(tx: Tx, name: str) -> Kept:
    """One bundle. Raises Unfound."""
    row = Q.bundle_by_name(tx, name=name)
    if row is None:
        raise Unfound(
            f"cannot find the bundle {name[:100]!r}, because there is none", fix="look: guardian evidence list"
        )
    return Kept(**row)


def is_held(tx: Tx, *, account: str, platform_id: str) -> bool:
    """Whether a legal hold keeps the evidence of that post."""
    return bool(Q.evidence_held(tx, account=account, platform_id=platform_id))


def page(
    tx: Tx,
    *,
    cursor: str | None = None,
    limit: int,
    account: str | None = None,
    incident: str | None = None,
    post: str | None = None,
    held: bool = False,
) -> tuple[list[Kept], str | None]:
    """Bundles, the latest first, and the cursor of the next page. Raises Mistake for a bad cursor."""
    at, after = _place(cursor)
    rows = list(
        Q.bundles_before(
            tx, at=at, after=after, limit=limit + 1, account=account, incident=incident, post=post, held=int(held)
        )
    )
    found = [Kept(**row) for row in rows[:limit]]
    return found, f"{found[-1].created_at}.{found[-1].name}" if len(rows) > limit else None


def custody(tx: Tx, name: str | None, event: str, *, who: str, now: int, **more: object) -> Entry:
    """A line of the journal: what somebody did with a bundle; None: with what belongs to all of them."""
    return journal.append(tx, CUSTODY, who=who, now=now, bundle=name, event=event, **more)


def lines(tx: Tx, name: str) -> list[Entry]:
    """The lines of the journal about a bundle, the last MOST_LINES of them."""
    return journal.of_post(tx, name, limit=MOST_LINES)[0]


def seals(tx: Tx, name: str) -> dict[int, str]:
    """The hash of each seal's list, as the journal has it."""
    found = (entry.data for entry in lines(tx, name) if "seal" in entry.data and entry.kind == SEALED)
    return {int(str(data["seal"])): str(data["sha256"]) for data in found}


def hold(tx: Tx, name: str, *, reason: str, who: str, now: int) -> None:
    """A legal hold keeps it from now on."""
    Q.hold_bundle(tx, name=name, held=reason)
    custody(tx, name, "hold set", who=who, now=now, reason=reason)


def lift(tx: Tx, name: str, *, reason: str, who: str, now: int) -> None:
    """No legal hold keeps it any more."""
    Q.hold_bundle(tx, name=name, held=None)
    custody(tx, name, "hold lifted", who=who, now=now, reason=reason)


def erased(tx: Tx, name: str, *, now: int) -> None:
    """Other people's words are gone from it. The caller writes the line, which says why and what."""
    Q.bundle_erased(tx, name=name, now=now)


def to_erase(tx: Tx, *, before: int, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
    """Bundles that were made before a time and may still hold other people's words, from a place on: time and name."""
    rows = Q.bundles_to_erase(tx, before=before, at=after[0], after=after[1], limit=limit)
    return [(row["created_at"], row["name"]) for row in rows]


def to_purge(tx: Tx, *, now: int, limit: int) -> list[str]:
    """Bundles whose time is over."""
    return [row["name"] for row in Q.bundles_to_purge(tx, now=now, limit=limit)]


def forget(tx: Tx, name: str) -> None:
    """It is gone from the disk: only the journal knows it now."""
    Q.forget_stamps(tx, bundle=name)
    Q.forget_bundle(tx, name=name)


def _place(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return LAST
    at, dot, name = cursor.partition(".")
    if not dot or not at.isascii() or not at.isdigit() or len(at) > 18 or len(name) > 100:  # noqa: PLR2004 (64 bits)
        raise Mistake(
            "cannot go on from there, because that is no cursor of a page", fix="take it from the page before"
        )
    return int(at), name
