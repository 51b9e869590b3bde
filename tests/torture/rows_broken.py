"""Rows `broken-…`: fences that are broken on purpose. Such a row holds only if the oracle catches the mistake."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.torture import doors
from tests.torture.house import TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.results import Result
from tests.torture.rows_random import Feeder
from tests.torture.rows_wire import DEAF, meet_the_deaf

if TYPE_CHECKING:
    from tests.torture.results import Options

MOST_FREEZES = 60
MOST_DEAF = 5


def check_before_lock(options: Options) -> Result:
    """Looks first and locks second: a sender that is held up in between sends after CONFIRMED."""
    return _caught_by_freezing("check-before-lock", options)


def check_before_publish(options: Options) -> Result:
    """Looks before it calls the library, and takes no lock."""
    return _caught_by_freezing("check-before-publish", options)


def no_linger(_: Options) -> Result:
    """A stopped sender is killed, and its kernel delivers the rest of the request all the same."""
    return _caught_by_deafness("no-linger", failpoints="gate.written=stop@2")


def no_wait(_: Options) -> Result:
    """Unlocks before the bytes have left: the freeze finds nobody inside, and they leave later."""
    return _caught_by_deafness("no-wait", failpoints="")


def _program(variant: str) -> tuple[str, ...]:
    return ("-m", "tests.torture.broken", variant)


def _caught_by_freezing(variant: str, options: Options) -> Result:
    dice = options.dice(variant)
    with TorturedHouse() as house:
        house.start(program=_program(variant))
        found, freezes = Findings(), 0
        with Feeder(house):
            time.sleep(0.5)
            while not found.late and freezes < MOST_FREEZES:
                for _ in range(5):
                    time.sleep(dice.uniform(0.02, 0.15))
                    house.freeze(door=doors.in_process)
                    time.sleep(0.06)
                    house.thaw()
                    house.release()
                freezes += 5
                found = house.late()
        return _caught(variant, freezes, found, house.history.worst)


def _caught_by_deafness(variant: str, *, failpoints: str) -> Result:
    """A platform that accepts and does not read, a large request, a freeze; then the platform reads."""
    found, freezes, worst = Findings(), 0, 0.0
    while not found.late and freezes < MOST_DEAF:
        freezes += 1
        with TorturedHouse() as house:
            house.start(program=_program(variant), failpoints=failpoints)
            meet_the_deaf(house, stops=bool(failpoints))
            house.freeze(door=doors.in_process, drain=0.3)
            time.sleep(DEAF)
            found = house.late()
            worst = max(worst, house.history.worst)
    return _caught(variant, freezes, found, worst)


def _caught(variant: str, freezes: int, found: Findings, worst: float) -> Result:
    return Result(
        name=f"broken-{variant}",
        trials=freezes,
        late=len(found.late),
        lost=0,
        double=0,
        worst=worst,
        holds=bool(found.late),
        note=f"caught: {found.late[0]}" if found.late else "NOT CAUGHT: the oracle is blind to it",
    )
