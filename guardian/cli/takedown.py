"""`guardian takedown` and `guardian snapshot`: evidence first, then the act, then what became of it, truthfully."""

import os
import pwd
import socket
import time
import uuid
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from guardian.cli import endings, render, takedown_lines
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Mistake

ORDER = "order"
USUAL_WAIT, LONGEST_WAIT, A_TURN = 30.0, 3600.0, 5.0
MARGIN = 15.0  # seconds that an answer may take beyond what it was asked to wait
USUAL, LARGEST = 20, 200
Document = dict[str, Any]


class Capture(StrEnum):
    """What happens when the proof cannot be had in time."""

    BEST_EFFORT = "best-effort"
    REQUIRE = "require"
    SKIP = "skip"


class Limit(StrEnum):
    """What may be laid on a post that stays where it is, and lifted again."""

    CLOSE_REPLIES = "close-replies"
    DETACH_QUOTES = "detach-quotes"
    LOCK = "lock"
    SPOILER = "spoiler"


class Severity(StrEnum):
    """What is worse is taken down first."""

    LOW = "low"
    USUAL = "usual"
    HIGH = "high"
    CRITICAL = "critical"


class OrderUnlessNamed(TyperGroup):
    """`guardian takedown REF ...` is an order; only the names of the other commands are no references."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (Typer's own context)
        """Put `order` before what names no command."""
        if args and args[0] not in (*self.commands, "--help", "-h") and not ctx.resilient_parsing:
            args = [ORDER, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=OrderUnlessNamed,
    help=(
        "Take live posts down: the proof is sealed first, then they are deleted, hidden, limited or kept, then read "
        "back.\n\n"
        "guardian takedown REF... --delete is short for guardian takedown order REF... --delete."
    ),
    epilog="Example: guardian takedown https://mastodon.example/@acme/112 --delete",
    rich_markup_mode=None,
)
Refs = Annotated[
    list[str],
    typer.Argument(metavar="REF...", help="A guardian id (p-...), the post's URL, or ACCOUNT/ID; the worst first."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]
Replies = Annotated[
    int | None,
    typer.Option("--replies", metavar="N", min=0, max=200, help="Keep so many of other people's replies, too."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, max=LONGEST_WAIT, help="How long to wait here for the outcome."),
]


def register(root: typer.Typer) -> None:
    """Put both into the root."""
    root.add_typer(app, name="takedown")
    root.command("snapshot", epilog="Example: guardian snapshot p-abcdefghijklmnop")(snapshot)


@app.command(ORDER, epilog="Example: guardian takedown order p-abcdefghijklmnop --delete --reason tasteless")
def order(  # noqa: PLR0913 (one parameter for each option)
    refs: Refs,
    *,
    delete: Annotated[bool, typer.Option("--delete", help="Delete them: on most platforms for ever.")] = False,
    hide: Annotated[bool, typer.Option("--hide", help="Hide them, where the platform can; see capabilities.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Overwrite their words, then delete; see capabilities.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave them: a decision, too, with its proof.")] = False,
    limit: Annotated[
        Limit | None,
        typer.Option("--limit", help="Leave them, under a limit that can be lifted again; see capabilities."),
    ] = None,
    reason: Reason = "",
    capture: Annotated[
        Capture | None,
        typer.Option("--capture", help="What to do when the proof cannot be had. Default: as configured."),
    ] = None,
    severity: Annotated[Severity, typer.Option("--severity", help="What is worse goes first.")] = Severity.USUAL,
    agreed: Annotated[
        list[str] | None, typer.Option("--agreed", metavar="NAME", help="Who agreed; again for more.")
    ] = None,
    siblings: Annotated[
        bool, typer.Option("--siblings", help="Also what says the same elsewhere, the rest of a thread, its campaign.")
    ] = False,
    replies: Replies = None,
    wait: Wait = USUAL_WAIT,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Take posts down, or limit them, and say truthfully what became of each.

    Works while frozen. Ends with 14 if anything is not as it was ordered; what is still under way goes on by itself.
    """
    flags = (("delete", delete), ("hide", hide), ("keep", keep), (limit, limit is not None))
    chosen = [name for name, given in flags if given]
    if len(chosen) != 1:
        raise Mistake(
            f"cannot take anything down, because {'no decision is' if not chosen else 'several decisions are'} given",
            fix="give one of --delete, --hide, --keep, --limit WHAT",
        )
    body = {
        "refs": refs,
        "decision": chosen[0],
        "overwrite": overwrite,
        "reason": reason,
        "capture": capture,
        "severity": severity,
        "agreed": agreed or [],
        "siblings": siblings,
        "replies": replies,
    }
    return _carry_out(Desk(config, as_json), body, wait)


def snapshot(
    refs: Refs,
    *,
    reason: Reason = "",
    replies: Replies = None,
    wait: Wait = USUAL_WAIT,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Seal the proof of live posts, and leave them as they are.

    The platform's own bytes, the files, who ordered it, and what we kept when it went live, in a bundle of evidence.
    """
    body = {"refs": refs, "decision": "keep", "reason": reason, "replies": replies, "evidence_only": True}
    return _carry_out(Desk(config, as_json), body, wait)


@app.command("list", epilog="Example: guardian takedown list --limit 5")
def list_(
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=LARGEST, help="How many.")] = USUAL,
    cursor: Annotated[
        int | None, typer.Option("--cursor", metavar="N", min=0, help="Go on where an earlier page ended.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Takedowns, newest first."""
    desk = Desk(config, as_json)
    found = desk.client().get("/v1/takedowns", limit=limit, cursor=cursor)
    desk.answer(found, takedown_lines.page(found))


@app.command("show", epilog="Example: guardian takedown show t-abcdefghijklmnop")
def show(
    takedown: Annotated[str, typer.Argument(metavar="ID", help="Which one (t-...).")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """One takedown, as it stands."""
    desk = Desk(config, as_json)
    found = desk.client().get(f"/v1/takedowns/{takedown}")
    desk.answer(found, takedown_lines.lines(found))
    return _ending(found)


@app.command("undo", epilog="Example: guardian takedown undo t-abcdefghijklmnop --reason 'quoted out of context'")
def undo(
    takedown: Annotated[str, typer.Argument(metavar="ID", help="Which one (t-...).")],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")],
    target: Annotated[str | None, typer.Option("--target", metavar="ID", help="Which of its posts (g-...).")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show again what was hidden, or lift a limit.

    That publishes, so it needs the thaw first. What was deleted stays deleted.
    """
    desk = Desk(config, as_json)
    client = desk.client(within=60.0)
    found = client.post(f"/v1/takedowns/{takedown}/undo", {"reason": reason, "target": target})
    desk.answer(found, takedown_lines.lines(found))


def _carry_out(desk: Desk, body: Document, wait: float) -> int:
    """Order it and tell what comes of it; a lost answer is asked for again by the same key, never ordered twice."""
    until = time.monotonic() + wait
    client = desk.client(within=A_TURN + MARGIN)
    turn = min(wait, A_TURN)
    found = client.post("/v1/takedowns", {**body, "wait": turn, "key": uuid.uuid4().hex, "caller": _caller()})
    found = _until_done(client, found, until)
    desk.answer(found, takedown_lines.lines(found))
    return _ending(found)


def _until_done(client: Client, found: Document, until: float) -> Document:
    """Wait on, and say so, as long as it runs and there is time."""
    while found["state"] == "running" and time.monotonic() < until:
        done = sum(one["state"] in takedown_lines.ENDED for one in found["targets"])
        render.tell(
            f"{done} of {len(found['targets'])} done{takedown_lines.eta(found)}; it goes on by itself, also without you"
        )
        left = max(0.0, min(until - time.monotonic(), A_TURN))
        found = client.get(f"/v1/takedowns/{found['id']}", wait=left)
    return found


def _caller() -> Document:
    """Where the person sits, as far as this process can tell."""
    with suppress(OSError):
        return {"login": _login(), "tty": os.ttyname(0), "host": socket.gethostname()}
    return {"login": _login(), "tty": "", "host": socket.gethostname()}


def _login() -> str:
    with suppress(OSError):
        return os.getlogin()
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return ""


def _ending(found: Document) -> int:
    return endings.DONE if found["complete"] else endings.TAKEDOWN_INCOMPLETE
