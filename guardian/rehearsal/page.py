"""The web pages: the timeline with recent requests, a permalink, a profile; reads only, any thread may call it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import NOT_FOUND, Answer, Refused, json_answer
from guardian.rehearsal.shapes import as_html, iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.rehearsal.calls import Call, World
    from guardian.rehearsal.log import Entry, RequestLog
    from guardian.rehearsal.posts import Status
    from guardian.rehearsal.scheduled import Item

MOST_POSTS = 200
_MOST_REQUESTS = 25
_HTML = "text/html; charset=utf-8"
# Whatever a post says, the page loads nothing from anywhere and runs nothing but its own refresh.
_POLICY = (
    "Content-Security-Policy",
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self'; connect-src 'self'",
)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="#5b6b7b"/>'
    '<circle cx="24" cy="19" r="8" fill="#dfe5ea"/><path d="M8 44a16 14 0 0 1 32 0z" fill="#dfe5ea"/></svg>'
)


def timeline(world: World, log: RequestLog) -> Answer:
    """`GET /`: all posts, newest first, deleted ones struck through, and the latest requests."""
    posts = world.memory.everything(newest=MOST_POSTS)[::-1]
    waiting = world.schedule.everything()
    requests = log.after(newest=_MOST_REQUESTS)["entries"][::-1]
    return _page(world, posts, requests, heading="Timeline", waiting=waiting)


def permalink(call: Call) -> Answer:
    """`GET /@NAME/ID`: 410 once the post was taken down."""
    past = call.world.memory.any_status(call.id)
    if past is not None and past.person.name == call.parts["name"] and past.was_public:
        return _plain(410, "Gone", "<p>This post was taken down.</p>")
    status = call.world.memory.status(call.id, viewer=call.viewer)
    if status.person.name != call.parts["name"]:
        raise Refused(404, NOT_FOUND)
    return _page(call.world, [status], (), heading=f"@{status.person.name}")


def by_uri(call: Call) -> Answer:
    """`GET /users/NAME/statuses/ID`: the ActivityPub note for who asks for one, else the page."""
    if "json" not in call.request.head.headers.get("accept", ""):
        return permalink(call)
    past = call.world.memory.any_status(call.id)
    if past is not None and past.was_public:
        raise Refused(410, "Gone")
    note = json_answer(call.world.shapes.note(call.world.memory.status(call.id, viewer=call.viewer)))
    return Answer(body=note.body, kind="application/activity+json; charset=utf-8")


def profile(call: Call) -> Answer:
    """`GET /@NAME`."""
    person = call.world.memory.person(call.parts["name"])
    if person is None:
        raise Refused(404, NOT_FOUND)
    posts = [status for status in call.world.memory.everything() if status.person.id == person.id]
    shown = [status for status in posts if status.visible_to(call.viewer)]
    return _page(call.world, shown[-MOST_POSTS:][::-1], (), heading=f"@{person.name}")


def sign_in(_call: Call) -> Answer:
    """`GET /auth/sign_in`."""
    return login_page()


def login_page() -> Answer:
    """What a session that has ended sees instead of anything: 200, and no answer to what was asked."""
    fields = '<input name="user[email]"><input name="user[password]" type="password"><button>Log in</button>'
    return _plain(200, "Log in", f'<form action="/auth/sign_in" method="post">{fields}</form>')


def _plain(status: int, title: str, body: str) -> Answer:
    html = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>'
    return Answer(status=status, body=html.encode(), kind=_HTML, headers=(_POLICY, ("Cache-Control", "no-store")))


@cache
def _template() -> Template:
    return Template(files("guardian.rehearsal").joinpath("timeline.html").read_text(encoding="utf-8"))


def _page(
    world: World,
    posts: Sequence[Status],
    entries: Sequence[Entry],
    *,
    heading: str,
    waiting: Sequence[Item] = (),
) -> Answer:
    up = sum(1 for status in posts if not status.deleted)
    html = _template().substitute(
        heading=escape(heading),
        place=escape(world.url),
        count=f"{up} up" + (f", {len(posts) - up} taken down" if up < len(posts) else ""),
        posts="\n".join(_post(world, status) for status in posts) or '<p class="empty">Nothing has been posted.</p>',
        waiting="\n".join(_waiting(item) for item in waiting[:MOST_POSTS]),
        idle="" if waiting else "hidden",
        requests="\n".join(_row(entry) for entry in entries),
        hidden="" if entries else "hidden",
    )
    return Answer(body=html.encode(), kind=_HTML, headers=(_POLICY, ("Cache-Control", "no-store")))


def _waiting(item: Item) -> str:
    """A post that the platform itself is to publish: when it will, and when it says it will if that is another time."""
    edition = item.edition
    marks = [f"says {_clock(item.at_ms)}"] if item.due_ms != item.at_ms else []
    marks += [f"{len(edition.media)} media"] if edition.media else []
    return (
        f'<article class="waits"><header><b>@{escape(item.person.name)}</b>'
        f'<time datetime="{iso(item.due_ms)}">{_clock(item.due_ms)}</time>'
        f"{''.join(f'<i>{escape(mark)}</i>' for mark in marks)}</header>"
        f'<div class="text" dir="auto">{as_html(edition.text)}</div></article>'
    )


def _post(world: World, status: Status) -> str:
    edition, name = status.now, escape(status.person.name)
    created = status.editions[0].at_ms
    when = f'<time datetime="{iso(created)}">{_clock(created)}</time>'
    marks = [status.visibility] if status.visibility != "public" else []
    marks += ["edited"] if len(status.editions) > 1 else []
    marks += [f"{len(edition.media)} media"] if edition.media else []
    marks += ["poll"] if edition.poll else []
    marks += _echoes(world, status)
    marks += ["still served"] if status.deleted and status.is_there else []
    marks += ["taken down"] if status.deleted else []
    warning = f'<p class="warning"><bdi>{escape(edition.spoiler)}</bdi></p>' if edition.spoiler else ""
    return (
        f'<article class="{"gone" if status.deleted else "up"}"><header><b>@{name}</b>'
        f'<a href="{escape(world.shapes.permalink(status))}">{when}</a>'
        f"{''.join(f'<i>{escape(mark)}</i>' for mark in marks)}</header>"
        f'{warning}<div class="text" dir="auto">{as_html(edition.text)}</div></article>'
    )


def _echoes(world: World, status: Status) -> list[str]:
    memory, draft = world.memory, status.draft
    related = (("answers", draft.reply_to), ("quotes", draft.quote_of), ("boosts", draft.boost_of))
    named = [(word, memory.any_status(number)) for word, number in related if number is not None]
    counts = (
        (memory.count_tied("reply", status.id), "replies"),
        (memory.count_tied("boost", status.id), "boosts"),
        (memory.count_tied("quote", status.id), "quotes"),
        (world.favourites.count(status.id), "favourites"),
    )
    said = [f"{word} @{other.person.name}" for word, other in named if other is not None]
    return said + [f"{number} {word}" for number, word in counts if number]


def _clock(ms: int) -> str:
    local = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"


def _row(entry: Entry) -> str:
    arrived_ms = (time.time_ns() - (time.monotonic_ns() - entry["first_byte"])) // 1_000_000
    answered = entry["answered"]
    took = "" if answered is None else f"{(answered - entry['first_byte']) / 1e6:.1f} ms"
    state = str(entry["status"] or ("no answer" if entry["complete"] else "incomplete"))
    cells = (
        _clock(arrived_ms)[11:], entry["method"] or "?", (entry["path"] or "?")[:80], entry["account"] or "",
        state, took, entry["fault"] or "",
    )  # fmt: skip
    return f'<tr class="s{state[:1]}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
