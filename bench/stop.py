"""How long a stop takes beside what it cannot be faster than, and beside how others stop; `python -m bench stop`."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench import page
from bench.doors import AGENT, BUSY, COMMAND, CONFIRMED, DIRECT, IDLE, SLOW, SOCKET, doors, figure
from bench.floors import CLIENT, COMMIT, INTERPRETER, floors
from bench.goals import Goal, line, median
from bench.peers import ALL, peers
from bench.timing import CPU, in_turn

if TYPE_CHECKING:
    from bench.timing import Taken

ROUNDS = 15
BUDGET = 150.0
FASTEST, CHEAPEST = "the fastest peer's command", "the cheapest peer's command"


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


ABOUT = """\
* *Start to CONFIRMED*: from the start of the process `guardian freeze --wait 0` until its first line, `FROZEN
  CONFIRMED`, is read from the pipe. *Whole command*: until it has ended, with what the daemon could add.
* *Direct*: root, to the fence. *Agent*: somebody with a uid of their own, in the freeze group, through the fence agent,
  which systemd-socket-activate starts for each connection as the service user and without network. *Control socket*:
  one request to the daemon, no process is started.
* *Idle*: the daemon runs and has nothing to do. *Lanes busy*: 60 posts are due, four lanes send them to a platform that
  answers at once. *Platform answers after 4 s*: the lanes wait for answers.
* *Processor time* is that of the command alone (through the agent: of the caller's command alone), not of who answers
  it. Other work on the machine changes it little.
* A peer has jobs waiting and a worker that works on them; each job takes 100 ms, as with a platform that answers after
  100 ms. Its figure is from the start of its own command until the prompt returns, which is all that it promises;
  CONFIRMED promises that nothing leaves any more. Procrastinate has no command that pauses; Postfix (a system service)
  is not installed by the benchmark. Their figures of another day: cancel-all 113-553 ms, postsuper 43-642 ms.
* The floors are: an interpreter that does nothing; a client that connects to a Unix socket, sends a line and reads
  one; the same in C; one commit of SQLite with a write-ahead log and full synchronisation.
"""


def run() -> None:
    """Measure, print, and write the page's section."""
    before = os.getloadavg()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        things = [*floors(directory), *doors(stack), *peers(stack, directory)]
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET)
    page.publish(
        page.Section("stop", "The stop beside its floors and beside its peers", ABOUT, peers=True),
        [line(goal, taken, _beside) for goal in GOALS],
        taken, absent, before,
    )  # fmt: skip


def _beside(goal: Goal, taken: Taken) -> float | None:
    """What it is compared with; of the peers the one whose command returns first, or works least."""
    if goal.beside in (FASTEST, CHEAPEST):
        names = [name + (CPU if goal.beside == CHEAPEST else "") for name in ALL]
        return min((p50 for name in names if (p50 := taken.p50(name)) is not None), default=None)
    return median(goal, taken)
