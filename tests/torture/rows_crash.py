"""Rows about crashes and lost answers: whatever happens in the middle, every post is made once, and none is lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.torture.house import GREETINGS, TorturedHouse, soon
from tests.torture.results import Result

if TYPE_CHECKING:
    from tests.torture.results import Options

POINTS = (
    "lane.claimed", "lane.intended", "gate.connected", "gate.checked", "gate.written", "gate.acknowledged",
    "gate.answered", "lane.sent", "lane.settled",
)  # fmt: skip
OF_ANY_REQUEST = ("gate.connected", "gate.answered")
KILLED = -9
SETTLED_WITHIN = 60.0


def killed_at_failpoints(options: Options) -> Result:
    """SIGKILL at each named place: after the restart, what was under way is asked for, and ends as exactly one post."""
    name = "kill-at-failpoints"
    dice = options.dice(name)
    points = dice.sample(POINTS, options.times(len(POINTS), 4))
    wrong, unknown = "", 0
    with TorturedHouse() as house:
        for trial, point in enumerate(points):
            after = GREETINGS if point in OF_ANY_REQUEST else 0
            daemon = house.start(failpoints=f"{point}=crash@{after + dice.randint(1, 5)}")
            house.feed(12, at=soon())
            code = daemon.wait_dead()
            wrong = wrong or ("" if code == KILLED else f"{point} ended the daemon with {code}")
            daemon = house.start()
            unknown += house.counts()["unknown"]
            house.wait_all(within=SETTLED_WITHIN)
            daemon.terminate()
            options.progress(name, trial + 1, len(points))
        house.start()
        found = house.judge()
        return Result.of(name, len(points), found, wrong=wrong, note=f"{unknown} unknown after a restart")


def lost_answers(options: Options) -> Result:
    """The platform makes the post and the answer is lost, or says 502: the post is found again, never made again."""
    name = "lost-answers"
    faults: list[tuple[str, dict[str, object]]] = [("lose", {}), ("status_after", {"status": 502}), ("lose_before", {})]
    trials, unknown = 0, 0
    with TorturedHouse() as house:
        house.start()
        for kind, more in faults[: options.times(3, 2)]:
            for forgetful in (False, True):
                before = len(house.imported)
                for place in range(options.times(4, 2)):
                    house.witness.fault(kind, times=1, skip=place, **more)
                if forgetful:
                    house.witness.fault("no_idempotency", times=None)
                house.feed(24)
                unknown += _most_unknown(house)
                house.wait_all(within=SETTLED_WITHIN)
                house.witness.clear_faults()
                trials += len(house.imported) - before
                options.progress(name, trials, 24 * 2 * len(faults))
        found = house.judge()
        wrong = "" if unknown else "no answer was lost: the row proves nothing"
        return Result.of(name, trials, found, wrong=wrong, note=f"{unknown} were unknown for a while")


def _most_unknown(house: TorturedHouse) -> int:
    """How many posts were unknown at once, over the time that the first answers take to get lost."""
    until, most = time.monotonic() + 1.5, 0
    while time.monotonic() < until:
        most = max(most, house.counts()["unknown"])
        time.sleep(0.02)
    return most
