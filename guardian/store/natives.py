"""Posts that a platform itself would publish, as a freeze found them. Inside a caller's transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Unfound
from guardian.model import Native, Shown
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.store.database import Tx

LIST, HOLD, DELETE = "list", "hold", "delete"
LISTED, DEFERRED, DELETED, PUBLISHED, UNKNOWN = "listed", "deferred", "deleted", "published", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One of them, and what became of it. `files` name what was saved: `{"url", "type", "alt", "sha256"}`."""

    id: str
    incident: str
    account: str
    native: Native
    files: tuple[dict[str, Any], ...]
    state: str
    wanted: str
    why: str
    acted_at: int | None


def note(tx: Tx, *, incident: str, account: str, native: Native, wanted: str) -> tuple[Found, bool]:
    """Write it down, once for an incident, and what is wanted of it; with it whether it is new."""
    before = Q.native_of(tx, incident=incident, account=account, platform_id=native.id)
    files = [{"url": one.url, "type": one.type, "alt": one.alt, "sha256": None} for one in native.files]
    Q.insert_native(
        tx,
        id=new_id("n"),
        incident=incident,
        account=account,
        platform_id=native.id,
        due_at=native.due,
        text=native.text,
        raw=json.dumps(native.raw, ensure_ascii=False),
        files=json.dumps(files, ensure_ascii=False),
        wanted=wanted,
    )
    found = Q.native_of(tx, incident=incident, account=account, platform_id=native.id)
    if before is not None and wanted != LIST:
        Q.want_native(tx, id=found["id"], wanted=wanted)
        Q.relist_native(tx, id=found["id"])
    return get(tx, found["id"]), before is None


def get(tx: Tx, native_id: str) -> Found:
    """One of them. Raises Unfound."""
    row = Q.native_by_id(tx, id=native_id)
    if row is None:
        raise Unfound(
            f"cannot find {native_id!r}, because no such post was found on a platform", fix="look it up there"
        )
    return _found(row)


def of_incident(tx: Tx, incident: str, *, limit: int = 1000) -> list[Found]:
    """Those that an incident found, the next due first."""
    return [_found(row) for row in Q.natives_of_incident(tx, incident=incident, limit=limit)]


def wanted_of(tx: Tx, account: str) -> list[Found]:
    """Those of an account that something is still to be done with, the next due first."""
    return [_found(row) for row in Q.natives_wanted(tx, account=account)]


def accounts_wanting(tx: Tx) -> list[str]:
    """The accounts that have such posts."""
    return [str(row["account"]) for row in Q.accounts_with_natives_wanted(tx)]


def acting(tx: Tx, native_id: str, *, now: int) -> None:
    """A request about it is about to leave."""
    Q.native_acting(tx, id=native_id, now=now)


def end(tx: Tx, native_id: str, *, state: str, why: str) -> None:
    """What became of it."""
    Q.native_ended(tx, id=native_id, state=state, why=why)


def leave(tx: Tx, native_id: str, *, why: str) -> None:
    """Nothing is done with it any more: it waits on the platform as it did."""
    Q.native_left(tx, id=native_id, why=why)


def waits(tx: Tx, native_id: str, *, why: str) -> None:
    """Something is still to be done with it, and why not yet."""
    Q.native_waits(tx, id=native_id, why=why)


def saved(tx: Tx, native_id: str, files: Sequence[dict[str, Any]]) -> None:
    """Note what was saved of its files."""
    Q.native_files(tx, id=native_id, files=json.dumps(list(files), ensure_ascii=False))


def _found(row: Any) -> Found:  # noqa: ANN401 (a row of the database)
    files = tuple(json.loads(row["files"]))
    shown = tuple(Shown(url=one["url"], type=one["type"], alt=one["alt"]) for one in files)
    return Found(
        id=row["id"],
        incident=row["incident"],
        account=row["account"],
        native=Native(
            id=row["platform_id"], due=row["due_at"], text=row["text"], files=shown, raw=json.loads(row["raw"])
        ),
        files=files,
        state=row["state"],
        wanted=row["wanted"],
        why=row["why"],
        acted_at=row["acted_at"],
    )
