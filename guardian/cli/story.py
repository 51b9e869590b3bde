"""One post's whole story in lines: what it says, where it is, what was tried, and what a person can do now."""

from collections.abc import Iterator
from typing import Any

from guardian.cli import render

Document = dict[str, Any]

NO_ACCOUNT = "no such account in the configuration"  # the daemon's words for why such a post waits
CANCEL = "guardian queue cancel {id}"
TO_DO = {
    "missed": "send it now: guardian queue release {id}; later: guardian queue reschedule {id} --at TIME",
    "unknown": "it may be live; the platform is being asked. To end the asking: guardian queue cancel {id}",
    "blocked": "it cannot go out like this: guardian queue cancel {id}, then add it anew with other words",
    "refused": "the platform said no. To try again: guardian queue reschedule {id} --at TIME; or add it anew",
}


def lines(post: Document) -> Iterator[str]:
    """The story for people."""
    held = f" by {post['held_by']}" if post["held_by"] else ""
    yield render.one_line(f"{post['id']}  {render.state(post)}{held}")
    yield render.field("account", post["account"])
    yield render.field("at", render.local(post["at"]) + (f"  ({post['zone']})" if post["zone"] else ""))
    yield from _text(post)
    for key in ("warning", "language", "visibility", "ref", "url", "platform_id"):
        if post[key]:
            yield render.field(key.partition("_id")[0], post[key])
    if post["tags"]:
        yield render.field("tags", ", ".join(post["tags"]))
    yield render.field("entered", f"{render.local(post['created_at'])} by {post['created_by']}")
    if post["why"]:
        yield render.field("why", post["why"])
    yield from _attempts(post["attempts"])
    if post["held_by"]:
        yield render.field("to do", "it goes out after a thaw, if its time has not passed by then: guardian status")
    elif post["why"] == NO_ACCOUNT:
        yield render.field("to do", f"write the account into the configuration and reload, or: {CANCEL.format(**post)}")
    elif post["state"] in TO_DO:
        yield render.field("to do", TO_DO[post["state"]].format(id=post["id"]))


def _text(post: Document) -> Iterator[str]:
    first, *rest = post["text"].split("\n")
    yield render.field("text", first)
    yield from (render.field("", line) for line in rest)


def _attempts(found: list[Document]) -> Iterator[str]:
    for number, one in enumerate(found, start=1):
        detail = f": {one['detail']}" if one["detail"] else ""
        outcome = one["outcome"] or "on its way"
        yield render.field(f"attempt {number}", f"{render.local(one['started_at'])}  {outcome}{detail}")
