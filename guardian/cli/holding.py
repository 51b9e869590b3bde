"""`guardian queue hold` and `unhold`: keep posts back, or every post with a tag, until somebody lets them go."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from guardian.cli import choosing, endings, render, standing
from guardian.cli.choosing import WITHIN, Wanted
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import Mistake

MOST_LINES = 20
OVER = ("published", "cancelled", "retracting", "retracted")

Document = dict[str, Any]
TagAlone = Annotated[
    str | None,
    typer.Option("--tag", metavar="T", help="A label: alone, whatever has it now or gets it later; else a filter."),
]


def register(app: typer.Typer) -> None:
    """Put both commands into the queue's family."""
    app.command("hold", epilog='Example: guardian queue hold --tag launch --reason "the date moves"')(hold)
    app.command("unhold", epilog="Example: guardian queue unhold --tag launch")(unhold)


def hold(  # noqa: PLR0913 (one parameter for each way to choose)
    *,
    posts: choosing.Ids = None,
    tag: TagAlone = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    everything: choosing.Everything = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever finds it.")] = "",
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Keep posts back until they are let go; what falls due meanwhile is missed.

    --tag alone holds whatever has that tag, posts that are entered later too. A filter holds the posts that fit now.
    What a lane has taken already goes out: that is said. Exit 1 if something is out or cancelled already.
    """
    desk = Desk(config, as_json)
    client = desk.client(within=WITHIN)
    wanted = Wanted(
        ids=posts, account=account, brand=brand, tag=tag, campaign=campaign, states=state, after=after,
        before=before, everything=everything,
    )  # fmt: skip
    body = {"tag": tag} if wanted.is_tag_alone else choosing.which(client, "hold", wanted, yes=yes).body
    if body is None:
        return endings.FAILED
    done = client.post("/v1/posts/hold", {**body, "reason": reason})
    desk.answer(done, _held_lines(done))
    for one in done["too_late"]:
        render.tell(_too_late(one))
    return endings.FAILED if any(one["state"] in OVER for one in done["too_late"]) else endings.DONE


def unhold(  # noqa: PLR0913 (one parameter for each way to choose)
    *,
    posts: choosing.Ids = None,
    tag: TagAlone = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    everything: choosing.Everything = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="What a restore has put on hold, once you have looked at the platforms.")
    ] = False,
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Let posts go again, or a tag.

    What fell due meanwhile is missed, and goes out only when it is released.
    --tag alone lifts the hold of the tag; a filter, the holds of the posts that fit; --all, every hold.
    """
    desk = Desk(config, as_json)
    client = desk.client(within=WITHIN)
    wanted = Wanted(
        ids=posts, account=account, brand=brand, tag=tag, campaign=campaign, states=state, after=after,
        before=before, everything=everything,
    )  # fmt: skip
    if restored and wanted != Wanted():
        raise Mistake("cannot use --restored with other choices, because it is one", fix="give it alone")
    alone = {"restored": True} if restored else {"tag": tag} if wanted.is_tag_alone else None
    body = alone or choosing.which(client, "unhold", wanted, yes=yes).body
    if body is None:
        return endings.FAILED
    done = client.post("/v1/posts/unhold", body)
    desk.answer(done, _lifted_lines(done, tag if wanted.is_tag_alone else None))
    return endings.DONE


def _held_lines(done: Document) -> Iterator[str]:
    if done["placed"]:
        yield f"{render.count(done['placed'], 'hold')} placed"
        yield from (f"  {standing.hold_line(one)}" for one in done["holds"][:MOST_LINES])
        yield from _more(done["placed"], done["holds"])
    if done["joined_in_all"]:
        yield f"{done['joined_in_all']} on hold already: this joins it"
        yield from (f"  {standing.hold_line(one)}" for one in done["joined"][:MOST_LINES])
        yield from _more(done["joined_in_all"], done["joined"])
    if not done["placed"] and not done["joined_in_all"]:
        yield "Nothing to hold"
        return
    tags = [one for one in (*done["holds"], *done["joined"]) if one.get("tag") is not None]
    if tags and not done["waiting"]:
        yield render.field("waiting", "no post with that tag waits now; those that are entered later are held")
    else:
        yield render.field(
            "waiting", f"{render.count(done['waiting'], 'post')}; missed if the time passes before unhold"
        )


def _too_late(one: Document) -> str:
    if one["state"] in OVER:
        return f"Too late for {one['post']}: it is {one['state']}. No hold was placed on it."
    rest = " The rest of its parts is held." if one["parts"] > 1 else ""
    return f"Too late for what is on its way: {one['post']} is {one['state']}.{rest}"


def _lifted_lines(done: Document, tag: str | None) -> Iterator[str]:
    if done["count"]:
        yield f"{render.count(done['count'], 'hold')} lifted"
        yield from (f"  {standing.hold_line(one)}" for one in done["lifted"][:MOST_LINES])
        yield from _more(done["count"], done["lifted"])
    elif tag is not None:
        yield render.one_line(f"Nothing to lift: tag {tag} is not on hold")
    else:
        yield "Nothing to lift"
    for one in done["not_held"][:MOST_LINES]:
        yield render.one_line(f"  {one} was not on hold by itself")
    if done["still"]:
        yield "Stays on hold"
        yield from (f"  {standing.hold_line(one)}" for one in done["still"][:MOST_LINES])
    if done["missed_in_all"]:
        missed = render.count(done["missed_in_all"], "post")
        yield render.field(
            "missed", f"{missed}, whose time passed meanwhile; not sent: guardian queue list --state missed"
        )


def _more(in_all: int, shown: list[Document]) -> Iterator[str]:
    left = in_all - min(len(shown), MOST_LINES)
    if left:
        yield f"  and {left} more"
