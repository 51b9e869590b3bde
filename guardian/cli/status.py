"""`guardian status`: is it open or frozen, by the fence's own word; and what the daemon knows, if one can be asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from guardian.cli import render, standing, takedown_lines, through_the_agent, watching
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Absent, GuardianError, Mistake
from guardian.fence import reading
from guardian.fence.house import House
from guardian.fence.reading import Reading, Seen

CODES = {reading.OPEN: 0, reading.FROZEN: 20, reading.PARTLY: 21, reading.UNKNOWN: 22}
PATIENCE = 2.0
MOST_HOLDS = 10
EVERY = 2.0

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("status", epilog="Example: guardian status --watch")(status)


def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.2, max=3600, help=f"How often, with --watch ({EVERY:g})."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Open or frozen, by whom, why, since; what waits.

    By the fence's own word, with or without a daemon. Exit: 0 open, 20 frozen, 21 partly frozen, 22 cannot be read.
    With --watch it paints over itself on a terminal; elsewhere it prints one block, or with --json one line, for each
    change. Ctrl-C ends that, with exit 130.
    """
    if every is not None and not watch:
        raise Mistake("cannot use --every, because it belongs to --watch", fix="add --watch, or leave it out")
    desk = Desk(config, as_json)
    house = desk.house()
    if watch:
        watching.watch(lambda: read(house), lines, every=every or EVERY, as_json=as_json)
    found = read(house)
    desk.answer(found, lines(found))
    return CODES[found["state"]]


def read(house: House) -> Document:
    """The fence's files first; what the daemon adds if it answers soon. Never waits for one that is stopped."""
    fence = reading.read_fence(house)
    daemon, pid = reading.daemon_state(house)
    told, why = _ask(house, daemon)
    if told is not None:
        daemon = "running"
    elif daemon == "running":
        daemon = "hung"  # it holds its lock, and does not answer
    seen = through_the_agent.read(house) if told is None and fence.state == reading.UNKNOWN else None
    if seen is not None:
        fence, there = seen
        daemon = "hung" if there == "running" else there  # it did not answer us
    known = told or {}
    state = known.get("state", reading.UNKNOWN) if fence.state == reading.UNKNOWN else fence.state
    return {
        "state": state if state in CODES else reading.UNKNOWN,
        "why": fence.why if state == reading.UNKNOWN else "",
        "daemon": daemon,
        "pid": pid,
        "unasked": why,
        "clock": known.get("clock"),
        "config": known.get("config"),
        "incident": known.get("incident"),
        "takedowns": known.get("takedowns"),
        "freezes": _freezes(fence, known.get("freezes", [])),
        "scopes": [{"scope": one.scope, "state": one.state} for one in fence.scopes],
        "counts": known.get("counts"),
        "held": known.get("held"),
        "holds": known.get("holds"),
        "holds_in_all": known.get("holds_in_all"),
        "in_flight": known.get("in_flight"),
        "next": known.get("next"),
        "accounts": known.get("accounts", []),
        "without_account": known.get("without_account"),
        "store": known.get("store"),
        "metrics": known.get("metrics"),
        "state_dir": house.state_dir,
        "runtime_dir": house.runtime_dir,
    }


def _ask(house: House, daemon: str) -> tuple[Document | None, str]:
    """What the daemon says, or why nothing. An absent one is asked too: its lock may be hidden from this user."""
    if daemon == "hung":
        return None, "it is stopped"
    try:
        return Client(house, within=PATIENCE).get("/v1/status"), ""
    except Absent:
        return None, "it does not run"
    except GuardianError as error:
        return None, error.message


def _freezes(fence: Reading, told: list[Document]) -> list[Document]:
    """The daemon's freezes, and those that it has not heard of yet, from the markers beside the gates."""
    booked = {one["scope"] for one in told}
    new = [one for one in fence.scopes if one.state == reading.FROZEN and one.scope not in booked]
    return [*told, *(_from_marker(one) for one in new)]


def _from_marker(seen: Seen) -> Document:
    at = None if not seen.at else datetime.fromtimestamp(seen.at / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "id": None,
        "scope": seen.scope,
        "reason": seen.reason if seen.reason is not None else seen.why,
        "by": seen.by,
        "at": at and at.replace("+00:00", "Z"),
        "epoch": seen.epoch,
    }


def lines(found: Document) -> Iterator[str]:
    """The same for people."""
    yield _verdict(found)
    yield from (freeze_line(one) for one in found["freezes"])
    yield from incident_lines(found)
    yield from takedown_lines.standing(found["takedowns"])
    if any(one["state"] == reading.UNARMED for one in found["scopes"]):
        yield render.field("not armed", "nothing is sent before the daemon starts: guardian run")
    yield render.field("daemon", _daemon(found))
    yield from clock_lines(found)
    yield from _metrics(found["metrics"])
    yield from _config(found["config"])
    yield render.field("house", f"{found['state_dir']}, {found['runtime_dir']}")
    if found["store"]:
        yield from _damage(found["store"])
        return
    if found["counts"] is None:
        yield render.field("posts", "not known without the daemon; the queue is safe on disk")
        return
    held = f"; {found['held']} of them held" if found["held"] else ""
    yield render.field("posts", render.counts(found["counts"]) + held)
    yield from hold_lines(found)
    yield from _flight(found["in_flight"])
    yield from _accounts(found["accounts"])
    yield from (_stray(one) for one in found["without_account"] or [])
    yield from _next(found["next"])


def _metrics(found: Document | None) -> Iterator[str]:
    """Nothing, unless they were to be served on TCP and are not."""
    if found and found["state"] == "failed":
        yield render.field("metrics", f"NOT SERVED on {found['listen']}: {found['why']}; it is tried again")


def _config(found: Document | None) -> Iterator[str]:
    """Nothing, unless the file was refused when it was last read: then what is wrong with it."""
    if found is None or found["state"] != "refused":
        return
    yield render.field("config", f"REFUSED at {render.local(found['at'])}; the one before stays in force")
    yield from (render.field("", fault) for fault in found["why"].split("\n"))
    yield render.field("", "correct it, then reload: systemctl reload guardian, or kill -HUP its pid")


def _stray(one: Document) -> str:
    waiting = render.count(one["posts"], "post")
    verb = "waits" if one["posts"] == 1 else "wait"
    return render.field("", f"{one['account']}: no such account in the configuration; {waiting} of it {verb}")


def _damage(store: Document) -> Iterator[str]:
    """A daemon in hold: its store is damaged, and it does nothing but answer this and freeze."""
    yield render.field("store", f"DAMAGED: {store['why']}")
    yield render.field("to restore", store["fix"])
    yield render.field("posts", "not known: they are in the store")


def clock_lines(found: Document) -> Iterator[str]:
    """Nothing, unless the clock is in doubt: then why, and what to do."""
    if in_doubt(found):
        yield render.field("clock", f"IN DOUBT: {found['clock']['why']}. Nothing is sent or missed meanwhile")
        yield render.field("", "it ends when the clock is set right (NTP: timedatectl)")
        yield render.field("", 'if it is right as it is    guardian thaw --reason "the clock is right"')


def in_doubt(found: Document) -> bool:
    """Whether the daemon doubts the wall clock."""
    return (found.get("clock") or {}).get("state") == "in doubt"


def freeze_line(one: Document) -> str:
    """A freeze: what, since when, by whom, why."""
    since = f"since {render.local(one['at'])}" if one["at"] else "since nobody knows when"
    by = one["by"] or "nobody knows whom"
    reason = one["reason"] or "no reason given"
    return f"  {one['scope']:<{render.LABEL}} {render.one_line(f'{since} by {by}: {reason}')}"


def incident_lines(found: Document) -> Iterator[str]:
    """Nothing, unless an incident is open: then which, since when, by whom, why."""
    one = found.get("incident")
    if one:
        words = f"{one['id']}, open since {render.local(one['opened_at'])} by {one['by']}: "
        yield render.field("incident", words + (one["reason"] or "no reason given"))


def hold_lines(found: Document) -> Iterator[str]:
    """Nothing, unless posts or tags are on hold: then which, since when, by whom, why."""
    on_hold = found.get("holds") or []
    if not on_hold:
        return
    in_all = found.get("holds_in_all") or len(on_hold)
    yield render.field("on hold", f"{render.count(in_all, 'hold')} of posts or tags; a thaw lifts none of them")
    yield from (f"    {standing.hold_line(one)}" for one in on_hold[:MOST_HOLDS])
    if in_all > MOST_HOLDS:
        yield f"    and {in_all - MOST_HOLDS} more"


def _verdict(found: Document) -> str:
    words = {
        reading.OPEN: "nothing is frozen",
        reading.FROZEN: "nothing can be sent",
        reading.PARTLY: "some of it cannot be sent",
        reading.UNKNOWN: f"the fence cannot be read: {found['why'] or 'its files are closed to this user'}",
    }
    return f"{found['state'].upper()}  {render.one_line(words[found['state']])}"


def _daemon(found: Document) -> str:
    pid = f" (pid {found['pid']})" if found["pid"] else ""
    why = f"; {found['unasked']}" if found["unasked"] and found["daemon"] != "absent" else ""
    return f"{found['daemon']}{pid}{why}"


def _flight(found: list[Document]) -> Iterator[str]:
    yield render.field("in flight", render.count(len(found), "post") if found else "nothing")
    for one in found:
        words = (one["post"], one["account"], one["state"], one["url"] or "")
        yield render.one_line("    " + "  ".join(words)).rstrip()


def _accounts(found: list[Document]) -> Iterator[str]:
    trouble = [one for one in found if one["trouble"] and one["trouble"] != "not asked yet"]
    well = "none in trouble" if not trouble else f"{len(trouble)} in trouble:"
    yield render.field("accounts", f"{len(found)}, {well}" if found else "none yet")
    for one in trouble:
        yield render.one_line(f"    {one['name']}: {one['trouble']}")


def _next(found: list[Document]) -> Iterator[str]:
    yield render.field("next", render.count(len(found), "post") if found else "nothing waits")
    rows = [(render.local(one["at"]), one["account"], render.state(one), one["text"]) for one in found]
    if rows:
        yield from render.indented(render.table(("when", "account", "state", "text"), rows))
