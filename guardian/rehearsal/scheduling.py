"""The routes of natively scheduled posts, and the door by which a test puts any into the list."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from guardian.rehearsal import paging
from guardian.rehearsal.forms import File
from guardian.rehearsal.messages import Refused, json_answer
from guardian.rehearsal.posts import Draft, Edition
from guardian.rehearsal.scheduled import Item, when
from guardian.rehearsal.shapes import iso
from guardian.rehearsal.statuses import now_ms

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call, World
    from guardian.rehearsal.messages import Answer, Json
    from guardian.rehearsal.posts import Person

_SEED_FIELDS = frozenset({"account", "text", "seconds", "at", "media", "spoiler_text", "visibility", "client"})


def publish(world: World, item: Item) -> None:
    """What the job does when it runs; it fails in silence, as there is nobody to tell."""
    try:
        world.memory.publish(item.person, lambda: item.edition, draft=item.draft)
    except Refused:  # what it answers is gone
        world.shelf.release(item.edition.media, forget=False)


def keep(call: Call, at_ms: int, *, draft: Draft, edition: Edition) -> Answer:
    """`POST /api/v1/statuses` with a time to come. The Idempotency-Key is ignored here, as some versions do."""
    item = _item(call.world, call.person, at_ms=at_ms, draft=draft, edition=edition)
    try:
        call.world.schedule.add(item)
    except Refused:
        call.world.shelf.release(edition.media, forget=False)
        raise
    return json_answer(shape(call.world, item))


def listed(call: Call) -> Answer:
    """`GET /api/v1/scheduled_statuses`."""
    window = paging.window_of(call)
    page = paging.cut([(item.id, item) for item in call.world.schedule.of(call.person)], window)
    return paging.answer(call, [(number, shape(call.world, item)) for number, item in page], limit=window.limit)


def one(call: Call) -> Answer:
    """`GET /api/v1/scheduled_statuses/:id`."""
    return json_answer(shape(call.world, call.world.schedule.get(call.id, owner=call.person)))


def defer(call: Call) -> Answer:
    """`PUT /api/v1/scheduled_statuses/:id`: another time, at least five minutes ahead."""
    at_ms = when(call.request.form.one("scheduled_at") or "")
    return json_answer(shape(call.world, call.world.schedule.defer(call.id, at_ms, owner=call.person)))


def delete(call: Call) -> Answer:
    """`DELETE /api/v1/scheduled_statuses/:id`: its files stay, and can be used again."""
    item = call.world.schedule.delete(call.id, owner=call.person)
    call.world.shelf.release(item.edition.media, forget=False)
    return json_answer({})


def shape(world: World, item: Item) -> Json:
    """A ScheduledStatus."""
    return {
        "id": str(item.id),
        "scheduled_at": iso(item.at_ms),
        "params": item.params,
        "media_attachments": world.shapes.attachments(item.edition),
    }


def seed(world: World, options: object) -> Json:
    """Put an item into the list at any time, `seconds` from now or `at` an ISO time; ValueError for a bad one.

    `media` are files: {"data": base64, "type": "image/png", "description": ...}, or ids of uploaded ones.
    """
    if not isinstance(options, dict) or not set(options) <= _SEED_FIELDS:
        raise ValueError("cannot schedule that, because it has other fields than " + ", ".join(sorted(_SEED_FIELDS)))
    person = world.memory.person(str(options.get("account", "acme")))
    if person is None:
        raise ValueError("cannot schedule that, because there is no such account")
    text, seconds = str(options.get("text", "")), options.get("seconds", 0)
    if not isinstance(seconds, int | float):
        raise ValueError("cannot schedule that, because seconds are a number")  # noqa: TRY004  # as any bad field is
    try:
        media = _seed_media(world, person, options.get("media", ()))
        at_ms = when(str(options["at"])) if "at" in options else now_ms() + int(seconds * 1000)
    except Refused as refused:
        raise ValueError(refused.message) from refused
    spoiler = str(options.get("spoiler_text", ""))
    described = tuple(item.description for item in world.shelf.several(media))
    edition = Edition(
        text=text, spoiler=spoiler, sensitive=bool(spoiler), language="en", media=media, descriptions=described
    )
    draft = Draft(visibility=str(options.get("visibility", "public")), client=str(options.get("client", "Web")))
    item = world.schedule.add(_item(world, person, at_ms=at_ms, draft=draft, edition=edition), free=True)
    return shape(world, item)


def _seed_media(world: World, person: Person, wanted: object) -> tuple[int, ...]:
    if not isinstance(wanted, list | tuple):
        raise ValueError("cannot schedule that, because media are a list")  # noqa: TRY004  # as any bad field is
    ids = []
    for file in wanted:
        if isinstance(file, dict):
            kept = File(base64.b64decode(file["data"], validate=True), str(file.get("type", "image/png")))
            number = world.memory.next_id()
            world.shelf.put(number, kept, owner=person, description=file.get("description"))
            ids.append(str(number))
        else:
            ids.append(str(file))
    return world.shelf.attach(ids, owner=person)


def _item(world: World, person: Person, *, at_ms: int, draft: Draft, edition: Edition) -> Item:
    poll = edition.poll
    params: Json = {
        "text": edition.text,
        "media_ids": [str(number) for number in edition.media] or None,
        "sensitive": edition.sensitive,
        "spoiler_text": edition.spoiler or None,
        "visibility": draft.visibility,
        "language": edition.language,
        "in_reply_to_id": None if draft.reply_to is None else str(draft.reply_to),
        "quoted_status_id": None if draft.quote_of is None else str(draft.quote_of),
        "poll": None if poll is None else {"options": list(poll.options), "multiple": poll.multiple},
        "scheduled_at": None,
        "idempotency": None,
        "application_id": 1,
        "with_rate_limit": False,
    }
    return Item(id=world.memory.next_id(), person=person, at_ms=at_ms, edition=edition, draft=draft, params=params)
