"""The queue as people use it: enter, import, release, reschedule, cancel. Called by API threads.

Each call one transaction.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from guardian.duties import record_times
from guardian.duties.import_check import Plan
from guardian.duties.importing import MOST_NAMED, Importing, Unasked
from guardian.model import Event, State
from guardian.rules import timing
from guardian.store import attempts, journal, posts
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.importing import Imported, Platforms
    from guardian.model import Post
    from guardian.store.database import Database, Tx
    from guardian.store.posts import Entered, Known


class Queue:
    """The posts that wait, and what people may do with them."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        clock: Callable[[], int],
        platforms: Platforms | None = None,
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.clock = clock
        self.importing = Importing(
            database=database,
            accounts=lambda: self.accounts,
            zone=lambda: self.zone,
            platforms=platforms or Unasked(),
            clock=clock,
        )

    @property
    def accounts(self) -> Collection[str]:
        """Every account that the configuration names."""
        return [account.name for account in self.in_force.settings.accounts]

    @property
    def zone(self) -> str:
        """Of times that name none."""
        return self.in_force.settings.queue.zone

    @property
    def release_gap(self) -> int:
        """Least time between two released posts of one account, in milliseconds."""
        return self.in_force.settings.queue.release_gap

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what a person should know of it. Raises Mistake, AccountRefused."""
        return self.importing.add(raw, who=who)

    def take_in(self, text: str, *, who: str) -> Imported:
        """Import JSON Lines, all or nothing: one wrong line and nothing is entered."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.importing.take_in(Plan(stream=io.BytesIO(raw), size=len(raw)), who=who)

    def release(self, ids: Sequence[str] | None, *, gap: int | None, who: str) -> list[Post]:
        """Send missed posts after all: these, or every one (None).

        Paced by `gap` (ms) per account, the first one now.
        """
        now = self.clock()
        with self.database.transaction() as tx:
            self.database.audit.must_hold(tx, "release anything")
            wanted = [posts.get(tx, post) for post in ids] if ids is not None else _all_missed(tx)
            seen: dict[str, int] = {}
            done = []
            for post in wanted:
                place = seen[post.account] = seen.get(post.account, -1) + 1
                at = timing.paced_at(place, now=now, gap=self.release_gap if gap is None else gap)
                done.append(posts.re_enter(tx, post.id, Event.RELEASE, at=at, zone=None, now=now))
            if done:
                named = [post.id for post in done[:MOST_NAMED]]
                journal.append(tx, "released", who=who, now=now, count=len(done), posts=named)
        return done

    def reschedule(self, post_id: str, *, at: str, zone: str | None, who: str) -> tuple[Post, str | None]:
        """Give a post a new time; with it what was decided about it. Raises Illegal where the law does not allow it."""
        now = self.clock()
        with self.database.transaction() as tx:
            own = posts.get(tx, post_id).zone
            instant = timing.resolve(at, zone, now=now, default_zone=own or self.zone)
            record_times.must_not_have_passed(instant, at, now)
            wall = record_times.wall(at)
            post = posts.re_enter(tx, post_id, Event.RESCHEDULE, at=instant.at, zone=instant.zone, now=now, wall=wall)
            journal.append(tx, "rescheduled", who=who, now=now, post=post.id, account=post.account, at=instant.at)
        return post, instant.note

    def cancel(self, post_id: str, *, who: str) -> Post:
        """A post that is never sent. An unknown one may be live: cancelling only ends the asking."""
        now = self.clock()
        with self.database.transaction() as tx:
            was = posts.get(tx, post_id)
            post = posts.move(tx, post_id, Event.CANCEL, now=now, why=f"cancelled by {who}")
            if was.state is State.UNKNOWN:
                for attempt in attempts.of_post(tx, post_id):
                    attempts.resolve(tx, attempt.id, outcome="cancelled", detail=f"{who} ended the asking")
            journal.append(tx, "cancelled", who=who, now=now, post=post.id, account=post.account, was=was.state)
        return post


def _all_missed(tx: Tx) -> list[Post]:
    return [posts.get(tx, row["id"]) for row in Q.missed_ids(tx)]
