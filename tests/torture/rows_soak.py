"""Row `soak`: weeks of work in minutes. A hundred thousand posts, with freezes, faults, kills and stops in between.

The clock of daemon and platform runs a hundred times as fast (`hurried.py`). First comes one long life of the daemon,
by which memory and descriptors are judged: what leaks with every post, freeze or fault shows there. Then come many
short ones, ended by SIGKILL and SIGTERM at any moment.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

from guardian.fence import marker
from tests.torture import doors, oracle
from tests.torture.daemon import NotInTimeError
from tests.torture.house import SCOPES, SCOPES_OF, TorturedHouse
from tests.torture.hurried import Clock, Hurry
from tests.torture.oracle import Findings
from tests.torture.results import Result
from tests.torture.witness import Witness

if TYPE_CHECKING:
    import random

    from tests.torture.daemon import DaemonProcess
    from tests.torture.results import Options

POSTS, SHORT, RATE = 100_000, 600, 100
BATCH = 200
APART = 0.7  # seconds by the fast clock, in which one post falls due after the other
LONG_LIFE = 0.6  # of all posts
FIRST = 0.1
MOST_GROWN, WARMING_UP = 1.1, 1.25  # the slice is over before everything has been in memory once
DOORS = (doors.in_process, doors.by_socket)  # the others are processes of their own, whose clocks are the machine's
FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("lose", {}),
    ("lose_before", {}),
    ("reset_early", {}),
    ("status", {"status": 503}),
    ("status_after", {"status": 502}),
    ("429", {"retry_after": 20}),
    ("cut", {}),
    ("delay", {"seconds": 0.2}),
    ("delay_before", {"seconds": 0.2}),
)
STEADY = ("freeze", "freeze", "both", "fault", "both", "freeze")  # what happens beside a batch, in any order
RESTLESS = ("kill", "kill", "stop")
CALM_WITHIN = 180.0
LOOK_EVERY = 0.1  # each look counts the queue
CALM_LOOKS = 15  # what leaks is open at each of them; a question that is just being answered is not
CHUNK = 500  # arrivals that are compared with the freezes of their time at once


class Use(NamedTuple):
    """What a daemon uses while nothing is due."""

    memory: int  # KiB
    descriptors: int


class SoakHouse(TorturedHouse):
    """A house whose time goes by fast."""

    def __init__(self) -> None:
        self.hurry = Hurry.begin(RATE)
        self._patches = (
            mock.patch.dict(os.environ, self.hurry.environment),  # for whatever is started from here
            mock.patch.object(marker, "time", Clock(self.hurry)),  # a freeze from here is dated by the same clock
        )
        for patch in self._patches:
            patch.start()
        super().__init__(config='[reconcile]\nlooks = 3\nover = "60s"')

    def __exit__(self, *given: object) -> None:
        super().__exit__(*given)  # type: ignore[arg-type]
        for patch in self._patches:
            patch.stop()

    def platform(self, _: Path | None) -> Witness:
        """With the same fast clock."""
        return Witness(self.on_mastodon, program=("-m", "tests.torture.hurried", "platform"))

    def live(self) -> DaemonProcess:
        """The next life."""
        return self.start(program=("-m", "tests.torture.hurried", "daemon"))

    def plan(self, count: int) -> None:
        """So many posts more, from now on, by the fast clock."""
        now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.hurry.now() // 1000)
        self.feed(count, at=now + timedelta(seconds=20), over=count * APART)

    def work_off(self) -> None:
        """Until less than a batch waits."""
        until = time.monotonic() + CALM_WITHIN
        while self.counts()["queued"] >= BATCH:
            if time.monotonic() > until:
                raise NotInTimeError(f"the queue was not worked off: {dict(self.counts())}; {self.directory}")
            time.sleep(LOOK_EVERY)

    def calm(self) -> Use:
        """Nothing is frozen, nothing goes wrong, everything is out: what the daemon uses then."""
        self.witness.clear_faults()
        self.thaw(*SCOPES)
        until = time.monotonic() + CALM_WITHIN
        while self.counts()["published"] < len(self.imported):
            if time.monotonic() > until:
                raise NotInTimeError(f"not all came out: {dict(self.counts())}; {self.directory}")
            self.release()
            time.sleep(LOOK_EVERY)
        looks = []
        for _ in range(CALM_LOOKS):
            time.sleep(LOOK_EVERY)
            looks.append(used(self.daemon))
        return Use(looks[-1].memory, min(one.descriptors for one in looks))

    def judge(self) -> Findings:
        """As of any house, but for so many arrivals and freezes that not each can be compared with each."""
        creates, posts = self.witness.creates(), self.witness.posts()
        made = Counter(str(post["text"]) for post in posts)
        return Findings(
            late=_late(self, creates),
            lost=oracle.find_lost(self.imported, self.rows(), made),
            double=oracle.find_double(made),
            mismatched=oracle.find_mismatched(self.history, self.imported, creates, posts),
        )


def soak(options: Options) -> Result:
    """0 late, 0 lost, 0 double; at the end no more descriptors, and hardly more memory, than after the first tenth."""
    posts, dice = options.times(POSTS, SHORT), options.dice("soak")
    done: Counter[str] = Counter()
    with SoakHouse() as house:
        began = house.hurry.now()
        house.live()
        wrong = _until(house, dice, done, options, posts=round(posts * FIRST))
        first = house.calm()
        wrong = wrong or _until(house, dice, done, options, posts=round(posts * LONG_LIFE))
        long = house.calm()
        wrong = wrong or _until(house, dice, done, options, posts=posts, restless=True)
        last = house.calm()
        found = house.judge()
        hours = (house.hurry.now() - began) / 3_600e9
        most = WARMING_UP if options.short else MOST_GROWN
        wrong = wrong or _grown(first, long, "one long life", most=most, same_life=True)
        wrong = wrong or _grown(first, last, "all of it", most=most)
        deeds = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
        lives = (first, long, last)
        memory = ", ".join(str(one.memory >> 10) for one in lives)
        descriptors = ", ".join(str(one.descriptors) for one in lives)
        note = f"{hours:.1f} hours by the fast clock, {deeds}; memory {memory} MiB, descriptors {descriptors}"
        return Result.of("soak", len(house.imported), found, worst=house.history.worst, wrong=wrong, note=note)


def used(daemon: DaemonProcess | None) -> Use:
    """What the kernel says of it."""
    assert daemon is not None
    status = Path(f"/proc/{daemon.pid}/status").read_text("ascii")
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return Use(memory, len(list(Path(f"/proc/{daemon.pid}/fd").iterdir())))


def _until(
    house: SoakHouse, dice: random.Random, done: Counter[str], options: Options, *, posts: int, restless: bool = False
) -> str:
    """Go on until so many posts have been entered; what was wrong on the way."""
    wrong, cards = "", list[str]()
    batch = options.times(BATCH, 60)
    while len(house.imported) < posts and not wrong:
        house.plan(min(batch, posts - len(house.imported)))
        if not cards:
            cards = [*dice.sample(STEADY, len(STEADY)), *(RESTLESS if restless else ())]
        card = cards.pop()
        if card in ("kill", "stop"):
            _restart(house, dice, done, card)
        if card in ("fault", "both"):
            _misbehave(house, dice, done)
        if card in ("freeze", "both"):
            wrong = _freeze(house, dice, done)
        house.release()
        house.work_off()
        options.progress("soak", len(house.imported), options.times(POSTS, SHORT))
    return wrong


def _restart(house: SoakHouse, dice: random.Random, done: Counter[str], how: str) -> None:
    """In the middle of the work."""
    assert house.daemon is not None
    time.sleep(dice.uniform(0, 0.5))
    if how == "kill":
        house.daemon.kill()
    else:
        house.daemon.terminate()
    done[f"{how}s"] += 1
    house.live()


def _misbehave(house: SoakHouse, dice: random.Random, done: Counter[str]) -> None:
    kind, more = dice.choice(FAULTS)
    house.witness.fault(kind, times=dice.randint(1, 3), skip=dice.randint(0, 50), **more)
    done["faults"] += 1


def _freeze(house: SoakHouse, dice: random.Random, done: Counter[str]) -> str:
    """At a random moment, by a random door, for a while; what was wrong with the answers."""
    time.sleep(dice.uniform(0, 0.6))
    scope = dice.choice(SCOPES)
    stop = house.freeze(scope, door=dice.choice(DOORS))
    time.sleep(dice.uniform(0, 0.2))
    answer = house.thaw(scope)
    done["freezes"] += 1
    if stop.confirmed_at is None or stop.code not in (0, 200, None) or stop.killed:
        return f"{stop.door} was not confirmed, or killed somebody ({stop.code}): {stop.said[:300]}"
    return f"the thaw was refused: {answer['refused']}" if answer["refused"] else ""


def _grown(before: Use, after: Use, over: str, *, most: float, same_life: bool = False) -> str:
    if after.descriptors > before.descriptors or (same_life and after.descriptors < before.descriptors):
        return f"{before.descriptors} descriptors became {after.descriptors} over {over}"
    if after.memory > before.memory * most:
        return f"{before.memory} KiB became {after.memory} KiB over {over}"
    return ""


def _late(house: SoakHouse, creates: list[dict[str, object]]) -> list[str]:
    """Each arrival against the freezes of its time alone."""
    closed, found = house.history.closed(), []
    arrivals = sorted(creates, key=lambda entry: str(entry["first_byte"]).zfill(24))
    for place in range(0, len(arrivals), CHUNK):
        some = arrivals[place : place + CHUNK]
        begins, ends = int(str(some[0]["first_byte"])), max(int(str(entry["last_byte"])) for entry in some)
        near = [stretch for stretch in closed if stretch.start < ends and stretch.end > begins]
        found += oracle.find_late(some, near, SCOPES_OF)
    return found
