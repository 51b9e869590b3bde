"""From the start of the daemon until the first post has left, with few and with a million posts pending; its memory."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench import page, plan
from bench.goals import Goal, lines
from bench.house import BenchHouse, Sink, memory
from bench.timing import Measured, in_turn

if TYPE_CHECKING:
    from bench.timing import Sample

FEW, MANY = plan.SIZES[0], plan.SIZES[-1]
ROUNDS, BUDGET = 5, 60.0
DUE_IN = 4.0
FIRST_SEND, RESIDENT = "start to first send, {} pending", "resident memory after it, {} pending (MB)"
GOALS = (
    Goal("start to first send, a million pending", FIRST_SEND.format(MANY), most=2000.0),
    Goal("start to first send", FIRST_SEND.format(MANY), FIRST_SEND.format(FEW)),
    Goal("resident memory, a million pending", RESIDENT.format(MANY), most=150.0, unit="MB"),
    Goal("resident memory", RESIDENT.format(MANY), RESIDENT.format(FEW)),
)
ABOUT = """\
* *Start to first send*: from the start of the process `guardian run` until the first byte of a post that was due while
  it was down reaches the platform: Python, the configuration, the look at the store, what a crash may have left, the
  fence, and the question to the platform who we are. The file is in the kernel's cache. A large store is looked at in
  part before the first send, and to its end behind it (docs/damaged-store.md).
* *Resident memory*: VmRSS right after that.
"""


def run() -> None:
    """Measure, print, and write the page's section."""
    before = os.getloadavg()
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(plan.ACCOUNTS))
        things = [_started(stack, count, sink) for count in (FEW, MANY)]
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET)
    section = page.Section("starting", "Start of the daemon", ABOUT)
    page.publish(section, lines(GOALS, taken), taken, absent, before)


def _started(stack: ExitStack, count: int, sink: Sink) -> Measured:
    house = stack.enter_context(BenchHouse(plan.ACCOUNTS, sink))
    plan.lay(house, count)

    def take() -> Sample:
        house.start()
        due = datetime.now(UTC) + timedelta(seconds=DUE_IN)
        house.feed(1, first=due)
        house.stop()
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        sink.clear()
        began = time.monotonic_ns()
        daemon = house.start(ready=False)
        sink.wait(1)
        took = (sink.arrivals()[0][0] - began) / 1e6
        held = memory(daemon.pid)
        house.stop()
        return {FIRST_SEND.format(count): took, RESIDENT.format(count): held}

    return Measured(FIRST_SEND.format(count), take)
