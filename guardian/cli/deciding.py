"""`guardian queue release`, `reschedule` and `cancel`: what is to become of posts, one or many in one transaction."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from guardian.cli import choosing, endings, queue, render
from guardian.cli.choosing import WITHIN, Wanted
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import GuardianError, Mistake

MOST_LINES = 100

Document = dict[str, Any]
Gap = Annotated[
    str | None, typer.Option("--gap", metavar="TIME", help="Least time between two of one account, as 30s.")
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When: 2026-11-21T09:00:00+01:00, or now.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="SHIFT", help="Later or earlier by so much: +2h, -1d, '+1d 2h'; days keep the wall time."
    ),
]


def register(app: typer.Typer) -> None:
    """Put the commands into the queue's family."""
    app.command("release", epilog="Example: guardian queue release --all --gap 30s --yes")(release)
    app.command("reschedule", epilog="Example: guardian queue reschedule --tag launch --by +1d")(reschedule)
    app.command("cancel", epilog="Example: guardian queue cancel p-onrsxq3fnyzdcmru")(cancel)


def release(  # noqa: PLR0913 (one parameter for each way to choose)
    *,
    posts: choosing.Ids = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    tag: choosing.Tag = None,
    campaign: choosing.Campaign = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    everything: choosing.Everything = False,
    gap: Gap = None,
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Send missed posts after all: the first of each account now, the others paced.

    A thread of which some parts are live goes on under them. What is on hold stays. --gap 0s sends all at once.
    """
    desk = Desk(config, as_json)
    wanted = Wanted(
        ids=posts, account=account, brand=brand, tag=tag, campaign=campaign, after=after, before=before,
        everything=everything,
    )  # fmt: skip
    return _decide(desk, "release", wanted, {"gap": gap}, yes=yes)


def reschedule(  # noqa: PLR0913 (one parameter for each way to choose)
    *,
    posts: choosing.Ids = None,
    at: At = None,
    by: By = None,
    zone: queue.Zone = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    tag: choosing.Tag = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    everything: choosing.Everything = False,
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Give posts a new time, all of them or none: --at a time, or --by a shift.

    A shift in days keeps the time on the wall, in each post's own zone; hours are exact. A time that is past is
    refused. A post on hold stays on hold.
    """
    if (at is None) is (by is None):
        raise Mistake("cannot tell the new time, because neither or both of --at and --by are given", fix="give one")
    desk = Desk(config, as_json)
    wanted = Wanted(
        ids=posts, account=account, brand=brand, tag=tag, campaign=campaign, states=state, after=after,
        before=before, everything=everything,
    )  # fmt: skip
    return _decide(desk, "reschedule", wanted, {"at": at, "by": by, "zone": zone}, yes=yes)


def cancel(  # noqa: PLR0913 (one parameter for each way to choose)
    *,
    posts: choosing.Ids = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    tag: choosing.Tag = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    everything: choosing.Everything = False,
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Never send these posts.

    Of the ids that are given, what can be cancelled is; the others are named.
    """
    desk = Desk(config, as_json)
    wanted = Wanted(
        ids=posts, account=account, brand=brand, tag=tag, campaign=campaign, states=state, after=after,
        before=before, everything=everything,
    )  # fmt: skip
    return _decide(desk, "cancel", wanted, {}, yes=yes)


def _decide(desk: Desk, act: str, wanted: Wanted, more: Document, *, yes: bool) -> int:
    """Choose, ask, do, and say what came of it."""
    client = desk.client(within=WITHIN)
    meant = choosing.which(client, act, wanted, yes=yes)
    if meant.body is None:
        return endings.FAILED
    given = {key: value for key, value in more.items() if value is not None}
    done = client.post(f"/v1/posts/{act}", {**meant.body, **given})
    failed = [endings.of_document(one) for one in done["errors"]]
    if act == "reschedule" and len(done["posts"]) == done["count"] == 1:  # what one post alone always answered
        done |= {"post": done["posts"][0], "note": done["notes"][0]["note"] if done["notes"] else None}
    if failed:
        done["error"] = endings.as_document(failed[0])
    if done["count"] or not failed or desk.as_json:
        desk.answer(done, _lines(done, PAST[act]))
    for one in failed:
        render.tell(str(one))
    if act != "cancel":
        queue.warn_of_freezes_and_holds(client, done["posts"])
    return _code(failed)


def _code(failed: list[GuardianError]) -> int:
    return endings.code_of(failed[0]) if failed else endings.DONE


def _lines(done: Document, word: str) -> Iterator[str]:
    yield f"{render.count(done['count'], 'post')} {word}"
    yield from choosing.table(done["posts"][:MOST_LINES], done["count"])
    for one in done["notes"][:MOST_LINES]:
        yield render.field("note", f"{one['post']}: {one['note']}")
    if done["left_in_all"]:
        yield render.field("on hold", f"{render.count(done['left_in_all'], 'post')}, not released: guardian status")
    held = sorted({one["held_by"] for one in done["posts"] if str(one["held_by"] or "").startswith("h-")})
    for one in held[:MOST_LINES]:
        yield render.field("on hold", f"some of it stays on hold ({one}): guardian status")


PAST = {"release": "released", "reschedule": "rescheduled", "cancel": "cancelled"}
