"""Holding posts and tags back, and letting them go again. Called by API threads; each call one transaction.

A hold stops what no lane has taken yet: claiming and holding are both transactions, so one of them comes first. Lifting
first misses what fell due meanwhile, in the same transaction: nothing goes out in the instant of the unhold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.duties import choosing
from guardian.duties.sweeping import MOST_NAMED, sweep
from guardian.errors import Doubt
from guardian.model import State
from guardian.store import holds, journal, listing, posts
from guardian.store.listing import Filter
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.config.in_force import InForce
    from guardian.model import Hold, Post
    from guardian.store.database import Database, Tx

ON_ITS_WAY = (State.CLAIMED, State.SENDING, State.UNKNOWN)
OVER = (State.PUBLISHED, State.CANCELLED, State.RETRACTING, State.RETRACTED)
WAITING = (State.QUEUED, State.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is on hold now: by a new hold, by one that was there already; and for which posts it comes too late."""

    placed: list[Hold]
    joined: list[Hold]
    too_late: list[Post]
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """What was lifted, what was on no hold, what another hold still covers, and what was missed meanwhile."""

    lifted: list[Hold]
    not_held: list[str]
    still: list[Hold]
    missed: list[str]


class Keeping:
    """Holds: placed and lifted by people."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        clock: Callable[[], int],
        clock_is_right: Callable[[], bool] = lambda: True,
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.clock = clock
        self.clock_is_right = clock_is_right

    def hold(self, which: Sequence[str] | Filter, *, reason: str, who: str, shown: str | None = None) -> Held:
        """Keep these posts back, each by a hold of its own. Raises Unfound, and holds nothing, for an unknown id."""
        now = self.clock()
        placed: list[Hold] = []
        joined: list[Hold] = []
        late = []
        with self.database.transaction() as tx:
            chosen = choosing.choose(tx, choosing.HOLD, which, shown=shown).posts
            for post in chosen:
                if post.state in (*ON_ITS_WAY, *OVER):
                    late.append(post)
                if post.state in OVER:
                    continue
                hold, fresh = holds.place(tx, post=post.id, reason=reason, by=who, now=now)
                (placed if fresh else joined).append(hold)
            _note(tx, "held", placed, who=who, now=now, reason=reason)
        waiting = sum(post.state in WAITING for post in chosen)
        return Held(placed=placed, joined=joined, too_late=late, waiting=waiting)

    def hold_tag(self, tag: str, *, reason: str, who: str) -> Held:
        """Keep every post with a tag back, those that are entered later too."""
        now = self.clock()
        with self.database.transaction() as tx:
            hold, fresh = holds.place(tx, tag=tag, reason=reason, by=who, now=now)
            _note(tx, "held", [hold] if fresh else [], who=who, now=now, reason=reason)
            late = _under_way(tx, tag)
            waiting = int(Q.waiting_with_tag(tx, tag=holds.written(tag)) or 0)
        return Held(placed=[hold] if fresh else [], joined=[] if fresh else [hold], too_late=late, waiting=waiting)

    def unhold(
        self, which: Sequence[str] | Filter, *, who: str, shown: str | None = None, tags: bool = False
    ) -> Lifted:
        """Lift the holds of these posts; with `tags` those of all tags as well.

        Raises Unfound, and lifts nothing, for an unknown id; Doubt while the clock is in doubt.
        """
        self._must_know_the_time()
        with self.database.transaction() as tx:
            self.database.audit.must_hold(tx, "lift a hold")
            chosen = choosing.choose(tx, choosing.UNHOLD, which, shown=shown).posts
            found = [(post.id, holds.of_post(tx, post.id)) for post in chosen]
            mine = [hold for _, hold in found if hold is not None] + (holds.of_tags(tx) if tags else [])
            missed = self._lift(tx, mine, who=who)
            still = {hold.id: hold for post, _ in found for hold in holds.covering(tx, post)}
        not_held = [post for post, hold in found if hold is None]
        return Lifted(lifted=mine, not_held=not_held, still=list(still.values()), missed=missed)

    def unhold_tag(self, tag: str, *, who: str) -> Lifted:
        """Lift the hold of a tag; posts that are on hold themselves stay so."""
        self._must_know_the_time()
        with self.database.transaction() as tx:
            self.database.audit.must_hold(tx, "lift a hold")
            hold = holds.of_tag(tx, tag)
            mine = [] if hold is None else [hold]
            missed = self._lift(tx, mine, who=who)
        return Lifted(lifted=mine, not_held=[], still=[], missed=missed)

    def unhold_restored(self, *, who: str) -> Lifted:
        """Lift what a restore has put on hold, because it may have been sent since the backup; nobody else's hold."""
        self._must_know_the_time()
        with self.database.transaction() as tx:
            self.database.audit.must_hold(tx, "lift a hold")
            mine = holds.by(tx, holds.RESTORE)
            missed = self._lift(tx, mine, who=who)
        return Lifted(lifted=mine, not_held=[], still=[], missed=missed)

    def _lift(self, tx: Tx, mine: Sequence[Hold], *, who: str) -> list[str]:
        """Miss what fell due, then lift. The time is read here, so that none passes between the two."""
        if not mine:
            return []
        now = self.clock()
        settings = self.in_force.settings
        names = [account.name for account in settings.accounts]
        missed = sweep(tx, names, now=now, late_after=settings.queue.late_after)
        for hold in mine:
            holds.lift(tx, hold, by=who, now=now)
        _note(tx, "unheld", mine, who=who, now=now)
        return missed

    def _must_know_the_time(self) -> None:
        """By a clock in doubt nothing is missed, so nothing can be lifted either: it might go out late."""
        if not self.clock_is_right():
            raise Doubt(
                "cannot lift a hold, because the clock is in doubt",
                fix="set it right; or say that it is: guardian thaw --reason TEXT",
            )


def _note(tx: Tx, kind: str, found: Sequence[Hold], *, who: str, now: int, **more: object) -> None:
    """One line for each tag, and one for all posts together; one post is named with its hold."""
    of_posts = [hold for hold in found if hold.post is not None]
    for hold in found:
        if hold.tag is not None:
            journal.append(tx, kind, who=who, now=now, hold=hold.id, tag=hold.tag, **more)
    if len(of_posts) == 1:
        journal.append(tx, kind, who=who, now=now, hold=of_posts[0].id, post=of_posts[0].post, **more)
    elif of_posts:
        names = [str(hold.post) for hold in of_posts]
        facts = {"count": len(names), "posts": names[:MOST_NAMED], **more}
        journal.tells_about(tx, journal.append(tx, kind, who=who, now=now, **facts), names)


def _under_way(tx: Tx, tag: str) -> list[Post]:
    """What of a tag a lane has taken already, or may have sent."""
    found = listing.stream(tx, Filter(states=ON_ITS_WAY))
    return [post for post in map(posts.to_post, found) if tag in post.tags]
