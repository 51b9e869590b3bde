"""`guardian queue`: look at the posts that wait, and say what is to become of them. All through the daemon."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from guardian.cli import choosing, render, story
from guardian.cli.choosing import Wanted
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import GuardianError, Mistake
from guardian.rules.advice import NO_ACCOUNT

USUAL_PAGE = 100
LARGEST_PAGE = 1000

Document = dict[str, Any]
Zone = Annotated[str | None, typer.Option("--zone", metavar="ZONE", help="Of a time without offset: Europe/Stockholm.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="When: 2026-11-21T09:00:00+01:00, or now.")]

app = typer.Typer(
    help="The posts: enter them, look, decide what becomes of them.",
    epilog="Example: guardian queue list --state missed",
    rich_markup_mode=None,
)


@app.command("list", epilog="Example: guardian queue list --account acme-mastodon --state missed --state blocked")
def listing(  # noqa: PLR0913 (one parameter for each filter)
    *,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    tag: choosing.Tag = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many at most.")] = USUAL_PAGE,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    cursor: Annotated[str | None, typer.Option("--cursor", metavar="C", help="Go on where a page ended.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Ids alone, one a line, for other commands.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Posts in the order of their time."""
    wanted = Wanted(
        account=account, brand=brand, tag=tag, campaign=campaign, states=state, after=after, before=before
    )  # fmt: skip
    query = choosing.query(wanted)
    desk = Desk(config, as_json)
    posts, following = collect(desk.client(), query, cursor, None if everything else limit)
    if ids and not as_json:
        desk.answer({}, (one["id"] for one in posts))
        if following:
            render.tell(f"There are more: --all, or --cursor {render.one_line(following)}")
        return
    desk.answer({"posts": posts, "next": following}, _list_lines(posts, following))


@app.command("show", epilog="Example: guardian queue show p-onrsxq3fnyzdcmru")
def show(
    *,
    post: Annotated[str, typer.Argument(metavar="ID", help="The guardian's id of the post.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """One post with its whole story, and what you can do about it."""
    desk = Desk(config, as_json)
    found = desk.client().get(_place(post))
    desk.answer(found, story.lines(found))


def notes(note: str | None) -> list[str]:
    """What had to be decided about a wall time."""
    return [render.field("note", note)] if note else []


def warn_of_freezes_and_holds(client: Client, posts: list[Document]) -> None:
    """Say on stderr that a freeze, or the hold of a tag, covers what was just put into the queue.

    Best effort: the posts are in it.
    """
    try:
        status = client.get("/v1/status")
    except GuardianError:
        return
    covered = {one["name"] for one in status["accounts"] if one["held_by"]} & {post["account"] for post in posts}
    for name in sorted(covered):
        render.tell(f"A freeze covers {name}: this is held, and is missed if its time passes before a thaw.")
    tags = {tag for post in posts if post["state"] == "queued" for tag in post["tags"]}
    for one in status["holds"]:
        if one.get("tag") in tags:
            tag = render.one_line(one["tag"])
            render.tell(f"Tag {tag} is on hold: this is held, and is missed if its time passes before an unhold.")
            render.tell(f"To lift it: guardian queue unhold --tag {tag}")


def _place(post: str) -> str:
    """The post's route; an empty id would be the route of the whole queue."""
    if not post.strip():
        raise Mistake("cannot find the post, because its id is empty", fix="look it up: guardian queue list")
    return f"/v1/posts/{quote(post, safe='')}"


def collect(client: Client, query: Document, cursor: str | None, most: int | None) -> tuple[list[Document], str | None]:
    """Posts, page by page, and where to go on."""
    found: list[Document] = []
    while True:
        left = LARGEST_PAGE if most is None else min(most - len(found), LARGEST_PAGE)
        page = client.get("/v1/posts", **query, cursor=cursor, limit=left)
        found += page["posts"]
        cursor = page["next"]
        if cursor is None or (most is not None and len(found) >= most):
            return found, cursor


def _list_lines(posts: list[Document], following: str | None) -> Iterator[str]:
    if not posts:
        yield "No such posts."
        return
    rows = [(one["id"], render.local(one["at"]), one["account"], render.state(one), one["text"]) for one in posts]
    table = render.table(("id", "when", "account", "state", "text"), rows)
    yield next(table)
    for post, line in zip(posts, table, strict=True):
        yield line
        if post["url"]:
            yield f"    {render.one_line(post['url'])}"
    strays = sorted({one["account"] for one in posts if one["why"] == NO_ACCOUNT})
    if strays:
        yield f"{NO_ACCOUNT}: {render.one_line(', '.join(strays))}; these wait until it returns"
    held_by = sorted({one["held_by"] for one in posts if one["held_by"]})
    if held_by:
        yield f"held by {', '.join(held_by)}: guardian status"
    if following:
        yield f"There are more: --all, or --cursor {render.one_line(following)}"
