"""How long a stop takes beside what it cannot be faster than, and beside how others stop; `python -m bench stop`."""

from __future__ import annotations

import compileall
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench import page
from bench.doors import AGENT, BUSY, COMMAND, CONFIRMED, DIRECT, IDLE, SLOW, SOCKET, doors, figure
from bench.floors import CLIENT, COMMIT, INTERPRETER, floors
from bench.peers import ALL, peers
from bench.timing import CPU, Taken, in_turn
from tests.torture.daemon import ROOT

ROUNDS = 15
BUDGET = 150.0
FASTEST, CHEAPEST = "the fastest peer's command", "the cheapest peer's command"


class Goal(NamedTuple):
    """A ratio of two medians in this run (`beside` empty: milliseconds), and how much it may be at most."""

    what: str
    of: str
    beside: str
    most: float | None


GOALS = (
    Goal("stop established, idle", figure(DIRECT, CONFIRMED, IDLE), CLIENT, 3.0),
    Goal("stop established, idle", figure(DIRECT, CONFIRMED, IDLE), FASTEST, 0.25),
    Goal("stop established, idle, through the agent", figure(AGENT, CONFIRMED, IDLE), CLIENT, None),
    Goal("stop established, idle, through the agent", figure(AGENT, CONFIRMED, IDLE), FASTEST, 1.0),
    Goal("whole command, lanes busy", figure(DIRECT, COMMAND, BUSY), FASTEST, 0.5),
    Goal("whole command, lanes busy, through the agent", figure(AGENT, COMMAND, BUSY), FASTEST, 1.0),
    Goal("control socket, idle, p50", figure(SOCKET, COMMAND, IDLE), "", 10.0),
    Goal("control socket, idle, p99", figure(SOCKET, COMMAND, IDLE), "", 50.0),
    Goal("control socket, idle", figure(SOCKET, COMMAND, IDLE), COMMIT, None),
    Goal("established, answers take 4 s", figure(DIRECT, CONFIRMED, SLOW), figure(DIRECT, CONFIRMED, BUSY), 1.3),
    Goal("whole command, idle", figure(DIRECT, COMMAND, IDLE), INTERPRETER, None),
    Goal("processor time, whole command, idle", figure(DIRECT, COMMAND, IDLE) + CPU, CLIENT + CPU, None),
    Goal("processor time, whole command, lanes busy", figure(DIRECT, COMMAND, BUSY) + CPU, CHEAPEST, None),
)  # fmt: skip


def run() -> None:
    """Measure, print, and write docs/performance.md."""
    as_installed()
    before = os.getloadavg()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        print("\nthe stop: our doors, the floors, the peers, in turn", flush=True)
        things = [*floors(directory), *doors(stack), *peers(stack, directory)]
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET)
    ratios = [line(goal, taken) for goal in GOALS]
    figures = [f"{name:<66} {taken.p50(name):8.1f} {taken.p99(name):8.1f}" for name in taken.figures]
    for one in ratios:
        print("  " + "  ".join((f"{one.what:<45}", f"{one.ratio:>8} x {one.beside:<52}", one.goal, one.verdict)))
    print("\n  ".join(["", "figures in ms" + " " * 58 + "p50      p99", *figures]))
    print("\n".join(f"  not measured: {one}" for one in absent))
    page.write(ROOT / "docs" / "performance.md", ratios, taken, absent, before)


def as_installed() -> None:
    """Compiled, as an installed package is: otherwise every start would compile, and the interpreter be measured."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(ROOT / "guardian", quiet=1)


def line(goal: Goal, taken: Taken) -> page.Line:
    """One goal as it came out."""
    mine = taken.p99(goal.of) if goal.what.endswith("p99") else taken.p50(goal.of)
    beside = _beside(goal, taken)
    most = "" if goal.most is None else f"<= {goal.most:g}" + ("" if goal.beside else " ms")
    if mine is None or beside is None:
        return page.Line(goal.what, "-", goal.beside or "ms", most, "not measured")
    ratio = mine / beside
    verdict = "" if goal.most is None else "reached" if ratio <= goal.most else "MISSED"
    return page.Line(goal.what, f"{ratio:.2f}", goal.beside or "ms", most, verdict)


def _beside(goal: Goal, taken: Taken) -> float | None:
    """What it is compared with; of the peers the one whose command returns first, or works least."""
    if goal.beside in (FASTEST, CHEAPEST):
        names = [name + (CPU if goal.beside == CHEAPEST else "") for name in ALL]
        return min((p50 for name in names if (p50 := taken.p50(name)) is not None), default=None)
    return taken.p50(goal.beside) if goal.beside else 1.0
