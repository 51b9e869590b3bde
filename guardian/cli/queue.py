"""`guardian queue`: look at the posts that wait, and say what is to become of them. All through the daemon."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from guardian.cli import completion, endings, render, story
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import GuardianError, Mistake
from guardian.model import State

HELD = "held"
USUAL_PAGE = 100
LARGEST_PAGE = 1000
WITHIN = 300.0  # a release of very many posts is one transaction

Document = dict[str, Any]
Gap = Annotated[
    str | None, typer.Option("--gap", metavar="TIME", help="Least time between two of one account, as 30s.")
]
Zone = Annotated[str | None, typer.Option("--zone", metavar="ZONE", help="Of a time without offset: Europe/Stockholm.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="When: 2026-11-21T09:00:00+01:00, or now.")]

app = typer.Typer(
    help="The posts: enter them, look, decide what becomes of them.",
    epilog="Example: guardian queue list --state missed",
    rich_markup_mode=None,
)


@app.command("list", epilog="Example: guardian queue list --account acme-mastodon --state missed")
def listing(
    *,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="A", help="Only of this account.", autocompletion=completion.accounts),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="S", help="Only in this state, or held.", autocompletion=completion.states),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many at most.")] = USUAL_PAGE,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    cursor: Annotated[str | None, typer.Option("--cursor", metavar="C", help="Go on where a page ended.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Posts in the order of their time."""
    if state is not None and state not in (HELD, *State):
        raise Mistake(f"cannot list {state!r}, because no state is called so", fix=f"use: {', '.join((HELD, *State))}")
    desk = Desk(config, as_json)
    posts, following = _collect(desk.client(), account, state, cursor, None if everything else limit)
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


@app.command("release", epilog="Example: guardian queue release --all --gap 30s")
def release(
    *,
    posts: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Missed posts.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every missed post.")] = False,
    gap: Gap = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send missed posts after all: the first of each account now, the others paced."""
    if bool(posts) == everything:
        raise Mistake("cannot tell what to release, because neither or both are given", fix="give ids, or --all")
    desk = Desk(config, as_json)
    client = desk.client(within=WITHIN)
    done = client.post("/v1/posts/release", {"ids": posts or None, "gap": gap})
    desk.answer(done, _moved_lines(done["posts"], "released"))
    warn_of_freezes(client, done["posts"])


@app.command(
    "reschedule", epilog="Example: guardian queue reschedule p-onrsxq3fnyzdcmru --at 2026-11-21T09:00:00+01:00"
)
def reschedule(
    *,
    post: Annotated[str, typer.Argument(metavar="ID", help="The guardian's id of the post.")],
    at: At,
    zone: Zone = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give a post a new time."""
    desk = Desk(config, as_json)
    client = desk.client()
    done = client.post(f"{_place(post)}/reschedule", {"at": at, "zone": zone})
    desk.answer(done, [*_moved_lines([done["post"]], "rescheduled"), *notes(done["note"])])
    warn_of_freezes(client, [done["post"]])


@app.command("cancel", epilog="Example: guardian queue cancel p-onrsxq3fnyzdcmru")
def cancel(
    *,
    posts: Annotated[list[str], typer.Argument(metavar="ID...", help="The guardian's ids of the posts.")],
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Never send these posts."""
    desk = Desk(config, as_json)
    client = desk.client()
    done: list[Document] = []
    failed: list[GuardianError] = []
    for post in posts:
        try:
            done.append(client.post(f"{_place(post)}/cancel", {})["post"])
        except GuardianError as error:
            failed.append(error)
    found: Document = {"posts": done}
    if failed:
        found |= {"error": endings.as_document(failed[0]), "errors": [endings.as_document(one) for one in failed]}
    if done or desk.as_json:
        desk.answer(found, _moved_lines(done, "cancelled"))
    for one in failed:
        render.tell(str(one))
    return endings.code_of(failed[0]) if failed else endings.DONE


def notes(note: str | None) -> list[str]:
    """What had to be decided about a wall time."""
    return [render.field("note", note)] if note else []


def warn_of_freezes(client: Client, posts: list[Document]) -> None:
    """Say on stderr that a freeze covers what was just put into the queue. Best effort: the posts are in it."""
    try:
        accounts = client.get("/v1/status")["accounts"]
    except GuardianError:
        return
    covered = {one["name"] for one in accounts if one["held_by"]} & {post["account"] for post in posts}
    for name in sorted(covered):
        render.tell(f"A freeze covers {name}: this is held, and is missed if its time passes before a thaw.")


def _place(post: str) -> str:
    """The post's route; an empty id would be the route of the whole queue."""
    if not post.strip():
        raise Mistake("cannot find the post, because its id is empty", fix="look it up: guardian queue list")
    return f"/v1/posts/{quote(post, safe='')}"


def _collect(
    client: Client, account: str | None, state: str | None, cursor: str | None, most: int | None
) -> tuple[list[Document], str | None]:
    """Posts, page by page, and where to go on. `held` is no state of the store: it is sorted out here."""
    found: list[Document] = []
    asked = State.QUEUED if state == HELD else state
    while True:
        left = LARGEST_PAGE if most is None or state == HELD else min(most - len(found), LARGEST_PAGE)
        page = client.get("/v1/posts", account=account, state=asked, cursor=cursor, limit=left)
        found += [post for post in page["posts"] if state != HELD or post["held_by"]]
        cursor = page["next"]
        if state == HELD and most is not None and len(found) > most:
            render.tell(f"There are more than {most}: add --all.")
            return found[:most], None
        if cursor is None or (most is not None and state != HELD and len(found) >= most):
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
    strays = sorted({one["account"] for one in posts if one["why"] == story.NO_ACCOUNT})
    if strays:
        yield f"{story.NO_ACCOUNT}: {render.one_line(', '.join(strays))}; these wait until it returns"
    held_by = sorted({one["held_by"] for one in posts if one["held_by"]})
    if held_by:
        yield f"held by {', '.join(held_by)}: guardian status"
    if following:
        yield f"There are more: --all, or --cursor {render.one_line(following)}"


def _moved_lines(posts: list[Document], word: str) -> Iterator[str]:
    yield f"{render.count(len(posts), 'post')} {word}"
    rows = [
        (one["id"], render.local(one["at"]), one["account"], one["state"], one["text"]) for one in posts[:USUAL_PAGE]
    ]
    if rows:
        yield from render.indented(render.table(("id", "when", "account", "state", "text"), rows), "  ")
    if len(posts) > USUAL_PAGE:
        yield f"  and {len(posts) - USUAL_PAGE} more"
