"""A year's plan in a store, made once in a run for each size and copied into every house that wants it.

Entered by the store's own code, with its triggers and its seals; only the disk is not waited for.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.house import names
from guardian.model import Part
from guardian.store import posts
from guardian.store.database import STORE
from guardian.store.queries import as_dict
from guardian.store.upgrading import migrate

if TYPE_CHECKING:
    from bench.house import BenchHouse

ACCOUNTS = tuple(names(4))
DAY, YEAR = 86_400_000, 365 * 86_400_000
CACHE = 512 << 10  # KiB: building an index needs it, using one does not
TEXT = (
    "post {place}: what the brand has to say on this day of its plan, as long as such posts are, with #tags #and more"
)
SIZES = (100, 10_000, 1_000_000)


def lay(house: BenchHouse, count: int) -> None:
    """Give a house that has not run yet a store with so many pending posts."""
    state = Path(house.house.state_dir)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(made(count), state / STORE)


@functools.cache
def made(count: int) -> Path:
    """The store that is copied."""
    directory = Path(tempfile.mkdtemp(prefix="bench-plan-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    began, path, now = time.monotonic(), directory / STORE, time.time_ns() // 1_000_000
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = as_dict
    for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE}"):
        connection.execute(f"pragma {pragma}")
    migrate(connection, path, now=now)
    connection.execute("begin")
    for place in range(count):
        posts.enter(connection, _draft(place, count, now), now=now, who="bench")
    connection.execute("commit")
    connection.execute("pragma journal_mode=WAL")
    connection.close()
    print(f"  a plan of {count} posts: {path.stat().st_size >> 20} MB, {time.monotonic() - began:.0f} s", flush=True)
    return path


def _draft(place: int, count: int, now: int) -> posts.Draft:
    """One of them: the plan begins tomorrow and takes a year."""
    at = now + DAY + YEAR * place // count
    return posts.Draft(
        account=ACCOUNTS[place % len(ACCOUNTS)],
        at=at,
        at_text=str(at),
        zone="Europe/Stockholm",
        part=Part(text=TEXT.format(place=place), language="en"),
        tags=("plan",),
        ref=f"plan-{place}",
    )
