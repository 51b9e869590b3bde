"""A hundred thousand lines imported by the command, and what the daemon needs for it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench import page
from bench.goals import Goal, lines
from bench.house import BenchHouse, Sink, forget_peak, memory, names
from bench.timing import CPU, Taken, whole

if TYPE_CHECKING:
    from pathlib import Path

LINES, FEW, ROUNDS = 100_000, 1_000, 3
IMPORT, AGAIN = "import of {} lines", "the same file again"
PEAK, REST = "peak memory of the daemon during it (MB)", "memory of the daemon before it (MB)"
GOALS = (
    Goal("import of 10^5 lines", IMPORT.format(LINES), most=20_000.0),
    Goal("import of 10^5 lines", IMPORT.format(LINES), IMPORT.format(FEW)),
    Goal("peak memory of the daemon during it", PEAK, most=150.0, unit="MB"),
    Goal("peak memory during it", PEAK, REST),
    Goal("the same file again, which enters nothing", AGAIN, IMPORT.format(LINES)),
)
ABOUT = """\
* The whole command `guardian queue import FILE`, JSON Lines, each with a ref, times within a year, four accounts: read,
  checked, entered in one transaction, on the disk. The file again: everything is found to be there already.
* *Peak memory*: VmHWM of the daemon, counted from the start of the import.
"""


def run() -> None:
    """Measure, print, and write the page's section."""
    before, taken = os.getloadavg(), Taken()
    with Sink(names(4)) as sink:
        for turn in range(ROUNDS):
            with BenchHouse(names(4), sink) as house:
                daemon = house.start()
                taken.add(_import(house, _file(house, FEW), IMPORT.format(FEW)))
                taken.add({REST: memory(daemon.pid)})
                forget_peak(daemon.pid)
                path = _file(house, LINES)
                taken.add(_import(house, path, IMPORT.format(LINES)))
                taken.add({PEAK: memory(daemon.pid, "VmHWM")})
                taken.add(_import(house, path, AGAIN))
            print(f"  round {turn + 1} of {ROUNDS}, load {os.getloadavg()[0]:.1f}", flush=True)
    section = page.Section("intake", "Import", ABOUT)
    page.publish(section, lines(GOALS, taken), taken, [], before)


def _file(house: BenchHouse, count: int) -> Path:
    path = house.directory / f"{count}.jsonl"
    first = datetime.now(UTC) + timedelta(days=1)
    text = house.records(count, first=first, step=300.0)
    refs = (f'{line[:-1]}, "ref": "{count}-{place}"}}' for place, line in enumerate(text.split("\n")))
    path.write_text("\n".join(refs) + "\n", "utf-8")
    return path


def _import(house: BenchHouse, path: Path, name: str) -> dict[str, float]:
    words = [sys.executable, "-m", "guardian", "queue", "import", str(path), "--config", str(house.config)]
    return {what: took for what, took in whole(name, words).items() if not what.endswith(CPU)}
