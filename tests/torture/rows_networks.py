"""Rows `networks`, `broken-networks`: posts fall due on four platforms at once, over TLS, and a freeze comes between.

No request that would make a post arrives at any of the four after CONFIRMED; after the thaw each post is there once.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.bluesky.installing import NotInstalled
from tests.torture import doors, oracle
from tests.torture.networks import FOUR, SCOPES, SCOPES_OF, FourHouse, four
from tests.torture.results import NotRunError, Result

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.torture.results import Options

DUE = 48  # posts of one round, a quarter of them on each platform
CLOSED_FOR = 0.3
MOST_FREEZES = 200
SENT_WITHIN = 60.0
DOORS = (doors.in_process, doors.by_command, doors.by_socket, doors.by_json)


def networks(options: Options) -> Result:
    """0 late, 0 lost, 0 double at all four; every third freeze stops one of the platforms alone."""
    return _in_a_house(lambda house: _held(house, options))


def broken(options: Options) -> Result:
    """A fence that is broken on purpose (looks first, takes no lock) is caught at each of the four."""
    return _in_a_house(lambda house: _caught(house, options))


def _in_a_house(trial: Callable[[FourHouse], Result]) -> Result:
    if shutil.which("openssl") is None:
        raise NotRunError("needs openssl to make a certificate")
    try:
        with four() as house:
            return trial(house)
    except NotInstalled as error:
        raise NotRunError(str(error)) from error


def _held(house: FourHouse, options: Options) -> Result:
    dice, rounds = options.dice("networks"), options.times(100, 5)
    wrong, stopped = "", 0
    house.start()
    house.feed(len(FOUR), accounts=FOUR)
    house.wait_all()  # every lane knows who it is, and Bluesky has let us in
    for done in range(rounds):
        told, held = _one_round(house, dice, done)
        wrong, stopped = wrong or told, stopped + held
        options.progress("networks", done + 1, rounds)
    if stopped < rounds * DUE // 8:
        wrong = wrong or f"only {stopped} posts were stopped in {rounds} freezes: they came beside the work"
    wrong = wrong or house.blind()
    in_flight = sum(len(stop.in_flight or ()) for stop in house.history.stops)
    note = f"{len(house.imported)} posts, {stopped} stopped, {in_flight} in flight"
    return Result.of("networks", rounds, house.judge(), worst=house.history.worst, wrong=wrong, note=note)


def _one_round(house: FourHouse, dice: random.Random, number: int) -> tuple[str, int]:
    """A freeze when some of the posts have left; what was wrong with it, and how many posts it stopped."""
    before = len(house.imported)
    some = before + dice.randint(4, DUE // 3)
    house.feed(DUE, accounts=FOUR)
    house.wait(lambda counts: counts["published"] >= some, SENT_WITHIN, "some of the posts published")
    scope = f"platform:{dice.choice(FOUR).removeprefix('acme-')}" if number % 3 == 2 else "all"
    stop = house.freeze(scope, door=dice.choice(DOORS))
    time.sleep(dice.uniform(0, CLOSED_FOR))
    held = before + DUE - house.counts()["published"]
    answer = house.thaw(*SCOPES)
    house.release()
    house.wait_all(within=SENT_WITHIN)
    if stop.confirmed_at is None or stop.code not in (0, 200, None) or stop.killed:
        return f"{stop.door} was not confirmed, or killed somebody ({stop.code}): {stop.said[:300]}", held
    return (f"the thaw was refused: {answer['refused']}" if answer["refused"] else ""), held


def _caught(house: FourHouse, options: Options) -> Result:
    dice, freezes = options.dice("broken-networks"), 0
    house.start(program=("-m", "tests.torture.broken", "check-before-publish"))
    house.feed(len(FOUR), accounts=FOUR)
    house.wait_all()
    caught: Counter[str] = Counter()
    while len(caught) < len(FOUR) and freezes < MOST_FREEZES:
        house.feed(DUE, accounts=FOUR)
        for _ in range(5):
            time.sleep(dice.uniform(0.01, 0.05))
            house.freeze(door=doors.in_process)
            time.sleep(0.06)
            house.thaw(*SCOPES)
            house.release()
        freezes += 5
        closed = house.history.closed()
        caught = Counter(str(one["account"]) for one in house.arrivals() if oracle.find_late([one], closed, SCOPES_OF))
    blind = [name for name in FOUR if name not in caught]
    return Result(
        name="broken-networks",
        trials=freezes,
        late=caught.total(),
        lost=0,
        double=0,
        worst=house.history.worst,
        holds=not blind,
        note=f"NOT CAUGHT at {', '.join(blind)}" if blind else f"caught at all four: {dict(caught)}",
    )
