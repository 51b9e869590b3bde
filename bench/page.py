"""docs/performance.md, written by the run that measured it: nobody copies figures by hand."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench import peers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.timing import Taken

HEAD = """\
# Performance of the stop

Written by `make bench` (bench/stop.py); do not edit by hand. Everything was measured in turn in one run: machines
differ and other work disturbs, so the ratios count, and the milliseconds are those of this machine under this load.

"""
ABOUT = """\

## How it was measured

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
  CONFIRMED promises that nothing leaves any more. Procrastinate (needs PostgreSQL) and Postfix (a system service) are
  not installed by the benchmark; their figures of another day: cancel-all 113-553 ms, postsuper 43-642 ms.
* The floors are: an interpreter that does nothing; a client that connects to a Unix socket, sends a line and reads
  one; the same in C; one commit of SQLite with a write-ahead log and full synchronisation.
"""


class Line(NamedTuple):
    """A ratio and what became of its goal."""

    what: str
    ratio: str
    beside: str
    goal: str
    verdict: str


def write(
    path: Path, ratios: Sequence[Line], taken: Taken, absent: Sequence[str], before: tuple[float, float, float]
) -> None:
    """Write the page."""
    lines = ["| what | ratio | to | goal | |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(one)} |" for one in ratios]
    lines += ["", "## Figures in ms", "", "| what | p50 | p99 (of fewer than 100: worst) | n |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {taken.p50(name):.1f} | {taken.p99(name):.1f} | {len(found)} |"
        for name, found in taken.figures.items()
    ]
    lines += [f"\nNot measured: {one}" for one in absent]
    path.write_text(HEAD + _where(before) + "\n\n" + "\n".join(lines) + "\n" + ABOUT, "utf-8")


def _where(before: tuple[float, float, float]) -> str:
    """Machine, versions, date, load."""
    now = os.getloadavg()
    redis = _said("redis-server", "--version").partition(" sha")[0]
    facts = (
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_said('git', 'rev-parse', '--short', 'HEAD')}"),
        ("machine", f"{os.cpu_count()} x {_processor()}, Linux {platform.release()}"),
        ("load (1, 5 min)", f"{before[0]:.1f}, {before[1]:.1f} before; {now[0]:.1f}, {now[1]:.1f} after"),
        ("versions", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"),
        ("peers", f"{peers.versions()}, {redis}, node {_said('node', '--version')}"),
    )
    busy = max(before[0], now[0]) > (os.cpu_count() or 1)
    told = (
        "\n\nThe machine was busy with other work, so that the milliseconds are not those of an idle one."
        if busy
        else ""
    )
    return "\n".join(f"* {name}: {value}" for name, value in facts) + told


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _said(*words: str) -> str:
    """What a program says of itself; a dash where it is not there."""
    if shutil.which(words[0]) is None:
        return "-"
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stdout.strip() or "-"
