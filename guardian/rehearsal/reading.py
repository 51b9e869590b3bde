"""The routes that only read: accounts, posts, timelines, media; called by the thread that serves the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from guardian.rehearsal.media import PROCESSING_FAILED
from guardian.rehearsal.messages import NOT_FOUND, Answer, Refused, json_answer
from guardian.rehearsal.statuses import Status, Window

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call

_MOST_PER_PAGE = 40
_PER_PAGE = 20


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


def verify_app(_call: Call) -> Answer:
    """`GET /api/v1/apps/verify_credentials`."""
    return json_answer({"id": "1", "name": "Rehearsal", "website": None, "scopes": ["read", "write"], "vapid_key": ""})


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
    """`GET /api/v1/accounts/:id/statuses`. There are no boosts, no pins and no tags here."""
    query = call.request.head.query
    person = call.world.memory.person_by_id(call.id)
    if query.flag("pinned") or query.one("tagged"):
        return json_answer([])
    no_replies, only_media = query.flag("exclude_replies"), query.flag("only_media")

    def keep(status: Status) -> bool:
        unwanted = (no_replies and status.reply_to is not None) or (only_media and not status.now.media)
        return status.person.id == person.id and not unwanted

    return _page(call, call.world.memory.page(_window(call), viewer=call.viewer, keep=keep))


def home(call: Call) -> Answer:
    """`GET /api/v1/timelines/home`: everybody here follows everybody."""
    return _page(call, call.world.memory.page(_window(call), viewer=call.person))


def public(call: Call) -> Answer:
    """`GET /api/v1/timelines/public`."""
    found = call.world.memory.page(_window(call), viewer=call.viewer, keep=lambda status: status.visibility == "public")
    return _page(call, found)


def _window(call: Call) -> Window:
    query = call.request.head.query
    limit = query.number("limit")
    return Window(
        limit=_PER_PAGE if limit is None else min(limit, _MOST_PER_PAGE),
        max_id=query.number("max_id"),
        since_id=query.number("since_id"),
        min_id=query.number("min_id"),
    )


def _page(call: Call, found: list[Status]) -> Answer:
    links = []
    if len(found) == _window(call).limit and found:
        links.append(f'<{_link(call, "max_id", found[-1])}>; rel="next"')
    if found:
        links.append(f'<{_link(call, "min_id", found[0])}>; rel="prev"')
    headers = (("Link", ", ".join(links)),) if links else ()
    return json_answer([call.world.shapes.status(status) for status in found], headers=headers)


def _link(call: Call, bound: str, status: Status) -> str:
    head = call.request.head
    kept = {name: values for name, values in head.query.fields.items() if name not in ("max_id", "since_id", "min_id")}
    return f"{call.world.url}{head.path}?{urlencode(kept | {bound: [str(status.id)]}, doseq=True)}"


def status(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id`."""
    return json_answer(call.world.shapes.status(call.world.memory.status(call.id, viewer=call.viewer)))


def source(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/source`."""
    return json_answer(call.world.shapes.source(call.world.memory.own_status(call.id, owner=call.person)))


def history(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/history`."""
    return json_answer(call.world.shapes.history(call.world.memory.status(call.id, viewer=call.viewer)))


def context(call: Call) -> Answer:
    """`GET /api/v1/statuses/:id/context`."""
    found = call.world.memory.status(call.id, viewer=call.viewer)
    above, below = call.world.memory.relatives(found, viewer=call.viewer)
    shape = call.world.shapes.status
    return json_answer({"ancestors": [shape(s) for s in above], "descendants": [shape(s) for s in below]})


def media(call: Call) -> Answer:
    """`GET /api/v1/media/:id`: 206 while the platform works on it, 422 when it could not."""
    item = call.world.shelf.own(call.id, owner=call.person)
    if item.is_processed and item.fails:
        raise Refused(422, PROCESSING_FAILED)
    return json_answer(call.world.shapes.attachment(item), status=200 if item.is_processed else 206)


def media_file(call: Call) -> Answer:
    """`GET /system/media_attachments/:id`: the file itself."""
    file = call.world.shelf.get(call.id).file
    return Answer(body=file.data, kind=file.kind)


def nobody(_call: Call) -> Answer:
    """Who boosted, who favourited, who quoted: nobody does here."""
    return json_answer([])
