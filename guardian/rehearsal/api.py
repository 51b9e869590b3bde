"""The routes of the Mastodon client API as one table, and the way to them; for the threads that serve connections."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardian.rehearsal import instance, page, posting, reading, scheduling, surroundings
from guardian.rehearsal.calls import Call
from guardian.rehearsal.messages import BAD_TOKEN, NOT_FOUND, Refused, error_answer
from guardian.rehearsal.rights import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.calls import World
    from guardian.rehearsal.messages import Answer, Request
    from guardian.rehearsal.posts import Person


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[Call], Answer]
    token: bool
    right: str | None = None  # the scope that a token must have for it


WRITE = "write:statuses"


def _route(
    method: str, path: str, answer: Callable[[Call], Answer], *, token: bool = False, right: str | None = None
) -> Route:
    return Route(method, re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path)), answer, token, right)


ROUTES = (
    _route("POST", "/api/v1/apps", reading.register_app),
    _route("GET", "/api/v1/apps/verify_credentials", reading.verify_app, token=True),
    _route("GET", "/oauth/token/info", reading.token_info, token=True),
    _route("GET", "/api/v1/accounts/verify_credentials", reading.verify_credentials, token=True),
    _route("GET", "/api/v1/accounts/lookup", reading.lookup),
    _route("GET", "/api/v1/accounts/:id", reading.account),
    _route("GET", "/api/v1/accounts/:id/statuses", reading.account_statuses),
    _route("GET", "/api/v1/instance", instance.instance_v1),
    _route("GET", "/api/v2/instance", instance.instance_v2),
    _route("POST", "/api/v1/statuses", posting.create, token=True, right=WRITE),
    _route("GET", "/api/v1/statuses/:id", reading.status),
    _route("PUT", "/api/v1/statuses/:id", posting.edit, token=True, right=WRITE),
    _route("DELETE", "/api/v1/statuses/:id", posting.delete, token=True, right=WRITE),
    _route("GET", "/api/v1/statuses/:id/source", reading.source, token=True),
    _route("GET", "/api/v1/statuses/:id/context", surroundings.context),
    _route("GET", "/api/v1/statuses/:id/history", reading.history),
    _route("GET", "/api/v1/statuses/:id/reblogged_by", surroundings.boosters),
    _route("GET", "/api/v1/statuses/:id/favourited_by", surroundings.likers),
    _route("GET", "/api/v1/statuses/:id/quotes", surroundings.quotes),
    _route("POST", "/api/v1/statuses/:id/reblog", posting.boost, token=True),
    _route("POST", "/api/v1/statuses/:id/unreblog", posting.unboost, token=True),
    _route("POST", "/api/v1/statuses/:id/favourite", posting.favourite, token=True),
    _route("POST", "/api/v1/statuses/:id/unfavourite", posting.unfavourite, token=True),
    _route("GET", "/api/v1/scheduled_statuses", scheduling.listed, token=True),
    _route("GET", "/api/v1/scheduled_statuses/:id", scheduling.one, token=True),
    _route("PUT", "/api/v1/scheduled_statuses/:id", scheduling.defer, token=True),
    _route("DELETE", "/api/v1/scheduled_statuses/:id", scheduling.delete, token=True),
    _route("GET", "/api/v1/polls/:id", surroundings.poll),
    _route("GET", "/api/v2/search", surroundings.search, token=True),
    _route("GET", "/api/v1/timelines/home", reading.home, token=True),
    _route("GET", "/api/v1/timelines/public", reading.public),
    _route("POST", "/api/v1/media", posting.upload, token=True),
    _route("POST", "/api/v2/media", posting.upload, token=True),
    _route("GET", "/api/v1/media/:id", reading.media, token=True),
    _route("PUT", "/api/v1/media/:id", posting.describe, token=True),
    _route("GET", "/system/media_attachments/:id", reading.media_file),
    _route("GET", "/users/:name/statuses/:id", page.by_uri),
    _route("GET", "/@:name/:id", page.permalink),
    _route("GET", "/@:name", page.profile),
    _route("GET", "/auth/sign_in", page.sign_in),
)


def viewer_of(world: World, token: str | None) -> Person | None:
    """Who shows this token; None for nobody and for a wrong one."""
    person = None if token is None else world.memory.person_of_token(token)
    return None if person is None or not world.rights.of(person.name) else person


def respond(world: World, request: Request, *, ignore_key: bool = False) -> Answer:
    """What the platform answers to a request, after doing what it asks."""
    viewer = viewer_of(world, request.head.token)
    fine, headers = world.rates.count(viewer.name if viewer else "", request.head.method, request.head.path)
    try:
        if not fine:
            raise Refused(429, "Too many requests")  # noqa: TRY301  # refusals have one way out
        answer = _routed(world, request, viewer, ignore_key=ignore_key)
    except Refused as refused:
        answer = error_answer(refused.status, refused.message)
    except Exception:  # noqa: BLE001  # a bug here must look to the client as one there would
        traceback.print_exc()
        answer = error_answer(500, "We're sorry, but something went wrong on our end.")
    if request.head.path.startswith("/api/"):
        answer = replace(answer, headers=answer.headers + headers)
    return answer


def _routed(world: World, request: Request, viewer: Person | None, *, ignore_key: bool) -> Answer:
    head = request.head
    for route in ROUTES:
        found = route.path.fullmatch(head.path)
        if found is None or route.method != ("GET" if head.method == "HEAD" else head.method):
            continue
        if viewer is None and (route.token or head.token is not None):
            raise Refused(401, BAD_TOKEN)
        if route.right is not None and viewer is not None and not world.rights.covers(viewer.name, route.right):
            raise Refused(403, OUTSIDE)
        key = None if ignore_key else head.headers.get("idempotency-key") or None
        return route.answer(Call(world=world, request=request, parts=found.groupdict(), viewer=viewer, key=key))
    raise Refused(404, NOT_FOUND)
