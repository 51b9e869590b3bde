"""What a post is to say, read from a request and checked as Mastodon checks it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from guardian.rehearsal.instance import ADDRESS_CHARACTERS, MOST_CHARACTERS
from guardian.rehearsal.messages import Refused
from guardian.rehearsal.polls import poll_of
from guardian.rehearsal.posts import Draft, Edition
from guardian.rehearsal.statuses import client_of

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.forms import Form
    from guardian.rehearsal.posts import Status

_ADDRESS = re.compile(r"https?://\S+")
_REMOTE_MENTION = re.compile(r"(?<![\w/])(@[\w.-]+)@[\w.:-]+\w")
_VISIBILITIES = frozenset({"public", "unlisted", "private", "direct"})


def characters(text: str) -> int:
    """How long Mastodon says that a text is. It counts graphemes; leaving out combining marks comes near enough."""
    counted = _REMOTE_MENTION.sub(r"\1", _ADDRESS.sub("x" * ADDRESS_CHARACTERS, text))
    return sum(1 for sign in unicodedata.normalize("NFC", counted) if not unicodedata.combining(sign))


def draft_of(call: Call) -> Draft:
    """Who may see the new post, what it answers or quotes, and which application sends it."""
    form = call.request.form
    visibility = form.one("visibility") or "public"
    if visibility not in _VISIBILITIES:
        raise Refused(422, f"'{visibility}' is not a valid visibility")
    return Draft(
        visibility=visibility,
        reply_to=_named(form, "in_reply_to_id"),
        quote_of=_named(form, "quoted_status_id"),
        client=client_of(call.request.head.token),
    )


def _named(form: Form, name: str) -> int | None:
    """The post that a field names; 0, which is no post, for what is no number."""
    return (form.number(name) or 0) if form.one(name) else None


def edition_of(call: Call, *, before: Status | None = None) -> Edition:
    """What the post says, its files taken for it. An edit replaces all: what is left out is gone.

    A file that any edition of the post had may be attached to it again.
    """
    form, shelf = call.request.form, call.world.shelf
    text, spoiler, wanted = form.one("status") or "", form.one("spoiler_text") or "", form.many("media_ids")
    poll = poll_of(form, next_id=call.world.memory.next_id, before=None if before is None else before.now.poll)
    if not text.strip() and not wanted:
        raise Refused(422, "Validation failed: Text can't be blank")
    if characters(text) + characters(spoiler) > MOST_CHARACTERS:
        raise Refused(422, f"Validation failed: Text character limit of {MOST_CHARACTERS} exceeded")
    if poll is not None and wanted:
        raise Refused(422, "Validation failed: Cannot attach files to a post with a poll")
    media = shelf.attach(wanted, owner=call.person, already=() if before is None else before.media)
    for number, description in _descriptions(form).items():
        if number in media:
            shelf.describe(number, description, owner=call.person)
    return Edition(
        text=text,
        spoiler=spoiler,
        sensitive=form.flag("sensitive") or bool(spoiler),
        language=form.one("language") or "en",
        media=media,
        descriptions=tuple(item.description for item in shelf.several(media)),
        poll=poll,
    )


def _descriptions(form: Form) -> dict[int, str | None]:
    """`media_attributes`, as far as they say what a file shows (JSON only)."""
    try:
        asked = [json.loads(text) for text in form.many("media_attributes")]
        return {int(one["id"]): str(one["description"]) for one in asked if one.get("description") is not None}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(400, "Bad Request") from error
