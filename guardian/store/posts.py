"""Posts in the store: entering, claiming, moving by the law, listing.

Every function runs inside a caller's transaction.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Garbled, Illegal, Mistake, Unfound
from guardian.model import Event, Part, Post, State
from guardian.rules.lifecycle import advance
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.store.database import Tx


SEALED = (
    "id", "account", "text", "warning", "language", "visibility", "tags", "ref", "digest", "created_at", "created_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to enter; `at_text` is the time as they wrote it, part of what makes two records the same."""

    account: str
    at: int
    at_text: str
    zone: str | None
    part: Part
    tags: tuple[str, ...] = ()
    ref: str | None = None

    def digest(self) -> str:
        """The content in one hash: the same ref with another digest is an error."""
        part = self.part
        content = [self.at_text, self.zone, part.text, part.warning, part.language, part.visibility, list(self.tags)]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entered:
    """The post is in the queue."""

    post: Post


@dataclass(frozen=True, slots=True)
class Known:
    """The same content with the same ref is there already; nothing was done."""

    post: Post


def enter(tx: Tx, draft: Draft, *, now: int, who: str) -> Entered | Known:
    """Put a draft into the queue. Raises Mistake when its ref names other content."""
    digest = draft.digest()
    if draft.ref is not None:
        row = Q.post_by_ref(tx, account=draft.account, ref=draft.ref)
        if row is not None and row["digest"] != digest:
            raise Mistake(
                f"cannot enter ref {draft.ref!r}, because {row['id']} has it with other content",
                fix="give it another ref",
            )
        if row is not None:
            return Known(to_post(row))
    never_changes = {
        "id": new_id("p"),
        "account": draft.account,
        "text": draft.part.text,
        "warning": draft.part.warning,
        "language": draft.part.language,
        "visibility": draft.part.visibility,
        "tags": json.dumps(list(draft.tags)),
        "ref": draft.ref,
        "digest": digest,
        "created_at": now,
        "created_by": who,
    }
    Q.insert_post(tx, **never_changes, at=draft.at, now=now, zone=draft.zone, seal=seal(never_changes))
    return Entered(get(tx, str(never_changes["id"])))


def seal(row: Mapping[str, object]) -> str:
    """One hash over what of a post never changes."""
    content = [row[name] for name in SEALED]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, default=str).encode()).hexdigest()


def get(tx: Tx, post_id: str) -> Post:
    """One post. Raises Unfound."""
    row = Q.post_by_id(tx, id=post_id)
    if row is None:
        raise Unfound(f"cannot find {post_id!r}, because no post has that id", fix="look it up: guardian queue list")
    return to_post(row)


def key_of(post: Post, *, twins: int = 0) -> str:
    """The idempotency key: the same for every attempt at the same content, another for any other.

    `twins` counts how often the platform has answered this key with another post's id: that key is used up.
    """
    part = post.part
    content = json.dumps([post.id, part.text, part.warning, part.language, part.visibility])
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return f"{post.id}-{digest}-{twins}" if twins else f"{post.id}-{digest}"


def claim(tx: Tx, account: str, *, now: int, late_after: int) -> Post | None:
    """Take the next due post of an account; None when none is due or a freeze covers the account.

    Raises Garbled when the post is not what was entered any more.
    """
    row = Q.claim_due(
        tx, account=account, now=now, late_before=now - late_after, frozen_until=frozen_until(tx, account, now=now)
    )
    if row is not None and row["seal"] is not None and row["seal"] != seal(row):
        raise Garbled(f"cannot send {row['id']}, because its content is not what was entered: the store is damaged")
    return None if row is None else to_post(row)


def next_due(tx: Tx, account: str, *, now: int, late_after: int) -> int | None:
    """When the next post of an account that may still be sent falls due."""
    found = Q.next_due(
        tx, account=account, late_before=now - late_after, frozen_until=frozen_until(tx, account, now=now)
    )
    return None if found is None else int(found)


def move(tx: Tx, post_id: str, event: Event, *, now: int, why: str | None = None) -> Post:
    """One step by the law.

    Raises Illegal, and changes nothing, when the law has no such step from where the post is.
    """
    post = get(tx, post_id)
    to_state = advance(post.state, event)
    row = Q.move_post(tx, id=post_id, from_state=post.state, to_state=to_state, why=why, now=now)
    return _moved(row, post_id)


def land(tx: Tx, post_id: str, *, platform_id: str, url: str | None, now: int) -> Post:
    """The post is live, under this id."""
    post = get(tx, post_id)
    advance(post.state, Event.LANDED)
    row = Q.land_post(tx, id=post_id, from_state=post.state, platform_id=platform_id, url=url, now=now)
    return _moved(row, post_id)


def re_enter(tx: Tx, post_id: str, event: Event, *, at: int, zone: str | None, now: int) -> Post:
    """A person puts the post back into the queue with a new time (release, reschedule)."""
    post = get(tx, post_id)
    advance(post.state, event)
    row = Q.enter_post(tx, id=post_id, from_state=post.state, at=at, zone=zone or post.zone, now=now)
    return _moved(row, post_id)


def miss(tx: Tx, account: str, *, now: int, late_after: int) -> list[str]:
    """Miss every post of an account whose time has passed; their ids."""
    rows = Q.miss_late(
        tx, account=account, now=now, late_before=now - late_after, frozen_until=frozen_until(tx, account, now=now)
    )
    return [row["id"] for row in rows]


def frozen_until(tx: Tx, account: str, *, now: int) -> int:
    """The last moment at which a freeze covered the account; 0 when none ever did."""
    return int(Q.frozen_until(tx, account=account, now=now) or 0)


def page(
    tx: Tx, *, account: str | None, state: str | None, cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """A page of posts in the order of their time, as rows with `held_by`, and the cursor of the next page."""
    after_at, after_seq = _cursor(cursor)
    rows = list(
        Q.posts_after(tx, account=account, state=state, after_at=after_at, after_seq=after_seq, limit=limit + 1)
    )
    more = rows[limit - 1 : limit] if len(rows) > limit else []
    return rows[:limit], f"{more[0]['at']}.{more[0]['seq']}" if more else None


def _cursor(text: str | None) -> tuple[int, int]:
    if text is None:
        return -1, -1
    at, _, seq = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        raise Mistake(f"cannot go on from {text!r}, because it is no cursor", fix="begin again without one")
    return int(at), int(seq)


def new_id(letter: str) -> str:
    """A new id of ours: a letter and 80 random bits."""
    return f"{letter}-{base64.b32encode(os.urandom(10)).decode().lower()}"


def to_post(row: Any) -> Post:  # noqa: ANN401 (a row of the database)
    """A row as a Post."""
    return Post(
        id=row["id"],
        account=row["account"],
        state=State(row["state"]),
        at=row["at"],
        entered_at=row["entered_at"],
        part=Part(text=row["text"], warning=row["warning"], language=row["language"], visibility=row["visibility"]),
        zone=row["zone"],
        tags=tuple(json.loads(row["tags"])),
        ref=row["ref"],
        why=row["why"],
        platform_id=row["platform_id"],
        url=row["url"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


def _moved(row: Any, post_id: str) -> Post:  # noqa: ANN401 (a row of the database)
    if row is None:
        raise Illegal(f"cannot move {post_id}, because somebody else just did", fix="look again")
    return to_post(row)
