"""An unknown attempt: ask the platform, never send again. Called by the account's lane thread only.

The platform is asked `looks` times over `over`; only then is a post believed to be absent. A look that fails (no
network, an error) does not count. Reading passes the gate even while frozen, so that the freeze's report can become
complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from guardian.duties import publication
from guardian.duties.publish import WHO, landed
from guardian.duties.tally import UNCOUNTED
from guardian.errors import Doubt
from guardian.model import Event, State
from guardian.rules.clock import look_from
from guardian.store import attempts, journal, posts, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.adapter import Adapter
    from guardian.duties.tally import Tally
    from guardian.model import Account, Post, PostRef
    from guardian.store.database import Database, Tx

AFTER_DOUBT = 10_000
WHY_LENGTH = 300
UNSURE = "the platform does not list it, but lists new posts late: look at the account before you send it again"
TAKEN_DOWN = (
    "it may be what was taken down since it left, when nobody knew that it was ours: look before you send it again"
)
log = structlog.get_logger()


class Reconciling:
    """The unresolved attempts of one account."""

    def __init__(
        self,
        *,
        account: Account,
        adapter: Adapter,
        database: Database,
        looks: int,
        over: int,
        clock: Callable[[], int],
        elapsed: Callable[[], int] | None = None,
        tally: Tally = UNCOUNTED,
    ) -> None:
        self.account = account
        self.adapter = adapter
        self.database = database
        self.looks = looks
        self.over = over
        self.clock = clock
        self.tally = tally
        self.sure = True  # what the platform does not list, it does not have; else a person decides
        self.elapsed = elapsed or clock  # nobody can set it: three looks at once, by a clock that jumps, prove nothing
        self._looked: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._not_before = 0

    def has_work(self) -> bool:
        """Whether anything of the account is unresolved."""
        with self.database.reading() as tx:
            return bool(attempts.unknown(tx, self.account.name))

    def poll(self, now: int) -> int | None:
        """Make every look that is due; when the next one is, or None when nothing is unknown."""
        if now < self._not_before <= now + AFTER_DOUBT:
            return self._not_before
        with self.database.reading() as tx:
            waiting = attempts.unknown(tx, self.account.name)
        self._looked = {row["id"]: self._looked[row["id"]] for row in waiting if row["id"] in self._looked}
        self._told = {row["post"]: self._told[row["post"]] for row in waiting if row["post"] in self._told}
        times = [self._look_if_due(row, now) for row in waiting]
        return min((at for at in times if at is not None), default=None)

    def _look_if_due(self, row: Any, now: int) -> int | None:  # noqa: ANN401 (a row of the database)
        if row["looks"]:  # the last one may have been in another life: then it was just now, for all we know
            looked = self._looked.setdefault(row["id"], self.elapsed())
            rest = looked + self._between - self.elapsed()
            if rest > 0:
                return now + rest
        try:
            return self._look(row)
        except Doubt as doubt:
            self._tell(row["post"], str(doubt)[:WHY_LENGTH])
            self._not_before = now + AFTER_DOUBT
            return self._not_before

    def _tell(self, post: str, why: str) -> None:
        """Once for every new reason: the same doubt comes back every ten seconds, and may need a person."""
        if self._told.get(post) != why:
            self._told[post] = why
            log.warning("doubt", account=self.account.name, post=post, why=why)

    @property
    def _between(self) -> int:
        return self.over // max(1, self.looks - 1)

    def _look(self, row: Any) -> int | None:  # noqa: ANN401 (a row of the database)
        """Ask the platform once. Raises Doubt when it could not be asked."""
        attempt, post_id, nth = row["id"], row["post"], int(row["looks"]) + 1
        with self.database.reading() as tx:
            post = posts.get(tx, post_id)
            since = look_from(attempts.first_at(tx, post, post.created_at), self.clock())
            known = attempts.known_ids(tx, self.account.name)
            reply_to = posts.parent(tx, post)
        try:
            ref = self.adapter.find(post.due_part, since=since, known=known, reply_to=reply_to, key=row["key"])
        except Exception as error:
            self.tally.looked(self.account.name, result="failed")
            raise Doubt(f"cannot ask for {post_id}, because {type(error).__name__}: {error}") from error
        self.tally.looked(self.account.name, result="absent" if ref is None else "found")
        now = self.clock()
        self._looked[attempt] = self.elapsed()
        with self.database.transaction() as tx:
            attempts.look_noted(tx, attempt, now=now)
            if posts.get(tx, post_id).state is not State.UNKNOWN:
                self._too_late(tx, post, ref, now)
            elif ref is not None:
                record = publication.keep(tx, post, self.account, ref, exchange=None, now=now)
                landed(tx, post, attempt, ref, record=record, now=now, found=True)
            elif nth < self.looks:
                return now + self._between
            else:
                acted = takedowns.strangers_acted_on(tx, self.account.name, since=since)
                self._absent(tx, attempt, post, now, unsure=TAKEN_DOWN if acted else "" if self.sure else UNSURE)
        return None

    @staticmethod
    def _too_late(tx: Tx, post: Post, ref: PostRef | None, now: int) -> None:
        """A person ended the asking while the platform was asked; what it answered is at least written down."""
        if ref is not None:
            facts = {"post": post.id, "account": post.account, "platform_id": ref.id, "url": ref.url}
            journal.append(tx, "live_after_all", who=WHO, now=now, **facts)

    def _absent(self, tx: Tx, attempt: str, post: Post, now: int, *, unsure: str) -> None:
        """It was asked often enough, and is not there: back into the queue, where lateness decides, or a person."""
        attempts.resolve(tx, attempt, outcome="absent", detail=f"looked for {self.looks} times")
        posts.move(tx, post.id, Event.ABSENT, now=now, why="the platform was asked and does not have it")
        if unsure:
            posts.move(tx, post.id, Event.MISS, now=now, why=unsure)
        journal.append(tx, "absent", who=WHO, now=now, post=post.id, account=post.account, looks=self.looks)
