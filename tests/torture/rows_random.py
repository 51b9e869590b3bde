"""Row `random`: freezes at random moments, over all scopes and doors, against lanes that are always busy."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.results import Result

if TYPE_CHECKING:
    import random

    from tests.torture.results import Options

POSTS = 2000
BATCH = 80
DOORS = (doors.by_command, doors.by_command, doors.by_json, doors.by_socket, doors.in_process)
OPEN_FOR = 0.25
CLOSED_FOR = 0.08


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
    return run("random", options, freezes=options.freezes, posts=options.times(POSTS, 200))


def run(name: str, options: Options, *, freezes: int, posts: int, house: TorturedHouse | None = None) -> Result:
    """The same for any house (the row `tls` has one of its own)."""
    dice = options.dice(name)
    with house or TorturedHouse() as tortured:
        tortured.start()
        tortured.witness.fault("delay", times=None, seconds=0.004)
        wrong = ""
        with Feeder(tortured) as feeder:
            time.sleep(0.5)
            for done in range(freezes):
                wrong = wrong or one_round(tortured, dice)
                if done % 20 == 19:
                    options.progress(name, done + 1, freezes)
        wrong = wrong or feeder.trouble
        if len(tortured.imported) < posts:
            tortured.feed(posts - len(tortured.imported))
        tortured.thaw(*SCOPES)
        tortured.release()
        tortured.wait_all(within=120)
        found = tortured.judge()
        in_flight = sum(len(stop.in_flight or ()) for stop in tortured.history.stops)
        note = f"{len(tortured.imported)} posts, {in_flight} in flight"
        return Result.of(name, freezes, found, worst=tortured.history.worst, wrong=wrong, note=note)


def one_round(house: TorturedHouse, dice: random.Random) -> str:
    """Wait, change the platform's pace, freeze by a random door, thaw again; what was wrong with the answers."""
    time.sleep(dice.uniform(0, OPEN_FOR))
    if dice.random() < 0.3:
        house.witness.clear_faults()
        house.witness.fault("delay", times=None, seconds=round(dice.uniform(0, 0.03), 4))
    wanted = [dice.choice(SCOPES)]
    if dice.random() < 0.2:
        wanted = sorted({*wanted, dice.choice(SCOPES)})
    stop = house.freeze(*wanted, door=dice.choice(DOORS))
    if dice.random() < 0.2:
        second = house.freeze(dice.choice(SCOPES), door=dice.choice(DOORS))
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
