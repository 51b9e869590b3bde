"""Row `cut-at-every-byte`: the connection is cut after exactly n bytes of the request, for every n there is.

By a reset or by a close; cut after the last byte it is the answer that is lost. Each record ends as exactly one post.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.torture import doors
from tests.torture.front import Front, cut_after, cut_before_last
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from collections import Counter

    from tests.torture.front import Act
    from tests.torture.results import Options

CONFIG = '[gate]\nanswer_within = "3s"\n[reconcile]\nlooks = 2\nover = "1s"'
BATCH = 48
FEW = 20  # cut sizes in the short slice, each by a reset and by a close
FREEZES_PER_BATCH = 2
SETTLED_WITHIN = 90.0


class FrontedHouse(TorturedHouse):
    """A house that reaches its platform through a front, which notes arrivals and misbehaves when it is told to."""

    def __init__(self, *, config: str = CONFIG) -> None:
        self._front: Front | None = None
        super().__init__(config=config)

    @property
    def front(self) -> Front:
        """The front; made when the platform has its port."""
        self._front = self._front or Front(self.witness.place)
        return self._front

    def base_url(self, _: str) -> str:
        """The front's."""
        return self.front.url

    def arrivals(self) -> list[dict[str, Any]]:
        """What came to the front: it may come to the platform a little later."""
        return self.front.creates()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        self.front.close()


def at_every_byte(options: Options) -> Result:
    """Exactly one post per record, the undecided ones asked for and never just sent again; frozen meanwhile: 0 late."""
    dice = options.dice("cut-at-every-byte")
    with FrontedHouse() as house:
        house.start()
        house.feed(4)
        house.wait_all()
        acts = _acts(options, _shortest(house))
        seen: Counter[str] | None = None
        for begun in range(0, len(acts), BATCH):
            batch = acts[begun : begun + BATCH]
            house.front.acts.extend(batch)
            house.feed(len(batch))
            for _ in range(FREEZES_PER_BATCH):
                time.sleep(dice.uniform(0.05, 0.3))
                seen = _frozen_for_a_moment(house) if seen is None else seen + _frozen_for_a_moment(house)
            publish_all(house)
            options.progress("cut-at-every-byte", begun + len(batch), len(acts))
        wrong = house.front.trouble
        wrong = wrong or ("" if not house.front.acts else f"{len(house.front.acts)} cuts were not made")
        wrong = wrong or ("" if seen and seen["unknown"] else "nothing was unknown: no cut was noticed")
        found = house.judge()
        found.mismatched = []  # an answer that the front swallows is one that the platform gave
        return Result.of("cut-at-every-byte", len(acts), found, worst=house.history.worst, wrong=wrong)


def _frozen_for_a_moment(house: FrontedHouse) -> Counter[str]:
    house.freeze(door=doors.in_process)
    time.sleep(0.1)
    counts = house.counts()
    house.thaw(*SCOPES)
    house.release()
    return counts


def _shortest(house: FrontedHouse) -> int:
    """The length of a create as it went through."""
    return min(len(one.letter) for one in house.front.seen if one.changes)


def _acts(options: Options, length: int) -> list[Act]:
    """Every n, by a reset and by a close; in the short slice the telling ones, and some by chance."""
    if not options.short:
        return [cut_after(size, politely=politely) for size in range(length + 3) for politely in (False, True)]
    dice = options.dice("cuts")
    some = [0, 1, 2, 16, *dice.sample(range(17, length - 40), FEW - 8)]
    acts = [cut_after(size, politely=politely) for size in some for politely in (False, True)]
    return acts + [cut_before_last(fewer, politely=politely) for fewer in (0, 1, 2, 30) for politely in (False, True)]
