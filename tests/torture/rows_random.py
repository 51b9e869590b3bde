"""Row `random`: freezes at random moments, over all scopes and doors, against lanes that are always busy."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.results import Result

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.torture.results import Options

POSTS = 2000
BLOCK = 500  # freezes of one house; then a new one, so that a long run needs no more memory than a short one
BATCH = 80
DOORS = (
    *(doors.in_process, doors.in_process, doors.in_process, doors.in_process, doors.in_process, doors.in_process),
    *(doors.by_socket, doors.by_socket, doors.by_socket, doors.by_agent, doors.by_command, doors.by_json),
)
OPEN_FOR = 0.08
CLOSED_FOR = 0.03


class Feeder:
    """Keeps posts waiting in the queue, from a thread of its own, until it is told to stop.

    They are due at once, or fall due one by one `over` so many seconds: those survive a thaw.
    """

    def __init__(self, house: TorturedHouse, *, over: float = 0.0, batch: int = BATCH) -> None:
        self.house = house
        self.over = over
        self.batch = batch
        self.trouble = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeder")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(60)

    def _waiting(self) -> int:
        """What a freeze made of due posts is released soon, and counts; what falls due one by one is not."""
        counts = self.house.counts()
        return counts["queued"] + (0 if self.over else counts["missed"])

    def _run(self) -> None:
        while not self._end.wait(0.03):
            try:
                if self._waiting() < self.batch * 3 // 4:
                    self.house.feed(self.batch, over=self.over)
            except Exception as error:  # noqa: BLE001 (told by the row that it belongs to)
                self.trouble = f"the feeder: {error}"
                return


def random_freezes(options: Options) -> Result:
    """0 late, 0 lost, 0 double; what was in flight is told as the platform has it, and never as unknown."""
    done, found, worst, posts, in_flight, wrong = 0, Findings(), 0.0, 0, 0, ""
    dice = options.dice("random")
    while done < options.freezes and not found and not wrong:
        freezes = min(BLOCK, options.freezes - done)
        least = options.times(POSTS, 200) if options.freezes <= BLOCK else 0
        block = run(TorturedHouse(), dice, freezes=freezes, least=least, agent=True)
        done += freezes
        found.add(block.found)
        worst, wrong = max(worst, block.worst), wrong or block.wrong
        posts, in_flight = posts + block.posts, in_flight + block.in_flight
        options.progress("random", done, options.freezes)
    return Result.of("random", done, found, worst=worst, wrong=wrong, note=f"{posts} posts, {in_flight} in flight")


class Block(NamedTuple):
    """What came of the freezes of one house."""

    found: Findings
    worst: float
    wrong: str
    posts: int
    in_flight: int


def run(house: TorturedHouse, dice: random.Random, *, freezes: int, least: int, agent: bool = False) -> Block:
    """Freezes at random moments in one house (the row `tls` has one of its own), with `least` so many posts."""
    with house as tortured:
        tortured.start()
        known = [door for door in DOORS if door is not doors.by_agent or (agent and tortured.listen_for_the_agent())]
        tortured.witness.fault("delay", times=None, seconds=0.004)
        wrong = ""
        with Feeder(tortured) as feeder:
            time.sleep(0.5)
            for _ in range(freezes):
                wrong = wrong or one_round(tortured, dice, known)
        wrong = wrong or feeder.trouble
        if len(tortured.imported) < least:
            tortured.feed(least - len(tortured.imported))
        tortured.thaw(*SCOPES)
        tortured.release()
        tortured.wait_all(within=120)
        in_flight = sum(len(stop.in_flight or ()) for stop in tortured.history.stops)
        return Block(tortured.judge(), tortured.history.worst, wrong, len(tortured.imported), in_flight)


def one_round(house: TorturedHouse, dice: random.Random, known: Sequence[doors.Door]) -> str:
    """Wait, change the platform's pace, freeze by a random door, thaw again; what was wrong with the answers."""
    time.sleep(dice.uniform(0, OPEN_FOR))
    if dice.random() < 0.3:
        house.witness.clear_faults()
        house.witness.fault("delay", times=None, seconds=round(dice.uniform(0, 0.03), 4))
    wanted = [dice.choice(SCOPES)]
    if dice.random() < 0.2:
        wanted = sorted({*wanted, dice.choice(SCOPES)})
    stop = house.freeze(*wanted, door=dice.choice(known))
    if dice.random() < 0.2:
        second = house.freeze(dice.choice(SCOPES), door=dice.choice(known))
        wanted = sorted({*wanted, *second.scopes})
    time.sleep(dice.uniform(0, CLOSED_FOR))
    answer = house.thaw(*wanted)
    house.release()
    if stop.confirmed_at is None or stop.code not in (0, 200, None):
        return f"{stop.door} was not confirmed ({stop.code}): {stop.said[:300]}"
    if stop.killed:
        return f"{stop.door} killed a daemon that was well"
    if stop.in_flight is None:
        return f"{stop.door} did not say what was in flight: {stop.said[:300]}"
    return f"the thaw was refused: {answer['refused']}" if answer["refused"] else ""
