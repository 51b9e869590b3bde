"""How late posts leave: ten thousand of them spread over a minute."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench import page
from bench.goals import Goal, lines
from bench.house import BenchHouse, Sink, names
from bench.timing import Taken

if TYPE_CHECKING:
    from collections.abc import Iterable

POSTS, OVER, ACCOUNTS = 10_000, 60.0, 4
FIRST_IN = 8.0
WITHIN = 60.0
LATE = f"lateness, {ACCOUNTS} accounts"
GOALS = (Goal(f"{LATE}, p50", LATE), Goal(f"{LATE}, p99", LATE, most=250.0))
ABOUT = """\
* 10,000 posts of four accounts, imported before, are due one after the other within a minute: every 6 ms one. *Late* is
  the time from when a post was due until its first byte reaches the platform, a sink on this machine that answers at
  once. Twice as many as in a real minute could leave: a platform allows one account 300 posts in 5 minutes.
"""


def run() -> None:
    """Measure, print, and write the page's section."""
    before, taken = os.getloadavg(), Taken()
    step = OVER / POSTS
    with Sink(names(ACCOUNTS)) as sink, BenchHouse(names(ACCOUNTS), sink) as house:
        house.start()
        first = datetime.now(UTC) + timedelta(seconds=FIRST_IN)
        house.feed(POSTS, first=first, step=step)
        if datetime.now(UTC) >= first:
            raise TimeoutError(f"the import took longer than {FIRST_IN:g} s")
        sink.wait(POSTS, FIRST_IN + OVER + WITHIN)
        taken.figures[LATE] = late(sink.arrivals(), first=first.timestamp() * 1000, step=step * 1000)
    section = page.Section("lateness", "Lateness: from due to sent", ABOUT)
    page.publish(section, lines(GOALS, taken), taken, [], before)


def late(arrivals: Iterable[tuple[int, float, int]], *, first: float, step: float) -> list[float]:
    """How many ms after its time each post came; a post's number says when it was due."""
    return [wall - (first + step * place) for _, wall, place in arrivals]
