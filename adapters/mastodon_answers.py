"""What a Mastodon server's answers say of a post, judged by their bytes alone: is it there, whose is it, what of it.

Pure; any thread may call. Nothing here believes a page that a proxy, a login or a queue put in the place of an answer.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.likeness import Likeness, likeness
from guardian.errors import Doubt
from guardian.model import Native, Presence, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.adapter import Answer

Json = dict[str, Any]

WITHDRAWN = "This post has been withdrawn."  # what a hidden post says
OK = 200
MISSING = 404
NO_MORE = (MISSING, 410)
SAID_OF_AN_ERROR = frozenset({"error", "error_description"})  # of Mastodon, Pleroma, GoToSocial: and no word more
LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")


def document(body: bytes) -> object:
    """What the bytes say as JSON; None when they are none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def status_in(body: bytes) -> Json | None:
    """The bytes as a post; None when they are none."""
    found = document(body)
    return found if isinstance(found, dict) and name_of(found) else None


def name_of(thing: object) -> str | None:
    """Its id as a string. Some servers say it as a number."""
    found = thing.get("id") if isinstance(thing, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and str(found) else None


def presence(answer: Answer, platform_id: str) -> Presence:
    """Gone, there or veiled only when the platform itself says so in its own form; else unknown.

    Gone is 404 or 410 with an error as the platform writes one: an object with nothing beside `error`. A proxy's page,
    a gateway's `{"message": ...}` and a framework's `{"status": 404, "error": ...}` are nobody's word on the post.
    """
    if answer.status in NO_MORE:
        return Presence.GONE if _is_error(document(answer.body)) else Presence.UNKNOWN
    status = status_in(answer.body) if answer.status == OK else None
    if status is None or name_of(status) != platform_id:
        return Presence.UNKNOWN
    return Presence.VEILED if is_veiled(status) else Presence.THERE


def is_veiled(status: Json) -> bool:
    """Whether it says our words and nothing else shows of what it said: no warning, no file, no poll, no preview."""
    content = status.get("content")
    left = (status.get(name) for name in ("spoiler_text", "media_attachments", "poll", "card", "quote", "reblog"))
    return isinstance(content, str) and not any(left) and likeness(content, WITHDRAWN) is Likeness.SAME


def _is_error(found: object) -> bool:
    words = found.get("error") if isinstance(found, dict) else None
    return isinstance(found, dict) and isinstance(words, str) and bool(words) and set(found) <= SAID_OF_AN_ERROR


def author(body: bytes) -> str | None:
    """The id of who wrote it; of a boost, who boosted."""
    status = status_in(body)
    return None if status is None else name_of(status.get("account"))


def files(thing: object) -> tuple[Shown, ...]:
    """The files of a post, or of one that is scheduled. What has no web address is left out."""
    found = (thing.get("media_attachments") if isinstance(thing, dict) else None) or ()
    return tuple(_shown(one) for one in found if _address(one)) if isinstance(found, list) else ()


def _shown(one: Json) -> Shown:
    kind, alt = one.get("type"), one.get("description")
    return Shown(
        url=_address(one), type=kind if isinstance(kind, str) else "unknown", alt=alt if isinstance(alt, str) else None
    )


def _address(one: object) -> str:
    said = one.get("url") if isinstance(one, dict) else None
    try:
        return said if isinstance(said, str) and urlsplit(said).scheme in ("https", "http") else ""
    except ValueError:
        return ""


def hindrance(status: Json) -> str | None:
    """Why an edit cannot hide this post; None when it can."""
    if status.get("reblog") is not None:
        return "it is a boost: the words are somebody else's"
    if status.get("poll") is not None:
        return "it has a poll: an edit would lose the poll and its votes"
    if status.get("quote") is not None:
        return "it quotes another post: an edit cannot take the quote out"
    return None


def language_of(status: Json) -> str | None:
    """The language that it is said to be in."""
    said = status.get("language")
    return said if isinstance(said, str) and LANGUAGE.fullmatch(said) else None


def edit_back(status: Json, source: object) -> dict[str, object] | None:
    """The edit that makes the post what it was, as the server takes it; None when its source is not known.

    A post that says the veil already is not what it was: nobody may take that for its words.
    """
    text = source.get("text") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(text, str) or text.strip() == WITHDRAWN:
        return None
    said = status.get("media_attachments")
    media = [one for one in said if name_of(one)] if isinstance(said, list) else []
    described = [
        {"id": name_of(one), "description": one["description"]}
        for one in media
        if isinstance(one.get("description"), str)
    ]
    language = language_of(status)
    return {
        "status": text,
        "spoiler_text": source.get("spoiler_text") or "",
        "sensitive": status.get("sensitive") is True,
        "media_ids": [name_of(one) for one in media],
        **({"media_attributes": described} if described else {}),
        **({"language": language} if language else {}),
    }


def natives(page: Sequence[object]) -> list[Native]:
    """Scheduled posts. Raises Doubt when one has no id or no time: nobody may think that he has seen them all."""
    return [_native(one) for one in page]


def _native(one: object) -> Native:
    platform_id = name_of(one)
    if not isinstance(one, dict) or platform_id is None:
        raise Doubt("cannot say what is scheduled at the server, because it lists something that has no id")
    said = one.get("params")
    params: Mapping[str, object] = said if isinstance(said, dict) else {}
    try:
        due = datetime.fromisoformat(one["scheduled_at"])
        at = round(due.timestamp() * 1000) if due.tzinfo else None
    except (KeyError, TypeError, ValueError, OverflowError):
        at = None
    if at is None:
        raise Doubt(f"cannot say when {platform_id} is due at the server, because it names no time for it")
    text, named, shown = params.get("text"), params.get("media_ids"), files(one)
    return Native(
        id=platform_id,
        due=at,
        text=text if isinstance(text, str) else "",
        files=shown,
        raw=one,
        unshown=max(len(named) - len(shown), 0) if isinstance(named, list) else 0,
    )
