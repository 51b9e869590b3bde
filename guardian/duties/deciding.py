"""What people decide about posts that are there: release, reschedule, cancel. Called by API threads.

Each call one transaction, over these posts or over all that fit a filter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.duties import choosing
from guardian.duties.sweeping import MOST_NAMED
from guardian.errors import GuardianError, Illegal, Mistake
from guardian.model import Event, State
from guardian.rules import shifting, timing
from guardian.rules.advice import lifting
from guardian.store import attempts, holds, journal, posts
from guardian.store.listing import Filter
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.model import Hold, Post
    from guardian.rules.shifting import By, Moved, To
    from guardian.store.database import Database, Tx

MOST_IN_WORDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was changed; `left` are posts that fit, but are on hold; notes and refusals each with the post's id."""

    posts: list[Post]
    left: list[Post]
    notes: list[tuple[str, str]]
    refused: list[tuple[str, GuardianError]]


class Deciding:
    """The posts that wait, or wait no longer, and what people may do with them."""

    def __init__(self, *, database: Database, zone: str, release_gap: int, clock: Callable[[], int]) -> None:
        self.database = database
        self.zone = zone
        self.release_gap = release_gap
        self.clock = clock

    def release(self, which: Sequence[str] | Filter, *, gap: int | None, who: str, shown: str | None = None) -> Decided:
        """Send missed posts after all, a thread's rest under the right parent.

        Paced by `gap` (ms) per account: the first now, or after those that were released before and still wait. Raises
        Illegal, and releases nothing, where a post that was named is not missed or is on hold.
        """
        now = self.clock()
        pace = self.release_gap if gap is None else gap
        with self.database.transaction() as tx:
            self.database.audit.must_hold(tx, "release anything")
            choice = choosing.choose(tx, choosing.RELEASE, which, shown=shown)
            last: dict[str, int | None] = {}
            done = []
            for post in choice.posts:
                if post.state is State.MISSED:
                    _must_be_free(tx, post)
                if post.account not in last:
                    last[post.account] = Q.last_paced(tx, account=post.account)
                at = last[post.account] = timing.paced_at(last[post.account], now=now, gap=pace)
                done.append(posts.re_enter(tx, post.id, Event.RELEASE, at=at, zone=None, now=now, pace=pace))
            _note(tx, "released", done, who=who, now=now)
        return Decided(posts=done, left=choice.left, notes=[], refused=[])

    def reschedule(
        self, which: Sequence[str] | Filter, move: To | By, *, who: str, shown: str | None = None
    ) -> Decided:
        """Give posts a new time. Raises Illegal where the law does not allow it, Mistake where that time is past.

        Either all of them move or none.
        """
        now = self.clock()
        with self.database.transaction() as tx:
            chosen = choosing.choose(tx, choosing.RESCHEDULE, which, shown=shown).posts
            moves = [shifting.moved(post, move, now=now, default_zone=self.zone) for post in chosen]
            _must_lie_ahead(chosen, moves, now)
            done = [
                posts.re_enter(tx, post.id, Event.RESCHEDULE, at=to.at, zone=to.zone, wall=to.wall, now=now)
                for post, to in zip(chosen, moves, strict=True)
            ]
            told = {"at": done[0].at} if len(done) == 1 else {}
            _note(tx, "rescheduled", done, who=who, now=now, **told)
        notes = [(post.id, to.note) for post, to in zip(done, moves, strict=True) if to.note]
        return Decided(posts=done, left=[], notes=notes, refused=[])

    def cancel(self, which: Sequence[str] | Filter, *, who: str, shown: str | None = None) -> Decided:
        """Posts that are never sent. An unknown one may be live: cancelling only ends the asking.

        What can be cancelled is, whatever is wrong with the others: `refused` says what.
        """
        now = self.clock()
        done: list[Post] = []
        refused: list[tuple[str, GuardianError]] = []
        was: Counter[str] = Counter()
        with self.database.transaction() as tx:
            for one in _each(tx, which, shown):
                try:
                    before = posts.get(tx, one)
                    done.append(_cancel(tx, before, who=who, now=now))
                except (Mistake, Illegal) as error:
                    refused.append((one, error))
                    continue
                was[before.state] += 1
            _note(tx, "cancelled", done, who=who, now=now, was=next(iter(was)) if len(done) == 1 else dict(was))
        return Decided(posts=done, left=[], notes=[], refused=refused)


def _each(tx: Tx, which: Sequence[str] | Filter, shown: str | None) -> list[str]:
    if not isinstance(which, Filter):
        return list(dict.fromkeys(which))
    return [post.id for post in choosing.choose(tx, choosing.CANCEL, which, shown=shown).posts]


def _cancel(tx: Tx, was: Post, *, who: str, now: int) -> Post:
    post = posts.move(tx, was.id, Event.CANCEL, now=now, why=f"cancelled by {who}")
    if was.state is State.UNKNOWN:
        for attempt in attempts.of_post(tx, was.id):
            attempts.resolve(tx, attempt.id, outcome="cancelled", detail=f"{who} ended the asking")
    return post


def _must_be_free(tx: Tx, post: Post) -> None:
    found = holds.covering(tx, post.id)
    if found:
        hold = found[0]
        raise Illegal(
            f"cannot release {post.id}, because {_of(hold)} is on hold ({hold.id}, by {hold.by}: "
            f"{hold.reason or 'no reason given'})",
            fix=f"guardian queue unhold {lifting(hold)}",
        )


def _of(hold: Hold) -> str:
    return "it" if hold.tag is None else f"its tag {hold.tag!r}"


def _must_lie_ahead(chosen: Sequence[Post], moves: Sequence[Moved], now: int) -> None:
    past = [post.id for post, to in zip(chosen, moves, strict=True) if to.at < now]
    if past:
        named = ", ".join(past[:MOST_IN_WORDS])
        more = f" and {len(past) - MOST_IN_WORDS} more" if len(past) > MOST_IN_WORDS else ""
        raise Mistake(
            f"cannot reschedule {named}{more}, because that time is past; nothing was changed",
            fix="choose one to come; to send it now: --at now",
        )


def _note(tx: Tx, kind: str, done: Sequence[Post], *, who: str, now: int, **more: object) -> None:
    """One line for all of it; one post is named with its account."""
    if len(done) == 1:
        journal.append(tx, kind, who=who, now=now, post=done[0].id, account=done[0].account, **more)
    elif done:
        names = [post.id for post in done]
        line = journal.append(tx, kind, who=who, now=now, count=len(names), posts=names[:MOST_NAMED], **more)
        journal.tells_about(tx, line, names)
