"""The record of each part that went live: what is left of a post if the platform shows nothing any more.

Inside a caller's transaction. The record is JSON, compressed; its hash stands in the journal's line `published`.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Garbled
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.model import Part
    from guardian.store.database import Tx

FAST = 1
MOST_ALIKE = 50


@dataclass(frozen=True, slots=True)
class Alike:
    """A part of one of our posts that says the same as another."""

    post: str
    part: int
    account: str
    platform_id: str
    url: str | None


def said(part: Part) -> str:
    """A digest of the words and the files of a part, whoever says them."""
    content = [part.text, part.warning, [one.sha256 for one in part.media]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def keep(tx: Tx, post: str, part: int, record: dict[str, Any], *, said: str, now: int) -> str:
    """Keep the record of a part that went live; the SHA-256 of its bytes."""
    raw = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
    sha256 = hashlib.sha256(raw).hexdigest()
    Q.insert_publication(tx, post=post, part=part, at=now, sha256=sha256, record=zlib.compress(raw, FAST), said=said)
    return sha256


def raw(tx: Tx, post: str, part: int) -> bytes | None:
    """The record's bytes; None for what went live before there were records. Raises Garbled when they are not it."""
    row = Q.publication(tx, post=post, part=part)
    if row is None:
        return None
    try:
        found = zlib.decompress(row["record"])
    except zlib.error:
        found = b""
    if hashlib.sha256(found).hexdigest() != row["sha256"]:
        raise Garbled(f"cannot use the record of {post}, because it is not what was written: the store is damaged")
    return found


def alike(tx: Tx, post: str, part: int) -> list[Alike]:
    """The parts of other posts (and other parts) that say the same, and are live as far as we know; newest first."""
    return [Alike(**row) for row in Q.publications_alike(tx, post=post, part=part, limit=MOST_ALIKE)]
