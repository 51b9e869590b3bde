"""The gates beside a post: records that say who may answer it (threadgate) and who may quote it (postgate). Pure.

Any thread may call. A gate has the key of its post and hides nothing of it. What a person wrote into one (replies that
are hidden, quotes that are detached) stays in it, whatever is laid or lifted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json = dict[str, Any]

REPLIES, QUOTES = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
GATES = {Decision.CLOSE_REPLIES: REPLIES, Decision.DETACH_QUOTES: QUOTES}
RULE = "app.bsky.feed.postgate#disableRule"
MOST_DETACHED = 50  # the lexicon's
LAID = {REPLIES: ("allow",), QUOTES: ("embeddingRules", "detachedEmbeddingUris")}  # what a limit says in each
WORDS = {one.value: gate for one, gate in GATES.items()}  # what a post may ask for when it is published
BETWEEN = "+"


@dataclass(frozen=True, slots=True)
class Lifted:
    """What is left of a gate; `record` None: nothing, so that it goes."""

    record: Json | None


def asked_for(visibility: str | None) -> tuple[str, ...] | None:
    """The gates that a post is to have from the start; None when that is no way to say it."""
    if visibility in (None, "public"):
        return ()
    words = str(visibility).split(BETWEEN)
    known = tuple(WORDS[word] for word in words if word in WORDS)
    return known if len(set(known)) == len(words) else None


def in_force(gate: str, value: Mapping[str, Any]) -> bool:
    """Whether a gate as it stands lets nobody answer, or nobody quote."""
    if gate == REPLIES:
        return value.get("allow") == []
    rules = value.get("embeddingRules")
    return isinstance(rules, list) and any(isinstance(one, dict) and one.get("$type") == RULE for one in rules)


def laid(gate: str, post: str, *, before: Mapping[str, Any] | None, made: str, quotes: Sequence[str] = ()) -> Json:
    """The gate with the limit in it. `quotes` are those that are known: what shows the post in them shows it no more.

    At most fifty are detached, the ones first that were already.
    """
    record: Json = dict(before) if before is not None else {"$type": gate, "post": post, "createdAt": made}
    if gate == REPLIES:
        return {**record, "allow": []}
    already = [one for one in record.get("detachedEmbeddingUris") or () if isinstance(one, str)]
    detached = list(dict.fromkeys([*already, *quotes]))[:MOST_DETACHED]
    found = {**record, "embeddingRules": [{"$type": RULE}]}
    return {**found, "detachedEmbeddingUris": detached} if detached else found


def lifted(gate: str, now: Mapping[str, Any], *, before: Mapping[str, Any] | None) -> Lifted:
    """The gate without the limit: as it was `before`, with what people have written into it since."""
    record = {key: value for key, value in now.items() if key not in LAID[gate]}
    was = {key: before[key] for key in LAID[gate] if key in before} if before is not None else {}
    if before is None and not record.get("hiddenReplies"):
        return Lifted(None)
    return Lifted({**record, **was})


def says(record: Json, *more: str | None) -> frozenset[str]:
    """Every text in a record, and more that a request says beside it."""
    return frozenset([*_texts(record), *(one for one in more if one is not None)])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
