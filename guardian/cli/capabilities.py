"""`guardian capabilities`: what can be published and taken down, account by account, and what no freeze reaches."""

from collections.abc import Iterator
from typing import Any

import typer

from guardian.cli import render
from guardian.cli.given import AsJson, Config, Desk

IMPOSSIBLE = "not possible there"
TWICE = "the platform would make two posts of it, so nothing in doubt is ever sent again"
UNPROVEN = "what this house has seen, by its own seal and the stamps of authorities; the platform itself signs nothing"
CERTAINTY = {
    "exact": "yes or no, for certain",
    "listed": "yes or no, as the platform lists it",
    "one-sided": "yes for certain, and NEVER no: a person decides",
}
MINUTE = 60_000

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("capabilities", epilog="Example: guardian capabilities --json")(capabilities)


def capabilities(*, config: Config = None, as_json: AsJson = False) -> int:
    """What can honestly be done on each account's platform.

    What can be published; what becomes of a post whose answer was lost; what deleting and hiding a live post really
    does there, whether it can be undone, how many in what time; whether posts that are scheduled at the platform
    itself can be seen and put off; what others vouch for; and what no freeze reaches.
    """
    desk = Desk(config, as_json)
    found = desk.client().get("/v1/capabilities")
    desk.answer(found, _lines(found["accounts"]))
    return 0


def _lines(accounts: list[Document]) -> Iterator[str]:
    if not accounts:
        yield "No account is configured"
    for place, one in enumerate(accounts):
        if place:
            yield ""
        yield render.one_line(f"{one['account']}  on {one['platform']}, brand {one['brand']}")
        yield from _server(one["server"])
        yield render.field("publish", one["publish"] or IMPOSSIBLE)
        yield render.field("files", _files(one["media"]))
        yield render.field("thread", one["thread"] or IMPOSSIBLE)
        yield render.field("sent twice", one["sent_twice"] or TWICE)
        yield render.field("lost answer", _lost(one["lost_answer"]))
        yield render.field("delete", _act(one["delete"]))
        yield render.field("hide", _act(one["hide"]))
        if one["overwrite"]:
            yield render.field("overwrite", f"before a deletion, with --overwrite. {one['overwrite']}")
        for limit in one["limits"]:
            yield render.field(limit["decision"], f"{_act(limit)} The post stays there.")
        if one["delete"] or one["hide"]:
            yield render.field("at most", _budget(one["budget"]))
        yield render.field("scheduled", _scheduled(one["scheduled_there"]))
        yield render.field("proof", one["proof"]["words"] if one["proof"] else UNPROVEN)
        for what in one["not_covered"]:
            yield render.field("NOT frozen", what)


def _server(server: Document | None) -> Iterator[str]:
    if server is None:
        yield render.field("accepts", "not asked yet, or it did not answer: guardian status says which")
        return
    name = f"{server['name']}: " if server["name"] else ""
    yield render.field("accepts", f"{name}{server['characters']} characters, {server['files']} files in a post")
    for remark in server["remarks"]:
        yield render.field("", remark)


def _act(act: Document | None) -> str:
    if act is None:
        return IMPOSSIBLE
    return f"{'can be undone' if act['reversible'] else 'CANNOT be undone'}. {act['words']}"


def _files(files: Document | None) -> str:
    if files is None:
        return IMPOSSIBLE
    return files["words"] if files["alt_text"] else f"{files['words']} ALT TEXT reaches nobody there."


def _lost(lost: Document | None) -> str:
    return "it cannot be asked for: a person decides" if lost is None else f"{_certain(lost)}. {lost['words']}"


def _certain(lost: Document) -> str:
    return CERTAINTY.get(lost["certainty"], str(lost["certainty"]))


def _budget(budget: Document) -> str:
    return f"{budget['count']} in any {budget['window_ms'] / MINUTE:g} minutes; the platform takes no more"


def _scheduled(there: Document) -> str:
    """Of the platform's own queue."""
    if not there["listed"]:
        return "what is scheduled at the platform itself cannot be seen from here"
    if there["deferred"]:
        return "what is scheduled at the platform itself can be listed, put off and deleted from here"
    return "what is scheduled at the platform itself can be listed and deleted from here, but not put off"
