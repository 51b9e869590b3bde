"""What is written down of an account's targets: postponed, or come to their end. Called by its takedown thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.duties import fate
from guardian.failpoint import failpoint
from guardian.model import PostRef
from guardian.rules.takedown import TargetState
from guardian.store import journal, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.snapshot import Snapshot
    from guardian.model import Takedown, Target
    from guardian.rules.takedown import Step
    from guardian.store.database import Database

LOOKS_AGAIN = (60_000, 60 * 60_000, 25 * 60 * 60_000, 7 * 24 * 60 * 60_000)
WHY_LENGTH = 500
WHO = "guardian"


class Outcomes:
    """Where the targets of one account come to their end. `after` is told of each, with its snapshot."""

    def __init__(
        self, *, database: Database, clock: Callable[[], int], after: Callable[[Target, Snapshot | None], None]
    ) -> None:
        self.database = database
        self.clock = clock
        self.after = after

    def end(self, order: Takedown, target: Target, step: Step, why: str, *, snapshot: Snapshot | None) -> None:
        """Write an outcome down, for ever or until a later look."""
        now = self.clock()
        with self.database.transaction() as tx:
            ended = takedowns.move(tx, target, step, why=why[:WHY_LENGTH], now=now)
            fate.ends(tx, ended, now=now)
            facts = {**about(order, ended), "state": ended.state, "why": ended.why, "acts": ended.acts}
            journal.append(tx, "taken down", who=WHO, now=now, **facts, bundle=ended.evidence, grade=ended.grade)
            if ended.acts or ended.state == TargetState.GONE:
                takedowns.want_looks(tx, ended.id, [now + later for later in LOOKS_AGAIN])
        failpoint("takedown.ended")
        self.after(ended, snapshot)

    def postpone(self, target: Target, at: int, why: str) -> None:
        """Nothing can be done before that time (ms)."""
        with self.database.transaction() as tx:
            takedowns.postpone(tx, target.id, due_at=at, why=why[:WHY_LENGTH])


def about(order: Takedown, target: Target) -> dict[str, object]:
    """What every line of the journal about a target says."""
    found: dict[str, object] = {
        "incident": order.incident,
        "takedown": order.id,
        "target": target.id,
        "account": target.account,
        "platform_id": target.platform_id,
        "url": target.url,
        "part": target.part,
    }
    return found if target.post is None else {**found, "post": target.post}


def ref_of(target: Target) -> PostRef:
    """The target as its platform knows it."""
    return PostRef(id=target.platform_id, url=target.url)
