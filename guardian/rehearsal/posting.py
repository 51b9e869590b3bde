"""The routes that change something: posts and media; called by the thread that serves the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.rehearsal import scheduling
from guardian.rehearsal.composing import draft_of, edition_of
from guardian.rehearsal.messages import NOT_FOUND, Answer, Refused, json_answer
from guardian.rehearsal.posts import Draft, Edition
from guardian.rehearsal.scheduled import when
from guardian.rehearsal.statuses import client_of, now_ms

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.posts import Status


def create(call: Call) -> Answer:
    """`POST /api/v1/statuses`. A time that is past already means now, as Mastodon understands it."""
    draft, later = draft_of(call), call.request.form.one("scheduled_at")
    if later and (at_ms := when(later)) > now_ms():
        return scheduling.keep(call, at_ms, draft=draft, edition=edition_of(call))
    status, made = call.world.memory.publish(call.person, lambda: edition_of(call), draft=draft, key=call.key)
    body = json_answer(call.world.shapes.status(status, call.viewer)).body
    return Answer(body=body, status_id=str(status.id) if made else None)


def edit(call: Call) -> Answer:
    """`PUT /api/v1/statuses/:id`: replaces all, as Mastodon does; what is left out is gone."""
    status = call.world.memory.own_status(call.id, owner=call.person)
    edition = edition_of(call, before=status)
    edited = call.world.memory.edit(call.id, edition, owner=call.person)
    return json_answer(call.world.shapes.status(edited, call.viewer))


def delete(call: Call) -> Answer:
    """`DELETE /api/v1/statuses/:id`: unless the files are to go at once, they stay readable for about a day."""
    status = call.world.memory.delete(call.id, owner=call.person)
    answer = json_answer(call.world.shapes.deleted(status))
    forget = call.request.form.flag("delete_media") or call.request.head.query.flag("delete_media")
    call.world.shelf.release(status.media, forget=forget)
    return answer


def boost(call: Call) -> Answer:
    """`POST /api/v1/statuses/:id/reblog`: twice is once."""
    target = _original(call)
    if target.visibility not in ("public", "unlisted"):
        raise Refused(404, NOT_FOUND)
    mine = _own_boost(call, target)
    if mine is None:
        draft = Draft(boost_of=target.id, client=client_of(call.request.head.token))
        mine, _ = call.world.memory.publish(call.person, lambda: Edition(text=""), draft=draft)
    return json_answer(call.world.shapes.status(mine, call.viewer))


def unboost(call: Call) -> Answer:
    """`POST /api/v1/statuses/:id/unreblog`: answers the post itself, boosted before or not."""
    target = _original(call)
    mine = _own_boost(call, target)
    if mine is not None:
        call.world.memory.delete(mine.id, owner=call.person)
    return json_answer(call.world.shapes.status(target, call.viewer))


def _original(call: Call) -> Status:
    """The post that is named, or the one that the named boost shows."""
    found = call.world.memory.status(call.id, viewer=call.viewer)
    if found.draft.boost_of is None:
        return found
    return call.world.memory.status(found.draft.boost_of, viewer=call.viewer)


def _own_boost(call: Call, target: Status) -> Status | None:
    tied = call.world.memory.tied("boost", target.id)
    return next((one for one in tied if one.person.id == call.person.id), None)


def favourite(call: Call) -> Answer:
    """`POST /api/v1/statuses/:id/favourite`."""
    target = _original(call)
    call.world.favourites.add(target.id, call.person, number=call.world.memory.next_id())
    return json_answer(call.world.shapes.status(target, call.viewer))


def unfavourite(call: Call) -> Answer:
    """`POST /api/v1/statuses/:id/unfavourite`."""
    target = _original(call)
    call.world.favourites.remove(target.id, call.person)
    return json_answer(call.world.shapes.status(target, call.viewer))


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
