"""`guardian native`: posts that a platform itself would publish, as the last freeze found them; and one taken back."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from guardian.cli import endings, render
from guardian.cli.given import AsJson, Config, Desk

WORDS = 60

Document = dict[str, Any]

app = typer.Typer(
    help="What the platforms themselves would publish, as a freeze found it.",
    epilog="Example: guardian native list",
    rich_markup_mode=None,
)


@app.command("list", epilog="Example: guardian native list --incident i-onrsxq3fnyzdcmru")
def listing(
    *,
    incident: Annotated[
        str | None, typer.Option("--incident", metavar="ID", help="Those of this incident; else of the last one.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """What a freeze found scheduled at the platforms, and what became of it."""
    desk = Desk(config, as_json)
    found = desk.client().get("/v1/natives", incident=incident)
    desk.answer(found, _lines(found))
    return endings.DONE


@app.command("restore", epilog="Example: guardian native restore n-onrsxq3fnyzdcmru")
def restore(
    native: Annotated[str, typer.Argument(metavar="ID", help="One that was put off, as the list names it.")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Have the platform publish it when it was due.

    After the thaw: it is a publishing request. One whose time has passed needs a new time at the platform itself.
    """
    desk = Desk(config, as_json)
    found = desk.client().post(f"/v1/natives/{quote(native, safe='')}/restore", {})
    desk.answer(found, [_line(found["native"])])
    return endings.DONE


def _lines(found: Document) -> Iterator[str]:
    if found["incident"] is None:
        yield "No incident yet: a freeze lists what is scheduled"
    elif not found["natives"]:
        yield f"{found['incident']} found nothing scheduled at a platform"
    for one in found["natives"]:
        yield _line(one)


def _line(one: Document) -> str:
    why = f", {one['why']}" if one["why"] else ""
    text = " ".join(str(one["text"]).split())[:WORDS]
    due = render.local(one["due"])
    return render.one_line(f"{one['native']}  {one['account']}/{one['id']}  {due}  {one['state']}{why}  {text}")
