"""`guardian campaign show`: what became of each variant of a campaign, account by account, and what is left to do."""

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from guardian.cli import queue, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.model import State

OUT = (State.PUBLISHED, State.RETRACTING)
RETRY = {
    State.REFUSED: "reschedule --campaign {name} --state refused --at now",
    State.MISSED: "release --campaign {name}",
    State.BLOCKED: "reschedule --campaign {name} --state blocked --at now",
}

Document = dict[str, Any]

app = typer.Typer(
    help="What became of a campaign: the variants of one post, one for each account.",
    epilog="Example: guardian campaign show launch",
    rich_markup_mode=None,
)


@app.callback()
def family() -> None:
    """What became of a campaign: the variants of one post, one for each account."""


@app.command("show", epilog="Example: guardian campaign show launch")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in the key `campaign` of its posts.")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Each variant with its account, where it is, its address, and why it is not out.

    What the commands below the list do, they do to what failed: what is out, or may be, is never sent again.
    """
    desk = Desk(config, as_json)
    posts, _ = queue.collect(desk.client(), {"campaign": name}, None, None)
    counts = Counter(one["state"] for one in posts)
    found = {
        "campaign": name,
        "count": len(posts),
        "counts": dict(counts),
        "complete": bool(posts) and all(one["state"] in OUT for one in posts if one["state"] != State.CANCELLED),
        "posts": posts,
    }
    desk.answer(found, _lines(found))


def _lines(found: Document) -> Iterator[str]:
    out = sum(found["counts"].get(state, 0) for state in OUT)
    yield render.one_line(f"{found['campaign']}  {out} of {render.count(found['count'], 'variant')} out")
    rows = [(one["account"], _state(one), render.local(one["at"]), one["id"], one["text"]) for one in found["posts"]]
    table = render.table(("account", "state", "when", "id", "text"), rows)
    yield next(table)
    for post, line in zip(found["posts"], table, strict=True):
        yield line
        if post["url"]:
            yield f"    {render.one_line(post['url'])}"
        if post["why"]:
            yield f"    because: {render.one_line(post['why'])}"
    yield from _to_do(found)


def _state(post: Document) -> str:
    parts = f", {post['live']} of {post['parts']} parts" if post["parts"] > 1 and post["live"] < post["parts"] else ""
    return render.state(post) + parts


def _to_do(found: Document) -> Iterator[str]:
    """How to try again what failed, and nothing else."""
    name = shlex.quote(found["campaign"])
    for state, command in RETRY.items():
        number = found["counts"].get(state, 0)
        if number:
            yield render.field("to do", f"{number} {state}, to send now:")
            yield f"    {render.one_line('guardian queue ' + command.format(name=name))}"
    if found["counts"].get(State.UNKNOWN):
        yield render.field("unknown", "it may be out: its platform is being asked; it is not sent again meanwhile")
    held_by = sorted({one["held_by"] for one in found["posts"] if one["held_by"]})
    if held_by:
        yield f"held by {', '.join(held_by)}: guardian status"
