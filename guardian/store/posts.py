"""Posts in the store: entering, claiming, moving by the law.

Every function runs inside a caller's transaction.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Garbled, Illegal, Mistake, Unfound
from guardian.model import Event, Media, Part, Post, State
from guardian.rules.lifecycle import advance
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guardian.store.database import Tx


SEALED = (
    "id", "account", "text", "warning", "language", "visibility", "tags", "ref", "digest", "created_at", "created_by",
)  # fmt: skip
HORIZON = 10 * 60_000  # a loop sleeps for a minute at the most
SEALED_IF_THERE = ("media", "tail", "campaign")  # left out where there is none: so older seals still fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to enter; `at_text` is the time as they wrote it, part of what makes two records the same.

    `wall` is that time where it has no offset of its own: it is computed anew when the rules of its zone change.
    """

    account: str
    at: int
    at_text: str
    zone: str | None
    wall: str | None = None
    part: Part
    tail: tuple[Part, ...] = ()
    tags: tuple[str, ...] = ()
    campaign: str | None = None
    ref: str | None = None

    def digest(self) -> str:
        """The content in one hash: the same ref with another digest is an error."""
        part = self.part
        content = [self.at_text, self.zone, part.text, part.warning, part.language, part.visibility, list(self.tags)]
        content += [media_text(part.media)] if part.media else []
        content += [tail_text(self.tail)] if self.tail else []
        content += [f"campaign {self.campaign}"] if self.campaign is not None else []
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
    """Put a draft into the queue. Raises Mistake when its ref names other content, or its campaign has one there."""
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
    there = variant(tx, draft)
    if there is not None:
        raise Mistake(second_variant(draft, there), fix="give it another time, or cancel that one first")
    row = prepare(draft, now=now, who=who)
    enter_prepared(tx, [row], tags_of(row))
    return Entered(get(tx, str(row["id"])))


def variant(tx: Tx, draft: Draft) -> str | None:
    """The post that its account has in the same campaign for the same moment, if any: a second would be a mistake."""
    if draft.campaign is None:
        return None
    found = Q.variant_at(tx, campaign=draft.campaign, account=draft.account, at=draft.at)
    return None if found is None else str(found)


def second_variant(draft: Draft, there: str) -> str:
    """Why a draft is a mistake whose campaign has a variant in its place already."""
    because = f"because {there} is its variant for {draft.account} at the same time"
    return f"cannot enter a second one of campaign {draft.campaign!r}, {because}"


def prepare(draft: Draft, *, now: int, who: str) -> dict[str, Any]:
    """The row that a draft becomes, with an id and a seal, not entered yet."""
    never_changes = {
        "id": new_id("p"),
        "account": draft.account,
        "text": draft.part.text,
        "warning": draft.part.warning,
        "language": draft.part.language,
        "visibility": draft.part.visibility,
        "media": media_text(draft.part.media),
        "tail": tail_text(draft.tail),
        "tags": json.dumps(list(draft.tags)),
        "campaign": draft.campaign,
        "ref": draft.ref,
        "digest": draft.digest(),
        "created_at": now,
        "created_by": who,
    }
    changes = {"parts": 1 + len(draft.tail), "at": draft.at, "now": now, "zone": draft.zone, "wall": draft.wall}
    return {**never_changes, **changes, "seal": seal(never_changes)}


def tags_of(row: Mapping[str, object]) -> list[dict[str, object]]:
    """What the index of tags must know of a row that `prepare` made."""
    if row["tags"] == "[]":
        return []
    return [{"tag": name, "post": row["id"]} for name in {json.dumps(tag) for tag in json.loads(str(row["tags"]))}]


def enter_prepared(tx: Tx, rows: Iterable[Mapping[str, object]], tags: Iterable[Mapping[str, object]]) -> None:
    """Put rows into the queue as `prepare` made them, in their order, and their tags, best in that of tag and post.

    No ref of theirs may be in the store.
    """
    tx.executemany(Q.insert_post.sql, rows)
    tx.executemany(Q.insert_tags.sql, tags)


def refs_since(tx: Tx, seq: int) -> Iterator[tuple[str, str, str, str]]:
    """Account, ref, post and digest of what was entered after the post of that number."""
    for row in Q.refs_since(tx, seq=seq):
        yield row["account"], row["ref"], row["id"], row["digest"]


def variants_since(tx: Tx, seq: int) -> Iterator[Mapping[str, Any]]:
    """The variants of campaigns (id, campaign, account, ref, at) entered after the post of that number."""
    yield from Q.variants_since(tx, seq=seq)


def seal(row: Mapping[str, object]) -> str:
    """One hash over what of a post never changes."""
    content = [row[name] for name in SEALED]
    content += [f"{name} {row[name]}" for name in SEALED_IF_THERE if row.get(name) is not None]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, default=str).encode()).hexdigest()


def get(tx: Tx, post_id: str) -> Post:
    """One post. Raises Unfound."""
    row = Q.post_by_id(tx, id=post_id)
    if row is None:
        raise Unfound(f"cannot find {post_id!r}, because no post has that id", fix="look it up: guardian queue list")
    return to_post(row)


def changed_at(tx: Tx, post_id: str) -> int:
    """Since when the post is where it is. Raises Unfound."""
    row = Q.post_by_id(tx, id=post_id)
    return get(tx, post_id).entered_at if row is None else int(row["changed_at"])


def key_of(post: Post, *, twins: int = 0) -> str:
    """The idempotency key of the part that is due: the same for every attempt at it, another for any other.

    `twins` counts how often the platform has answered this key with another post's id: that key is used up.
    """
    part = post.due_part
    content = [post.id, part.text, part.warning, part.language, part.visibility]
    content += [media_text(part.media)] if part.media else []
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    return "-".join([post.id, *([str(post.live)] if post.live else []), digest, *([str(twins)] if twins else [])])


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
    """When the next post of an account that may still be sent falls due; None when that is further than HORIZON away.

    A lane looks again sooner than that. Were a whole year's plan on hold, it would pass all of it each time.
    """
    found = Q.next_due(
        tx,
        account=account,
        late_before=now - late_after,
        horizon=now + HORIZON,
        frozen_until=frozen_until(tx, account, now=now),
    )
    return None if found is None else int(found)


def is_started(tx: Tx, account: str, *, now: int, late_after: int) -> bool:
    """Whether a thread of the account waits for its next part, and may go on."""
    frozen = frozen_until(tx, account, now=now)
    return Q.started_post(tx, account=account, now=now, late_before=now - late_after, frozen_until=frozen) is not None


def move(tx: Tx, post_id: str, event: Event, *, now: int, why: str | None = None) -> Post:
    """One step by the law.

    Raises Illegal, and changes nothing, when the law has no such step from where the post is.
    """
    post = get(tx, post_id)
    to_state = advance(post.state, event)
    row = Q.move_post(tx, id=post_id, from_state=post.state, to_state=to_state, why=why, now=now)
    return _moved(row, post_id)


def land(tx: Tx, post_id: str, *, platform_id: str, url: str | None, now: int) -> Post:
    """The part that was due is live, under this id; with its last part, the post is published."""
    post = get(tx, post_id)
    to_state = advance(post.state, Event.LANDED if post.live == len(post.tail) else Event.GO_ON)
    if post.live:
        facts = {"post": post_id, "nr": post.live, "account": post.account, "platform_id": platform_id, "url": url}
        Q.land_part(tx, **facts, now=now)
    row = Q.land_post(
        tx, id=post_id, from_state=post.state, to_state=to_state, platform_id=platform_id, url=url, now=now
    )
    return _moved(row, post_id)


def parent(tx: Tx, post: Post) -> str | None:
    """The platform's id of the part before the one that is due; None for the first."""
    if post.live <= 1:
        return post.platform_id if post.live else None
    found = Q.part_landed(tx, post=post.id, nr=post.live - 1)
    return None if found is None else str(found["platform_id"])


def live_parts(tx: Tx, post: Post) -> list[tuple[str, str | None]]:
    """The platform's id and the address of every part that is live, in order."""
    head = [(post.platform_id, post.url)] if post.live and post.platform_id is not None else []
    return head + [(row["platform_id"], row["url"]) for row in Q.parts_landed(tx, post=post.id)]


def re_enter(
    tx: Tx,
    post_id: str,
    event: Event,
    *,
    at: int,
    zone: str | None,
    now: int,
    wall: str | None = None,
    pace: int | None = None,
) -> Post:
    """A person puts the post back into the queue with a new time (release, reschedule).

    `wall` as in a Draft; `pace` is the least time in ms between it and another released post of its account.
    """
    post = get(tx, post_id)
    advance(post.state, event)
    row = Q.enter_post(
        tx, id=post_id, from_state=post.state, at=at, zone=zone or post.zone, wall=wall, pace=pace, now=now
    )
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


def new_id(letter: str) -> str:
    """A new id of ours: a letter and 80 random bits."""
    return f"{letter}-{base64.b32encode(os.urandom(10)).decode().lower()}"


def to_post(row: Any) -> Post:  # noqa: ANN401 (a row of the database)
    """A row as a Post."""
    shown = {"warning": row["warning"], "language": row["language"], "visibility": row["visibility"]}
    tail = json.loads(row["tail"]) if row["tail"] else []
    return Post(
        id=row["id"],
        account=row["account"],
        state=State(row["state"]),
        at=row["at"],
        entered_at=row["entered_at"],
        part=Part(text=row["text"], media=to_media(row["media"]), **shown),
        tail=tuple(Part(text=one["text"], media=_media(one["media"]), **shown, follows=True) for one in tail),
        live=row["live"],
        zone=row["zone"],
        wall=row["wall"],
        tags=tuple(json.loads(row["tags"])),
        campaign=row["campaign"],
        ref=row["ref"],
        why=row["why"],
        platform_id=row["platform_id"],
        url=row["url"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


def media_text(media: Sequence[Media]) -> str | None:
    """The pictures of a part as the store keeps them."""
    return json.dumps(_plain(media)) if media else None


def to_media(text: str | None) -> tuple[Media, ...]:
    """What `media_text` made."""
    return _media(json.loads(text)) if text else ()


def tail_text(tail: Sequence[Part]) -> str | None:
    """The parts of a thread after its first as the store keeps them; how they are shown is the first one's."""
    return json.dumps([{"text": part.text, "media": _plain(part.media)} for part in tail]) if tail else None


def _plain(media: Sequence[Media]) -> list[dict[str, Any]]:
    return [asdict(one) for one in media]


def _media(plain: list[dict[str, Any]]) -> tuple[Media, ...]:
    return tuple(Media(**one) for one in plain)


def _moved(row: Any, post_id: str) -> Post:  # noqa: ANN401 (a row of the database)
    if row is None:
        raise Illegal(f"cannot move {post_id}, because somebody else just did", fix="look again")
    return to_post(row)
