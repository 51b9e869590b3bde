"""Rows about when and how a freeze comes: nobody there, several at once, against a thaw, across restarts."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.fence import arming, reading
from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.results import Result
from tests.torture.rows_random import Feeder
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from tests.torture.history import Stop
    from tests.torture.results import Options

AT_ONCE = 5
DRIP = 0.8


def dead(options: Options) -> Result:
    """The daemon was killed: the freeze is CONFIRMED all the same, and the next daemon starts frozen."""
    trials, wrong = options.times(6, 2), ""
    ways = (doors.by_command, doors.by_json, doors.in_process)
    with TorturedHouse() as house:
        for trial in range(trials):
            house.start()
            house.thaw(*SCOPES)
            house.feed(40)
            assert house.daemon is not None
            house.daemon.kill()
            stop = house.freeze(SCOPES[trial % len(SCOPES)], "all", door=ways[trial % len(ways)])
            wrong = wrong or _unless_confirmed(stop)
            daemon = house.start()
            time.sleep(0.3)
            wrong = wrong or _unless_frozen(house)
            daemon.terminate()
        house.start()
        house.thaw(*SCOPES)
        publish_all(house)
        return Result.of("dead", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def never_started(options: Options) -> Result:
    """Armed, but no daemon ever ran: CONFIRMED, and the first daemon adopts it. A house never set up: never."""
    trials, wrong, worst = options.times(4, 1), "", 0.0
    for trial in range(trials):
        with TorturedHouse() as house:
            bare = house.freeze()
            if bare.confirmed_at is not None or bare.code != 10:
                wrong = f"an empty house was frozen ({bare.code}): {bare.said[:200]}"
            _arm(house)
            stop = house.freeze("all", door=(doors.by_command, doors.by_json)[trial % 2])
            wrong = wrong or _unless_confirmed(stop)
            house.start()
            house.feed(20)
            time.sleep(0.5)
            wrong = wrong or _unless_frozen(house)
            house.thaw()
            publish_all(house)
            found = house.judge()
            worst = max(worst, house.history.worst)
            if found:
                break
    return Result.of("never-started", trials, found, worst=worst, wrong=wrong)


def five_at_once(options: Options) -> Result:
    """Five freezes at the same moment: all CONFIRMED, and none takes another for a hung sender."""
    dice, trials, wrong = options.dice("five-at-once"), options.times(10, 3), ""
    with TorturedHouse() as house, ThreadPoolExecutor(AT_ONCE) as pool:
        daemon = house.start()
        with Feeder(house) as feeder:
            for _ in range(trials):
                time.sleep(dice.uniform(0.1, 0.4))
                wanted = [dice.choice(SCOPES) if dice.random() < 0.5 else "all" for _ in range(AT_ONCE)]
                stops = list(pool.map(house.freeze, wanted))
                wrong = wrong or next(filter(None, map(_unless_confirmed, stops)), "")
                wrong = wrong or next((f"killed: {stop.said}" for stop in stops if stop.killed), "")
                house.thaw(*SCOPES)
                house.release()
        wrong = wrong or feeder.trouble or ("" if daemon.state() in "RSD" else "the daemon was killed")
        house.thaw(*SCOPES)
        publish_all(house)
        count = trials * AT_ONCE
        return Result.of("five-at-once", count, house.judge(), worst=house.history.worst, wrong=wrong)


def freeze_during_thaw(options: Options) -> Result:
    """A thaw and a freeze race; who must win is said in `history`.

    Both orders are tried. A thaw that names what it lifts and was asked for before the freeze began: whatever it did,
    after CONFIRMED the fence is closed and stays closed. A blind one, asked for while the freeze runs: either may win.
    """
    dice, trials, wrong = options.dice("freeze-during-thaw"), options.times(60, 12), ""
    with TorturedHouse() as house:
        house.start()
        with Feeder(house, over=DRIP, batch=40) as feeder:
            house.freeze()
            for trial in range(trials):
                wrong = wrong or _race(
                    house, dice.uniform(-0.01, 0.03), doors.in_process if trial % 4 else doors.by_command
                )
                house.freeze(door=doors.in_process)
                options.progress("freeze-during-thaw", trial + 1, trials) if trial % 20 == 0 else None
        house.thaw(*SCOPES)
        publish_all(house)
        found, worst = house.judge(), house.history.worst
        opened = sum(thaw.opened for thaw in house.history.thaws)
        wrong = wrong or feeder.trouble or ("" if opened > trials // 4 else "hardly a thaw opened: it proves nothing")
        return Result.of(
            "freeze-during-thaw", trials, found, worst=worst, wrong=wrong, note=f"{opened} thaws opened first"
        )


def _race(house: TorturedHouse, head_start: float, door: doors.Door) -> str:
    """A thaw, and a freeze that much later (earlier, if negative); what was wrong."""
    thawing = threading.Thread(target=house.thaw)
    if head_start >= 0:
        thawing = threading.Thread(target=house.thaw, kwargs={"shown": house.standing()})
        thawing.start()
        time.sleep(head_start)
        stop = house.freeze(door=door)
    else:
        waiting = threading.Timer(-head_start, thawing.start)
        waiting.start()
        stop = house.freeze(door=door)
        waiting.join()
    thawing.join(60)
    time.sleep(0.03)  # a lane that finds the fence open sends at once
    thaw = house.history.thaws[-1]
    wrong = _unless_confirmed(stop)
    if (
        not thaw.blind
        and thaw.requested < stop.began
        and reading.read_scope(house.house, "all").state != reading.FROZEN
    ):
        wrong = wrong or f"a thaw asked for {(stop.began - thaw.requested) / 1e6:.1f} ms before the freeze undid it"
    return wrong


def fifty_restarts(options: Options) -> Result:
    """Frozen, and the daemon is started and ended fifty times with due posts waiting: nothing is ever sent."""
    dice, trials, wrong = options.dice("fifty-restarts"), options.times(50, 5), ""
    with TorturedHouse() as house:
        house.start()
        house.feed(4)
        house.wait_all()
        stop = house.freeze()
        house.feed(60)
        for trial in range(trials):
            assert house.daemon is not None
            house.daemon.send(dice.choice((signal.SIGKILL, signal.SIGTERM)))
            house.daemon.wait_dead()
            house.start(ready=trial % 5 == 4)
            time.sleep(dice.uniform(0, 0.9))
            options.progress("fifty-restarts", trial + 1, trials) if trial % 10 == 0 else None
        assert house.daemon is not None
        house.daemon.wait_ready()
        made = len(house.witness.posts())
        wrong = _unless_confirmed(stop) or _unless_frozen(house) or ("" if made == 4 else f"{made - 4} were sent")
        house.thaw()
        publish_all(house)
        return Result.of("fifty-restarts", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def _arm(house: TorturedHouse) -> None:
    """What `guardian init` does for scopes that are new."""
    for directory in house.house:
        Path(directory).mkdir(mode=0o700)
    for scope in SCOPES:
        arming.arm_new(house.house, scope)


def _unless_confirmed(stop: Stop) -> str:
    fine = stop.confirmed_at is not None and stop.code in (0, 200, None)
    return "" if fine else f"{stop.door} was not confirmed ({stop.code}): {stop.said[:300]}"


def _unless_frozen(house: TorturedHouse) -> str:
    status = house.client.get("/v1/status")
    return "" if status["state"] == "frozen" and status["freezes"] else f"it is {status['state']} after a freeze"
