"""One post's whole story in lines: what it says, where it is, what was tried, who did what, and what to do now."""

from collections.abc import Iterator
from typing import Any

from guardian.cli import render, standing, takedown_lines
from guardian.cli.status import freeze_line

MOST_LINES = 40

Document = dict[str, Any]


def lines(post: Document) -> Iterator[str]:
    """The story for people."""
    held = f" by {post['held_by']}" if post["held_by"] else ""
    parts = f"  {post['live']} of {post['parts']} parts live" if post["parts"] > 1 else ""
    yield render.one_line(f"{post['id']}  {render.state(post)}{held}{parts}")
    yield render.field("account", post["account"])
    yield render.field("at", render.local(post["at"]) + _zone(post))
    yield from _content(post)
    for key in ("warning", "language", "visibility", "ref", "url", "platform_id"):
        if post[key]:
            yield render.field(key.partition("_id")[0], post[key])
    if post["tags"]:
        yield render.field("tags", ", ".join(post["tags"]))
    if post["campaign"]:
        yield render.field("campaign", post["campaign"])
    yield render.field("entered", f"{render.local(post['created_at'])} by {post['created_by']}")
    if post["why"]:
        yield render.field("why", post["why"])
    yield from _covers(post)
    yield from _attempts(post["attempts"], post["parts"])
    yield from takedown_lines.of_post(post["takedowns"])
    yield from _journal(post)
    for one in post["advice"]:
        yield render.field("to do", f"{one['text']}:" if one["command"] else one["text"])
        if one["command"]:
            yield f"                {render.one_line(one['command'])}"


def _zone(post: Document) -> str:
    wall = f"{post['wall']}, " if post["wall"] else ""
    return f"  ({wall}{post['zone']})" if post["zone"] else ""


def _content(post: Document) -> Iterator[str]:
    """What it says and shows; of a thread part by part, each with where it is live."""
    for one in post["content"]:
        label = "text" if post["parts"] == 1 else f"part {one['part']}"
        first, *rest = one["text"].split("\n")
        yield render.field(label, first)
        yield from (render.field("", line) for line in rest)
        for media in one["media"]:
            yield render.field("media", _media(media))
        if post["parts"] > 1:
            yield render.field("", f"live: {one['url'] or one['platform_id']}" if one["live"] else "not live")


def _media(one: Document) -> str:
    size = f"{one['width']} x {one['height']}, " if one["width"] and one["height"] else ""
    kib = max(1, round(one["size"] / 1024))
    return f"{one['type']}, {size}{kib} KiB, {one['sha256'][:12]}: {one['alt'] or 'NO ALT TEXT'}"


def _covers(post: Document) -> Iterator[str]:
    if post["freezes"]:
        yield render.field("frozen", render.count(len(post["freezes"]), "freeze"))
        yield from (f"  {freeze_line(one)}" for one in post["freezes"])
    if post["holds"]:
        yield render.field("on hold", render.count(len(post["holds"]), "hold"))
        yield from (f"    {standing.hold_line(one)}" for one in post["holds"])


def _attempts(found: list[Document], parts: int) -> Iterator[str]:
    for number, one in enumerate(found, start=1):
        part = f"part {one['part']}: " if parts > 1 else ""
        detail = f" ({one['detail']})" if one["detail"] else ""
        words = f"{render.local(one['started_at'])}  {part}{one['outcome'] or 'open'}: {one['receipt']}{detail}"
        yield render.field(f"attempt {number}", words)


def _journal(post: Document) -> Iterator[str]:
    """Who did what: the last lines that the journal has about it."""
    shown = post["journal"][-MOST_LINES:]
    if shown:
        left = post["journal_in_all"] - len(shown)
        yield render.field("journal", f"the last {len(shown)} lines of {left + len(shown)}" if left else "")
    for one in shown:
        data = ", ".join(f"{key}={value}" for key, value in one["data"].items() if value not in (None, ""))
        yield render.one_line(f"    {render.local(one['at'])}  {one['kind']:<12} {one['who']:<10} {data}").rstrip()
