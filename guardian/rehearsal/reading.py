"""The routes that only read: accounts, posts, timelines, media; called by the thread that serves the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.rehearsal import paging
from guardian.rehearsal.media import PROCESSING_FAILED
from guardian.rehearsal.messages import NOT_FOUND, Answer, Refused, json_answer
from guardian.rehearsal.statuses import client_of

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.posts import Status, Window


def register_app(call: Call) -> Answer:
    """`POST /api/v1/apps`: every application is welcome and gets nothing that opens anything."""
    name = call.request.form.one("client_name")
    if not name:
        raise Refused(422, "Validation failed: Application name can't be blank")
    redirects = call.request.form.one("redirect_uris") or "urn:ietf:wg:oauth:2.0:oob"
    return json_answer({
        "id": str(call.world.memory.next_id()), "name": name, "website": call.request.form.one("website"),
        "scopes": (call.request.form.one("scopes") or "read").split(), "redirect_uri": redirects,
        "redirect_uris": redirects.split(), "client_id": "rehearsal", "client_secret": "rehearsal",
        "client_secret_expires_at": 0, "vapid_key": "",
    })  # fmt: skip


def verify_credentials(call: Call) -> Answer:
    """`GET /api/v1/accounts/verify_credentials`."""
    return json_answer(call.world.shapes.own_account(call.person))


def verify_app(call: Call) -> Answer:
    """`GET /api/v1/apps/verify_credentials`."""
    name = client_of(call.request.head.token)
    return json_answer({"id": "1", "name": name, "website": None, "scopes": _scopes(call), "vapid_key": ""})


def token_info(call: Call) -> Answer:
    """`GET /oauth/token/info`: what this token may do, as Doorkeeper says it."""
    return json_answer({
        "resource_owner_id": str(call.person.id), "scope": _scopes(call), "expires_in": None,
        "application": {"uid": "rehearsal"}, "created_at": call.person.created_ms // 1000,
    })  # fmt: skip


def _scopes(call: Call) -> list[str]:
    return list(call.world.rights.of(call.person.name))


def account(call: Call) -> Answer:
    """`GET /api/v1/accounts/:id`."""
    return json_answer(call.world.shapes.account(call.world.memory.person_by_id(call.id)))


def lookup(call: Call) -> Answer:
    """`GET /api/v1/accounts/lookup?acct=NAME` or `NAME@HOST`."""
    name, _, host = (call.request.head.query.one("acct") or "").removeprefix("@").partition("@")
    person = call.world.memory.person(name)
    if person is None or host not in ("", urlsplit(call.world.url).netloc):
        raise Refused(404, NOT_FOUND)
    return json_answer(call.world.shapes.account(person))


def account_statuses(call: Call) -> Answer:
    """`GET /api/v1/accounts/:id/statuses`. There are no pins and no tags here."""
    query = call.request.head.query
    person = call.world.memory.person_by_id(call.id)
    if query.flag("pinned") or query.one("tagged"):
        return json_answer([])
    no_replies, only_media = query.flag("exclude_replies"), query.flag("only_media")
    no_boosts = query.flag("exclude_reblogs")

    def keep(status: Status) -> bool:
        unwanted = (no_replies and status.reply_to is not None) or (only_media and not status.now.media)
        return status.person.id == person.id and not (unwanted or (no_boosts and status.draft.boost_of is not None))

    window = paging.window_of(call)
    return _page(call, call.world.memory.page(window, viewer=call.viewer, keep=keep), window)


def home(call: Call) -> Answer:
    """`GET /api/v1/timelines/home`: everybody here follows everybody."""
    window = paging.window_of(call)
    return _page(call, call.world.memory.page(window, viewer=call.person), window)


def public(call: Call) -> Answer:
    """`GET /api/v1/timelines/public`."""
    window = paging.window_of(call)

    def keep(status: Status) -> bool:
        return status.visibility == "public" and status.draft.boost_of is None

    return _page(call, call.world.memory.page(window, viewer=call.viewer, keep=keep), window)


def _page(call: Call, found: list[Status], window: Window) -> Answer:
    return paging.answer(
        call, [(one.id, call.world.shapes.status(one, call.viewer)) for one in found], limit=window.limit
    )


def status(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id`."""
    found = call.world.memory.status(call.id, viewer=call.viewer)
    return json_answer(call.world.shapes.status(found, call.viewer))


def source(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/source`."""
    return json_answer(call.world.shapes.source(call.world.memory.own_status(call.id, owner=call.person)))


def history(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/history`."""
    return json_answer(call.world.shapes.history(call.world.memory.status(call.id, viewer=call.viewer)))


def media(call: Call) -> Answer:
    """`GET /api/v1/media/:id`: 206 while the platform works on it, 422 when it could not."""
    item = call.world.shelf.own(call.id, owner=call.person)
    if item.is_processed and item.fails:
        raise Refused(422, PROCESSING_FAILED)
    return json_answer(call.world.shapes.attachment(item), status=200 if item.is_processed else 206)


def media_file(call: Call) -> Answer:
    """`GET /system/media_attachments/:id`: the file itself."""
    file = call.world.shelf.serve(call.id).file
    return Answer(body=file.data, kind=file.kind)
