"""The routes that change something: posts and media; called by the thread that serves the connection."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from guardian.rehearsal.instance import ADDRESS_CHARACTERS, MOST_CHARACTERS
from guardian.rehearsal.messages import Answer, Refused, json_answer
from guardian.rehearsal.statuses import Edition

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call

_ADDRESS = re.compile(r"https?://\S+")
_REMOTE_MENTION = re.compile(r"(?<![\w/])(@[\w.-]+)@[\w.:-]+\w")
_VISIBILITIES = frozenset({"public", "unlisted", "private", "direct"})


def characters(text: str) -> int:
    """How long Mastodon says that a text is. It counts graphemes; leaving out combining marks comes near enough."""
    counted = _REMOTE_MENTION.sub(r"\1", _ADDRESS.sub("x" * ADDRESS_CHARACTERS, text))
    return sum(1 for sign in unicodedata.normalize("NFC", counted) if not unicodedata.combining(sign))


def create(call: Call) -> Answer:
    """`POST /api/v1/statuses`."""
    form = call.request.form
    if form.one("scheduled_at"):
        raise Refused(422, "Validation failed: Scheduled posts are not kept by the rehearsal platform")
    visibility = form.one("visibility") or "public"
    if visibility not in _VISIBILITIES:
        raise Refused(422, f"'{visibility}' is not a valid visibility")
    answered = form.one("in_reply_to_id") or None
    status, made = call.world.memory.publish(
        call.person,
        lambda: _edition(call),
        visibility=visibility,
        reply_to=None if answered is None else (form.number("in_reply_to_id") or 0),
        key=call.key,
    )
    body = json_answer(call.world.shapes.status(status)).body
    return Answer(body=body, status_id=str(status.id) if made else None)


def edit(call: Call) -> Answer:
    """`PUT /api/v1/statuses/:id`: replaces all, as Mastodon does; what is left out is gone."""
    status = call.world.memory.own_status(call.id, owner=call.person)
    edition = _edition(call, already=status.now.media)
    return json_answer(call.world.shapes.status(call.world.memory.edit(call.id, edition, owner=call.person)))


def _edition(call: Call, *, already: tuple[int, ...] = ()) -> Edition:
    form = call.request.form
    text, spoiler, wanted = form.one("status") or "", form.one("spoiler_text") or "", form.many("media_ids")
    if not text.strip() and not wanted:
        raise Refused(422, "Validation failed: Text can't be blank")
    if characters(text) + characters(spoiler) > MOST_CHARACTERS:
        raise Refused(422, f"Validation failed: Text character limit of {MOST_CHARACTERS} exceeded")
    return Edition(
        text=text,
        spoiler=spoiler,
        sensitive=form.flag("sensitive") or bool(spoiler),
        language=form.one("language") or "en",
        media=call.world.shelf.attach(wanted, owner=call.person, already=already),
    )


def delete(call: Call) -> Answer:
    """`DELETE /api/v1/statuses/:id`."""
    status = call.world.memory.delete(call.id, owner=call.person)
    answer = json_answer(call.world.shapes.deleted(status))
    forget = call.request.form.flag("delete_media") or call.request.head.query.flag("delete_media")
    used = {number for edition in status.editions for number in edition.media}
    call.world.shelf.release(used, forget=forget)
    return answer


def upload(call: Call) -> Answer:
    """`POST /api/v1/media` and `/api/v2/media`: ready at once, unless a fault says otherwise."""
    form = call.request.form
    if "file" not in form.files:
        raise Refused(422, "Validation failed: File can't be blank")
    item = call.world.shelf.put(
        call.world.memory.next_id(), form.files["file"], owner=call.person, description=form.one("description")
    )
    return json_answer(call.world.shapes.attachment(item))


def describe(call: Call) -> Answer:
    """`PUT /api/v1/media/:id`."""
    item = call.world.shelf.own(call.id, owner=call.person)
    description = call.request.form.one("description")
    item = call.world.shelf.describe(
        call.id, item.description if description is None else description, owner=call.person
    )
    return json_answer(call.world.shapes.attachment(item))
