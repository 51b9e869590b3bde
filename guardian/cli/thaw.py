"""`guardian thaw`: lift freezes, after showing what waits behind them and what was missed. Asks, unless told not to."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from guardian.cli import completion, endings, render
from guardian.cli import status as status_
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Broken, GuardianError, Mistake, Refusal
from guardian.fence import reading

A_MOMENT = 0.8  # the daemon looks at the fence twice a second
WITHIN = 120.0  # arming waits for every gate in turn
ALL = "all"

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("thaw", epilog='Example: guardian thaw --scope brand:acme --reason "statement is out"')(thaw)


def thaw(
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the journal.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="S",
            help="What to lift; may be given again. Default: all.",
            autocompletion=completion.scopes,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Lift freezes; asks first.

    Without --scope the one over `all`, and nothing narrower. What was missed stays unsent. It also says that the clock
    is right, where the daemon doubts that.
    """
    desk = Desk(config, as_json)
    if not yes and not sys.stdin.isatty():
        raise Mistake("cannot ask whether to thaw, because this is no terminal", fix="add --yes")
    client = desk.client(within=WITHIN)
    before = _look(client)
    wanted = sorted(set(scope or [ALL]))
    _must_be_known(wanted, before)
    frozen = [one for one in wanted if one in {freeze["scope"] for freeze in before["freezes"]}]
    doubted = status_.in_doubt(before)
    if not frozen and not doubted:
        desk.answer(_nothing(before, wanted), _nothing_lines(before, wanted))
        return endings.DONE
    if not yes and not _agreed(before, frozen):
        render.tell("Nothing was thawed.")
        return endings.FAILED
    shown = [one["id"] for one in before["freezes"] if one["scope"] in frozen]
    # with nothing frozen it is the clock alone that is confirmed: arming what is armed changes nothing
    done = client.post("/v1/thaw", {"reason": reason, "scopes": frozen or wanted, "freezes": shown})
    left = [one for one in wanted if one not in (frozen or wanted)]
    found = {**done, "not_frozen": left, "clock_confirmed": doubted, "counts": _counts(client)}
    return _end(desk, found)


def _look(client: Client) -> Document:
    """The state before. Raises when there is no daemon.

    A freeze that the daemon has not written down yet has no id, and could not be lifted by name: it gets a moment.
    """
    told = client.get("/v1/status")  # says why, where there is no answer
    if told.get("store"):
        raise Broken(told["store"]["why"], fix=told["store"]["fix"])
    found = status_.read(client.house)
    if any(one.get("id") is None for one in found["freezes"]):
        time.sleep(A_MOMENT)
        found = status_.read(client.house)
    found["freezes"] = [one for one in found["freezes"] if one.get("id") is not None]
    return found


def _must_be_known(wanted: list[str], before: Document) -> None:
    known = {ALL, *(one["scope"] for one in (*before["freezes"], *before["scopes"]))}
    for account in before["accounts"]:
        known |= {f"account:{account['name']}", f"brand:{account['brand']}", f"platform:{account['platform']}"}
    for scope in wanted:
        if scope not in known:
            raise Mistake(
                f"cannot thaw {scope!r}, because this house has no such scope",
                fix=f"choose from: {', '.join(sorted(known))}",
            )


def _agreed(before: Document, frozen: list[str]) -> bool:
    """Show and ask, on stderr, so that stdout holds the answer alone. Only yes is yes."""
    for line in _preview(before, frozen):
        render.tell(line)
    print("Thaw? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _preview(before: Document, frozen: list[str]) -> Iterator[str]:
    if status_.in_doubt(before):
        yield render.field("clock", f"in doubt: {before['clock']['why']}; to thaw says that it is right as it is:")
        yield render.field("", render.local(datetime.now(UTC).isoformat()))
    if frozen:
        yield "To be lifted"
        yield from (status_.freeze_line(one) for one in before["freezes"] if one["scope"] in frozen)
    staying = [one for one in before["freezes"] if one["scope"] not in frozen]
    if staying:
        yield "Stays frozen"
        yield from (status_.freeze_line(one) for one in staying)
    missed = (before["counts"] or {}).get("missed", 0)
    yield render.field("held", f"{render.count(before['held'] or 0, 'post')}; those whose time is still to come go out")
    yield from status_.hold_lines(before)
    yield render.field("missed", f"{render.count(missed, 'post')}; never sent unless you release them")


def _nothing(before: Document, wanted: list[str]) -> Document:
    return {
        "state": before["state"],
        "thawed": [],
        "refused": [],
        "freezes": before["freezes"],
        "incident": before["incident"],
        "missed": [],
        "not_frozen": wanted,
        "counts": before["counts"],
    }


def _nothing_lines(before: Document, wanted: list[str]) -> Iterator[str]:
    yield f"Nothing to thaw: not frozen: {', '.join(wanted)}"
    if before["freezes"]:
        yield "Frozen is"
        yield from (status_.freeze_line(one) for one in before["freezes"])


def _counts(client: Client) -> dict[str, int] | None:
    """How much is missed in all; the thaw is done, so no trouble here may look like its failure."""
    try:
        counts: dict[str, int] = client.get("/v1/status")["counts"]
    except GuardianError:
        return None
    return counts


def _end(desk: Desk, found: Document) -> int:
    refused = [
        Refusal(f"cannot thaw {one['scope']}, because {one['why']}", fix="look at guardian status, then thaw again")
        for one in found["refused"]
    ]
    if refused:
        found["error"] = endings.as_document(refused[0])
    desk.answer(found, _lines(found))
    for error in refused:
        render.tell(str(error))
    return endings.FAILED if refused else endings.DONE


def _lines(found: Document) -> Iterator[str]:
    if found["thawed"]:
        yield f"THAWED  {', '.join(found['thawed'])}"
    if found["clock_confirmed"]:
        yield render.field("clock", "confirmed as it is; posts go out by it again")
    if found["not_frozen"]:
        yield render.field("not frozen", ", ".join(found["not_frozen"]))
    yield render.field("state", found["state"])
    if found["state"] != reading.OPEN or found["freezes"]:
        yield "Stays frozen"
        yield from (status_.freeze_line(one) for one in found["freezes"])
    if found.get("incident"):
        yield from status_.incident_lines(found)
        yield render.field("", "a thaw does not close it    guardian incident close REASON")
    missed = (found["counts"] or {}).get("missed", len(found["missed"]))
    if not missed:
        yield render.field("missed", "nothing")
        return
    yield render.field(
        "missed", f"{render.count(missed, 'post')}, {len(found['missed'])} of them found just now; not sent"
    )
    yield render.field("", "see them    guardian queue list --state missed")
    yield render.field("", "send them   guardian queue release --all --gap 30s")
    yield render.field("", "or one      guardian queue reschedule ID --at TIME")
