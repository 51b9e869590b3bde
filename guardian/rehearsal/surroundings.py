"""The routes that show what happened around a post: thread, boosters, likers, quotes; and the search for a post."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardian.rehearsal import paging
from guardian.rehearsal.messages import NOT_FOUND, Refused, json_answer
from guardian.rehearsal.shapes import poll_shape

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.messages import Answer
    from guardian.rehearsal.posts import Person

MOST_RELATIVES = 4096  # of each kind, for who shows a token
STRANGERS_ANCESTORS = 40
STRANGERS_DESCENDANTS = 60
STRANGERS_DEPTH = 20
_NUMBER = re.compile(r"(?<=/)[0-9]{1,20}\Z")
_PEOPLE = 40
_MOST_PEOPLE = 80


def context(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/context`: who shows no token sees less of it."""
    found = call.world.memory.status(call.id, viewer=call.viewer)
    above, below = call.world.memory.relatives(found, viewer=call.viewer)
    if call.viewer is None:
        above = above[-STRANGERS_ANCESTORS:]
        below = [one for one in below if one[0] <= STRANGERS_DEPTH][:STRANGERS_DESCENDANTS]
    shape = call.world.shapes.status
    return json_answer(
        {
            "ancestors": [shape(one, call.viewer) for one in above[-MOST_RELATIVES:]],
            "descendants": [shape(one, call.viewer) for _, one in below[:MOST_RELATIVES]],
        }
    )


def boosters(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/reblogged_by`, paged by the boosts' ids."""
    call.world.memory.status(call.id, viewer=call.viewer)
    return _people(call, [(boost.id, boost.person) for boost in call.world.memory.tied("boost", call.id)])


def likers(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/favourited_by`."""
    call.world.memory.status(call.id, viewer=call.viewer)
    return _people(call, call.world.favourites.of(call.id))


def _people(call: Call, found: list[tuple[int, Person]]) -> Answer:
    window = paging.window_of(call, usual=_PEOPLE, most=_MOST_PEOPLE)
    page = paging.cut(found, window)
    shapes = [(number, call.world.shapes.account(person)) for number, person in page]
    return paging.answer(call, shapes, limit=window.limit)


def quotes(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/quotes`."""
    call.world.memory.status(call.id, viewer=call.viewer)
    window = paging.window_of(call)
    tied = call.world.memory.tied("quote", call.id)
    page = paging.cut([(one.id, one) for one in tied if one.visible_to(call.viewer)], window)
    shapes = [(number, call.world.shapes.status(one, call.viewer)) for number, one in page]
    return paging.answer(call, shapes, limit=window.limit)


def poll(call: Call) -> Answer:
    """`GET /api/v1/polls/:id`."""
    for one in call.world.memory.everything():
        if one.now.poll is not None and one.now.poll.id == call.id and one.visible_to(call.viewer):
            return json_answer(poll_shape(one.now.poll))
    raise Refused(404, NOT_FOUND)


def search(call: Call) -> Answer:
    """`GET /api/v2/search`: finds a post by its address or its name on the federation, and nothing else."""
    query = call.request.head.query
    wanted, kind = query.one("q") or "", query.one("type")
    base = f"{call.world.url}/"
    number = _NUMBER.search(wanted) if wanted.startswith(base) and kind in (None, "statuses") else None
    found = call.world.memory.any_status(int(number[0])) if number else None
    shapes = call.world.shapes
    fits = (
        found is not None and found.visible_to(call.viewer) and wanted in (shapes.permalink(found), shapes.uri(found))
    )
    statuses = [shapes.status(found, call.viewer)] if found is not None and fits else []
    return json_answer({"accounts": [], "statuses": statuses, "hashtags": []})
