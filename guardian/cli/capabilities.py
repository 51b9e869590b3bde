"""`guardian capabilities`: what can be done about what is live, account by account, and what no freeze reaches."""

from collections.abc import Iterator
from typing import Any

import typer

from guardian.cli import render
from guardian.cli.given import AsJson, Config, Desk

IMPOSSIBLE = "not possible there"
MINUTE = 60_000

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("capabilities", epilog="Example: guardian capabilities --json")(capabilities)


def capabilities(*, config: Config = None, as_json: AsJson = False) -> int:
    """What can honestly be done on each account's platform.

    What deleting and hiding a live post really does there, whether it can be undone, how many in what time; whether
    posts that are scheduled at the platform itself can be seen and put off; and what no freeze reaches.
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
        yield render.field("delete", _act(one["delete"]))
        yield render.field("hide", _act(one["hide"]))
        if one["delete"] or one["hide"]:
            yield render.field("at most", _budget(one["budget"]))
        yield render.field("scheduled", _scheduled(one["scheduled_there"]))
        for what in one["not_covered"]:
            yield render.field("NOT frozen", what)


def _act(act: Document | None) -> str:
    if act is None:
        return IMPOSSIBLE
    return f"{'can be undone' if act['reversible'] else 'CANNOT be undone'}. {act['words']}"


def _budget(budget: Document) -> str:
    return f"{budget['count']} in any {budget['window_ms'] / MINUTE:g} minutes; the platform takes no more"


def _scheduled(there: Document) -> str:
    """Of the platform's own queue."""
    if not there["listed"]:
        return "what is scheduled at the platform itself cannot be seen from here"
    if there["deferred"]:
        return "what is scheduled at the platform itself can be listed, put off and deleted from here"
    return "what is scheduled at the platform itself can be listed and deleted from here, but not put off"
