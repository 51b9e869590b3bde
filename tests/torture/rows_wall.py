"""Row `wall-clock`: the wall clock is set by an hour and by five years, while it runs and between two lives.

Posts are due in an hour. Until their time has truly come none may leave, and none may be missed, whatever the wall
shows; then each leaves once. The real parts, started as `program.run` starts them and polled by hand; the platform is
the witness.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from guardian.config import load
from guardian.daemon.build import build
from guardian.daemon.clocks import sight
from guardian.daemon.program import own
from guardian.duties.queue import Queue
from guardian.duties.recover import recover
from guardian.gate import accounts
from guardian.rules.clock import Sight
from guardian.store.queries import Q
from tests.torture import oracle
from tests.torture.house import ACCOUNTS, TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.results import Result

if TYPE_CHECKING:
    from tests.torture.results import Options

HOUR, YEAR = 3_600_000, 365 * 86_400_000
JUMPS = (HOUR + 60_000, -HOUR, 5 * YEAR, -5 * YEAR)
POSTS = 8
ROUNDS = 3
MANY_ROUNDS = 200


@dataclass
class Clocks:
    """The machine's clocks, `later` than they are, the wall `off`, in a boot of that name."""

    later: int = 0
    off: int = 0
    boot: str = ""
    synchronised: bool = False

    def __call__(self) -> Sight:
        now = sight()
        return Sight(
            wall=now.wall + self.later + self.off,
            elapsed=now.elapsed + self.later,
            boot=self.boot or now.boot,
            synchronised=self.synchronised,
        )


class Life:
    """One life of a daemon without threads; use it in a `with`."""

    def __init__(self, house: TorturedHouse, clocks: Clocks) -> None:
        found = accounts.makers()
        settings = load(house.config, known=accounts.known_secrets(found))
        self.clocks = clocks
        self._lock = own(settings.house)
        self.daemon = build(settings, found, look=clocks)

    def __enter__(self) -> Self:
        recover(self.daemon.database, now=self.clocks().wall)
        self.daemon.books.open_the_house()
        self.daemon.books.sweep()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.database.close()
        os.close(self._lock)

    def feed(self) -> dict[str, str]:
        """Posts of every account, due in an hour; texts by id."""
        queue = Queue(
            database=self.daemon.database,
            in_force=self.daemon.books.in_force,
            clock=lambda: self.clocks().wall,
        )
        at = datetime.fromtimestamp((self.clocks().wall + HOUR) / 1000, UTC).isoformat()
        names = sorted(ACCOUNTS) * (POSTS // len(ACCOUNTS))
        texts = [f"post {place}" for place in range(len(names))]
        records = [{"account": name, "at": at, "text": text} for name, text in zip(names, texts, strict=True)]
        found = queue.take_in("\n".join(map(json.dumps, records)), who="torture")
        return dict(zip(found.entered, texts, strict=True))

    def poll(self, rounds: int = ROUNDS) -> None:
        """Every loop, so many times."""
        for _ in range(rounds):
            for loop in self.daemon.loops:
                loop.polled.poll(self.clocks().wall)

    def rows(self) -> list[dict[str, object]]:
        """The whole queue."""
        with self.daemon.database.reading() as tx:
            everything = {"account": None, "state": None, "after_at": -1, "after_seq": -1, "limit": 1000}
            return list(Q.posts_after(tx, **everything))

    def poll_until_published(self) -> None:
        """Until nothing waits any more, or far too long."""
        for _ in range(MANY_ROUNDS):
            if all(row["state"] == "published" for row in self.rows()):
                return
            self.poll(1)


def wall_clock(options: Options) -> Result:
    """±1 h and ±5 years, and 1970 at boot: 0 out of turn, 0 missed, and everything goes out once it is right again."""
    trials = [(by, between) for by in JUMPS for between in (False, True)]
    trials = trials[:: options.times(1, 2)]
    found, wrong = Findings(), ""
    for place, (by, between) in enumerate(trials):
        with TorturedHouse() as house:
            wrong = wrong or _set_and_set_right(house, by, found, between=between)
        options.progress("wall-clock", place + 1, len(trials) + 2)
    with TorturedHouse() as house:
        wrong = wrong or _never_set(house, found)
    with TorturedHouse() as house:
        wrong = wrong or _confirmed(house, found)
    return Result.of("wall-clock", len(trials) + 2, found, wrong=wrong)


def _set_and_set_right(house: TorturedHouse, by: int, found: Findings, *, between: bool) -> str:
    """Set while it runs, or between two lives; later it is set right."""
    clocks = Clocks()
    with Life(house, clocks) as life:
        imported = life.feed()
        clocks.off = 0 if between else by
        life.poll()
        wrong = _nothing_happened(house, life, by)
    clocks.off = by
    with Life(house, clocks) as life:
        life.poll()
        wrong = wrong or _nothing_happened(house, life, by)
        clocks.off, clocks.later = 0, HOUR + 1_000
        life.poll_until_published()
        _judge(house, life, imported, found)
    return wrong


def _never_set(house: TorturedHouse, found: Findings) -> str:
    """After a reboot the clock shows 1970, until NTP sets it."""
    clocks = Clocks()
    with Life(house, clocks) as life:
        imported = life.feed()
    clocks.boot, clocks.later = "another boot", HOUR + 1_000
    clocks.off = -clocks().wall
    with Life(house, clocks) as life:
        life.poll()
        wrong = _nothing_happened(house, life, clocks.off)
        clocks.off, clocks.synchronised = 0, True
        life.poll_until_published()
        _judge(house, life, imported, found)
    return wrong


def _confirmed(house: TorturedHouse, found: Findings) -> str:
    """It was an hour slow all the time; it is set right, without NTP, and a person says so."""
    clocks = Clocks()
    with Life(house, clocks) as life:
        imported = life.feed()
        clocks.off = HOUR + 1_000
        life.poll()
        wrong = _nothing_happened(house, life, clocks.off)
        life.daemon.books.thaw(["all"], reason="the clock is right", by="torture")
        life.poll_until_published()
        _judge(house, life, imported, found)
    return wrong


def _nothing_happened(house: TorturedHouse, life: Life, by: int) -> str:
    states = Counter(str(row["state"]) for row in life.rows())
    sent = len(house.witness.creates())
    fine = sent == 0 and set(states) == {"queued"}
    return "" if fine else f"set by {by} ms: {sent} sent, {dict(states)}"


def _judge(house: TorturedHouse, life: Life, imported: dict[str, str], found: Findings) -> None:
    made = Counter(str(post["text"]) for post in house.witness.posts())
    rows = life.rows()
    lost = oracle.find_lost(imported, rows, made)
    lost += [f"lost: {row['id']} is {row['state']}" for row in rows if row["state"] != "published"]
    found.add(Findings(lost=lost, double=oracle.find_double(made)))
