"""The queue as people use it: enter, import, release, reschedule, cancel. Called by API threads.

Each call one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.duties.records import Read, Rules, Wrong, read_lines, read_record
from guardian.errors import Mistake
from guardian.model import Event, State
from guardian.rules import timing
from guardian.store import attempts, journal, posts
from guardian.store.posts import Entered, Known
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.config.in_force import InForce
    from guardian.model import Post
    from guardian.store.database import Database, Tx

MOST_NAMED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import: all or nothing, so with `wrong` nothing was entered."""

    entered: Sequence[str]
    known: int
    notes: Sequence[tuple[int, str]]
    wrong: Sequence[Wrong]


class Queue:
    """The posts that wait, and what people may do with them."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        clock: Callable[[], int],
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.clock = clock

    @property
    def zone(self) -> str:
        """Of times that name none."""
        return self.in_force.settings.queue.zone

    @property
    def release_gap(self) -> int:
        """Least time between two released posts of one account, in milliseconds."""
        return self.in_force.settings.queue.release_gap

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what was decided about its time. Raises Mistake."""
        now = self.clock()
        read = read_record(raw, self._rules(now))
        with self.database.transaction() as tx:
            found = posts.enter(tx, read.draft, now=now, who=who)
            if isinstance(found, Entered):
                journal.append(tx, "entered", who=who, now=now, post=found.post.id, account=found.post.account)
        return found, read.note

    def take_in(self, text: str, *, who: str) -> Imported:
        """Import JSON Lines, all or nothing: one wrong line and nothing is entered."""
        now = self.clock()
        good, wrong = read_lines(text, self._rules(now))
        if wrong:
            return Imported(entered=(), known=0, notes=(), wrong=wrong)
        try:
            with self.database.transaction() as tx:
                return self._enter_all(tx, good, now=now, who=who)
        except _AnyWrong as found:
            return Imported(entered=(), known=0, notes=(), wrong=found.wrong)

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
            post = posts.re_enter(tx, post_id, Event.RESCHEDULE, at=instant.at, zone=instant.zone, now=now)
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

    def _rules(self, now: int) -> Rules:
        settings = self.in_force.settings
        return Rules(accounts=[account.name for account in settings.accounts], zone=settings.queue.zone, now=now)

    def _enter_all(self, tx: Tx, good: Sequence[tuple[int, Read]], *, now: int, who: str) -> Imported:
        entered, known, wrong = [], 0, []
        for line, read in good:
            try:
                found = posts.enter(tx, read.draft, now=now, who=who)
            except Mistake as error:
                wrong.append(Wrong(line=line, column=1, message=str(error)))
                continue
            if isinstance(found, Entered):
                entered.append(found.post.id)
            else:
                known += 1
        if wrong:
            raise _AnyWrong(wrong)
        if entered:
            journal.append(tx, "imported", who=who, now=now, count=len(entered), posts=entered[:MOST_NAMED])
        notes = tuple((line, read.note) for line, read in good if read.note)
        return Imported(entered=entered, known=known, notes=notes, wrong=())


class _AnyWrong(Exception):
    def __init__(self, wrong: Sequence[Wrong]) -> None:
        self.wrong = wrong
        super().__init__()


def _all_missed(tx: Tx) -> list[Post]:
    return [posts.get(tx, row["id"]) for row in Q.missed_ids(tx)]
