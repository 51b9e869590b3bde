"""`guardian drill`: the bad night, rehearsed on this host, with its real fence and your own shell; every step timed.

The real fence shows that it can stop on a private scope of its own; the story is told in a house of the drill's own
beside the real one, on a platform of its own. No account of yours, and nothing of your queue, has any part in it; the
real daemon goes on publishing.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guardian.cli import drill_tidying, endings, proving, render
from guardian.cli.doctor_practice import LAST_DRILL
from guardian.cli.drill_stage import DrillStage
from guardian.cli.drill_story import DrillStory
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import GuardianError, Mistake, NotAllowed
from guardian.fence import scopes
from guardian.fence.house import House, is_ours, must_exist
from guardian.fence.report import printable

if TYPE_CHECKING:
    from guardian.cli.proving import Proof

ENDS = (signal.SIGTERM, signal.SIGHUP)
MOST_WHY = 900
TITLES = {
    "stop_ms": "this host's fence: the stop",
    "hung_ms": "the same, against a hung sender",
    "agent_ms": "the same, through fence.sock",
    "freeze_ms": "from the joke to the order",
    "confirm_ms": "from the order to CONFIRMED",
    "takedown_ms": "from the joke to its end",
    "report_ms": "from the joke to the report",
}

Document = dict[str, Any]
Say = Callable[[str], None]


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("drill", epilog="Example: guardian drill")(drill)


def drill(
    *,
    auto: Annotated[bool, typer.Option("--auto", help="The drill types the commands itself.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Rehearse the bad night: stop, take down, report, with the times of all of it.

    With this host's real fence (on a private scope), a rehearsal platform, and your own hands: it tells when the joke
    is live, and waits for what you type, here or in another terminal. Needs root or the service user. Exit: 0 it went
    well, 1 it did not.
    """
    desk = Desk(config, as_json)
    house = desk.house()
    _may(house, auto=auto)
    for end in ENDS:
        signal.signal(end, _interrupt)
    say = _on_stderr if as_json else _at_once
    with proving.alone(house) as lock:
        left = drill_tidying.tidy(house)
        if left:
            say(f"(what a drill before this one left was taken away: {render.count(len(left), 'file')})")
        found = _drill(desk, house, lock, auto=auto, say=say)
    desk.answer(found, _summary(found))
    return endings.DONE if found["ok"] else endings.FAILED


def _may(house: House, *, auto: bool) -> None:
    if not auto and not sys.stdin.isatty():
        raise Mistake("cannot drill without a terminal, because you are to type the stop", fix="add --auto")
    if not is_ours(house):
        raise NotAllowed(
            f"cannot drill in {house.state_dir}, because its fence is closed to you",
            fix="run it as root or as the service user; whether the agent hears you says: guardian doctor",
        )
    must_exist(house)


def _drill(desk: Desk, house: House, lock: int, *, auto: bool, say: Say) -> Document:
    at = time.time_ns() // 1_000_000
    say("\n1. This host's real fence, on a scope that no post belongs to\n")
    proof = proving.prove_under(house, lock, agent=os.path.exists(house.fence_socket))  # noqa: PTH110 (plain paths)
    measures, why = _of_the_fence(proof, say)
    if not why:
        say("\n2. The story, on a platform and in a house of the drill's own\n")
        with DrillStage(house, lock, _rights(desk)) as stage:
            story = DrillStory(stage, say, auto)
            try:
                story.tell()
            except (GuardianError, OSError, ValueError, KeyError) as error:
                why = error.message if isinstance(error, GuardianError) else f"{type(error).__name__}: {error}"
                for line in stage.tail():
                    render.tell(f"  daemon.log: {line}")
            measures |= story.measures
    found = {"ok": not why, "auto": auto, "why": why[:MOST_WHY], "measures": measures}
    _keep(house, {"at": at, **found})
    return {**found, "at": at, "noted": _note(house, found), "self_test": asdict(proof)}


def _of_the_fence(proof: "Proof", say: Say) -> tuple[dict[str, int], str]:
    """What the self-test measured, and what was wrong."""
    why = proof.why or proof.agent_why
    if why:
        say(f"   NOT SO: {why}, do {proof.fix or proof.agent_fix}")
    else:
        say(f"   + CONFIRMED in {proof.stop_ms} ms with a sender at work: {proof.sent} sends before, none after")
        say(f"   + CONFIRMED in {proof.hung_ms} ms with one that hung: it was ended")
    if proof.agent_ms is not None:
        say(f"   + CONFIRMED in {proof.agent_ms:.1f} ms through fence.sock, as people on call do it")
    times = {"stop_ms": proof.stop_ms, "hung_ms": proof.hung_ms, "agent_ms": proof.agent_ms}
    return {key: round(ms) for key, ms in times.items() if ms is not None}, why


def _rights(desk: Desk) -> list[tuple[str, tuple[str, ...]]]:
    """Who may do what in the real house may do it in the drill's."""
    from guardian.config import Settings, read

    found = read(desk.path(), with_secrets=False)
    rights = found.rights if isinstance(found, Settings) else None
    return [] if rights is None else [(name, getattr(rights, name)) for name in type(rights).model_fields]


def _keep(house: House, found: Document) -> None:
    """For the doctor: whole or not at all."""
    path, beside = Path(house.state_dir, LAST_DRILL), Path(house.state_dir, f".{LAST_DRILL}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        scopes.give_to_owner(fd, house.state_dir)
        json.dump(found, file)
    beside.replace(path)


def _note(house: House, found: Document) -> bool:
    """A line in the real house's journal, if its daemon runs."""
    try:
        Client(house).post("/v1/drills", found)
    except GuardianError as error:
        render.tell(f"not in the journal: {error.message}")
        return False
    return True


def _summary(found: Document) -> list[str]:
    kept = [(TITLES[key], f"{found['measures'][key]:,} ms") for key in TITLES if key in found["measures"]]
    rows = [f"   {label:<34} {value:>12}" for label, value in kept]
    verdict = "The drill went well." if found["ok"] else f"THE DRILL FAILED: {found['why']}"
    noted = "noted in the journal" if found["noted"] else "NOT noted in the journal"
    return ["", render.one_line(f"{verdict} ({noted})"), "", *rows]


def _interrupt(_signal: int, _frame: object) -> None:
    """Being ended from outside goes the way of Ctrl-C, so that everything is taken away."""
    raise KeyboardInterrupt


def _at_once(line: str) -> None:
    for each in line.split("\n"):
        print(printable(each), flush=True)


def _on_stderr(line: str) -> None:
    render.tell(line)
