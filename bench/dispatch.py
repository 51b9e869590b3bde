"""How many posts leave in a second, to a platform that answers at once, beside how many jobs leave others."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench import page
from bench.carriers import ALL, FORKING, SIMPLE, carriers, rate
from bench.goals import PER_SECOND, Goal, lines
from bench.house import BenchHouse, Sink, names
from bench.timing import Measured, in_turn

if TYPE_CHECKING:
    from bench.timing import Sample

ACCOUNTS = (1, 4, 16)
POSTS = {1: 600, 4: 1600, 16: 1600}
ROUNDS, BUDGET = 2, 150.0
ABOUT = """\
* The platform is a sink on this machine: one process, one thread, which says what the rehearsal platform says, in 0.03
  ms. So the figures are what a host can do; a real platform takes 100 ms and allows 300 posts in 5 minutes.
* *Guardian, n accounts*: n lanes, each one post at a time, through Mastodon.py and the gate: permits looked at and
  locked, the intent on the disk before a byte leaves, the outcome after it, both with full synchronisation, and the
  journal's line.
* The peers have four workers (or a concurrency of four), and a job is one bare request, without a platform's library.
  Redis is told to keep nothing on the disk; PostgreSQL is as durable as it comes. Their job is lost, or sent twice,
  when a worker is killed in it. The jobs wait before the workers start.
* Where our time goes (py-spy on four lanes, 2026-11-25, of the samples that hold the interpreter): 52 % in Mastodon.py
  and requests, who make one POST and read one answer; 12 % the outcome, 10 % the check and the intent, each with its
  commit; 5 % the fence's permits; the rest is tenacity and the lane. The interpreter was held in two samples of five:
  in the others the lanes wait for the disk, twice for every post, or for the answer. A peer's job has neither.
* The rate is that of the middle eight tenths of the arrivals.
"""


def ours(count: int) -> str:
    """The name of our figure with so many accounts."""
    return f"Guardian, {count} account{'s' if count > 1 else ''}{PER_SECOND}"


GOALS = (
    Goal("dispatch, 4 accounts", ours(4), FORKING + PER_SECOND, least=1.0),
    Goal("dispatch, 4 accounts", ours(4), SIMPLE + PER_SECOND, least=0.5),
    *(Goal("dispatch, 4 accounts", ours(4), one + PER_SECOND) for one in ALL if one not in (SIMPLE, FORKING)),
    Goal("dispatch, 4 accounts", ours(4), ours(1)),
    Goal("dispatch, 16 accounts", ours(16), ours(4)),
)


def run() -> None:
    """Measure, print, and write the page's section."""
    before, everybody = os.getloadavg(), names(max(ACCOUNTS))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        sink = stack.enter_context(Sink(everybody))
        things = [_lanes(stack, count, sink) for count in ACCOUNTS] + carriers(stack, directory, sink)
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET, warm=False)
    section = page.Section("dispatch", "Dispatch: posts in a second", ABOUT, peers=True)
    page.publish(section, lines(GOALS, taken), taken, absent, before)


def _lanes(stack: ExitStack, count: int, sink: Sink) -> Measured:
    house = stack.enter_context(BenchHouse(names(count), sink))

    def take() -> Sample:
        if house.daemon is None:
            house.start()
        sink.clear()
        house.feed(POSTS[count])
        sink.wait(POSTS[count])
        return {ours(count): rate(sink.arrivals())}

    return Measured(ours(count), take)
