"""What is known of the files in the spool: kind, size, pixels, who handed them over.

Every function runs inside a caller's transaction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardian.errors import Unfound
from guardian.model import Media
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.store.database import Tx

HASH = re.compile(r"[0-9a-f]{64}")
STRETCH = 20_000  # posts looked through at a time, so that nobody waits long for the view of the store


def note(tx: Tx, found: Media, *, now: int, who: str) -> bool:
    """Write down what a file is; whether it was known already."""
    known = find(tx, found.sha256) is not None
    Q.note_media(
        tx,
        sha256=found.sha256,
        type=found.type,
        size=found.size,
        width=found.width,
        height=found.height,
        now=now,
        by_whom=who,
    )
    return known


def get(tx: Tx, sha256: str) -> Media:
    """What that file is. Raises Unfound: a post may show only what this knows, in the transaction that enters it."""
    found = find(tx, sha256)
    if found is None:
        raise Unfound(
            f"cannot find the file {sha256[:80]}, because it is not in the spool", fix="hand the file over again"
        )
    return found


def unseen(tx: Tx, *, before: int) -> set[str]:
    """What nobody has handed over since `before` (ms)."""
    return {str(row["sha256"]) for row in Q.media_unseen(tx, before=before)}


def find(tx: Tx, sha256: str) -> Media | None:
    """What that file is, if it is written down."""
    row = Q.media_by_hash(tx, sha256=sha256)
    if row is None:
        return None
    return Media(sha256=row["sha256"], type=row["type"], size=row["size"], width=row["width"], height=row["height"])


def forget(tx: Tx, sha256: str, *, before: int) -> None:
    """Strike it out, unless it was handed over again since `before` (ms)."""
    Q.forget_media(tx, sha256=sha256, before=before)


def last_post(tx: Tx) -> int:
    """Where the stretches of `shown` end."""
    return int(Q.last_seq(tx) or 0)


def shown(tx: Tx, *, after: int, upto: int) -> Iterator[str]:
    """The hashes that the posts of a stretch name, whatever their state: the proof of what was published stays."""
    for row in Q.posts_with_media(tx, after=after, upto=upto):
        for text in (row["media"], row["tail"]):
            yield from HASH.findall(text or "")
