"""Rows `stopped-…`: the daemon is stopped by a signal in the middle of a send, and comes back, or dies, at any moment.

The failpoint stops it at that very instruction: `gate.connected` before the gates, `gate.checked` between the last look
and the first byte, `gate.written` when the request is in the kernel and perhaps not on the wire.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

from tests.torture import doors
from tests.torture.house import GREETINGS, SCOPES, TorturedHouse, soon
from tests.torture.results import Result

if TYPE_CHECKING:
    from tests.torture.daemon import DaemonProcess
    from tests.torture.results import Options

DRAIN = 0.5
LATEST = 2.2  # seconds after the freeze began: the stop of a hung daemon takes DRAIN + 0.3 s and a little
POINTS = ("gate.checked", "gate.written", "gate.checked", "gate.checked", "gate.connected", "gate.written")
LONGEST_STOP = 5000.0
HOLDS_NO_LOCK = "gate.connected"


def then_continued(options: Options) -> Result:
    """SIGCONT at a random moment during or after the freeze: what was stopped goes on, and nothing of it leaves."""
    return _row("stopped-cont", options, (signal.SIGCONT,))


def then_killed(options: Options) -> Result:
    """SIGKILL at a random moment: the kernel must throw away what the dead one had written."""
    return _row("stopped-kill", options, (signal.SIGKILL,))


def then_ended(options: Options) -> Result:
    """SIGTERM and SIGCONT at a random moment, as systemd does: a clean stop must not finish that send."""
    return _row("stopped-term-cont", options, (signal.SIGTERM, signal.SIGCONT))


def _row(name: str, options: Options, signals: tuple[signal.Signals, ...]) -> Result:
    dice = options.dice(name)
    trials = options.times(8, 2)
    wrong = ""
    with TorturedHouse() as house:
        for trial in range(trials):
            point = POINTS[trial % len(POINTS)]
            nth = dice.randint(1, 6) + (GREETINGS if point == HOLDS_NO_LOCK else 0)
            if house.daemon is not None:
                house.daemon.terminate()
            daemon = house.start(failpoints=f"{point}=stop@{nth}")
            house.feed(12, at=soon())
            daemon.wait_stopped()
            when = dice.choice((dice.uniform(0, DRAIN), dice.uniform(DRAIN, LATEST)))
            door = doors.in_process if trial % 2 else doors.by_command
            wrong = wrong or _one(house, daemon, signals, when, point=point, door=door)
            put_right(house)
            options.progress(name, trial + 1, trials)
        return Result.of(name, trials, house.judge(), worst=house.history.worst, wrong=wrong)


def _one(
    house: TorturedHouse,
    daemon: DaemonProcess,
    signals: tuple[signal.Signals, ...],
    when: float,
    *,
    point: str,
    door: doors.Door,
) -> str:
    """One freeze of a stopped daemon, and the signals some time later; what was wrong with the answer."""
    later = threading.Timer(when, lambda: daemon.send(*signals))
    later.start()
    stop = house.freeze(door=door, drain=DRAIN)
    later.join()
    time.sleep(0.3)  # for whatever would still come
    if stop.confirmed_at is None or stop.code not in (0, None):
        return f"not confirmed after {point} ({stop.code}): {stop.said[:400]}"
    if stop.milliseconds > LONGEST_STOP:
        return f"it took {stop.milliseconds:.0f} ms"
    if point == HOLDS_NO_LOCK and stop.killed:
        return "a daemon that held no lock was ended"
    return ""


def put_right(house: TorturedHouse) -> None:
    """End what is left of this life, open again, and let everything be published or resolved."""
    assert house.daemon is not None
    house.daemon.send(signal.SIGCONT)
    house.daemon.kill()
    house.start()
    house.thaw(*SCOPES)
    publish_all(house)


def publish_all(house: TorturedHouse) -> None:
    """Release what is missed, again and again, until every post is published; the oracle tells if it never comes."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        house.release()
        if house.counts()["published"] == len(house.imported):
            return
        time.sleep(0.1)
