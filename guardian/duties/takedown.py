"""Takedowns: orders come in, and one thread for each account carries them out. `order` and `wait` are for API threads.

An order is on the disk, in the journal and in the incident, before anything is asked of anybody. The loop `takedown`
starts a thread for every account that has something to do and none at work, so that no account waits for another, and
no takedown for a lane. What a crash interrupts is found by the next start, in the same table.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from guardian.errors import GuardianError, Mistake
from guardian.failpoint import failpoint
from guardian.model import Capture, Decision, State, Takedown
from guardian.rules.takedown import OPEN
from guardian.store import bundles, incidents, journal, posts, publications, takedowns
from guardian.store.posts import new_id
from guardian.store.queries import Q
from guardian.store.takedowns import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.references import References
    from guardian.duties.retracting import Retracting
    from guardian.model import Account, Target
    from guardian.store.database import Database, Tx

MOST_TARGETS = 1_000
MOST_VARIANTS = 200
AFTER_ERROR = 1_000
NO_ACCOUNT = 60_000
GLANCE = 0.25
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody orders."""

    refs: Sequence[str]
    decision: Decision
    capture: Capture | None = None  # None: as configured; under a legal hold of any of its posts, the whole proof
    reason: str = ""
    severity: int = 1
    agreed: tuple[str, ...] = ()
    given: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None
    siblings: bool = False  # what says the same elsewhere, the rest of a thread, the other variants of a campaign, too
    urgent: bool = False  # with a freeze: a reference that names nothing does not keep the others from being taken down
    overwrite: bool = False  # before a deletion, where the platform can
    evidence_only: bool = False  # a snapshot: it joins an incident, and opens none


@dataclass(frozen=True, slots=True)
class Sibling:
    """A live post that belongs to one that is taken down, and why."""

    named: Named
    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many variants of a campaign are still to go out, of which something is taken down."""

    campaign: str
    posts: int


class Takedowns:
    """Every order of the house."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        references: References,
        build: Callable[[Account, Mapping[str, float]], Retracting],
        clock: Callable[[], int],
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.references = references
        self.build = build
        self.clock = clock
        self.wake: Callable[[], None] = _nobody
        self._began: dict[str, float] = {}
        self._desks: dict[str, Retracting] = {}
        self._at_work: dict[str, threading.Thread] = {}
        self._rest_until: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closing = False

    def order(self, wish: Wish, *, who: str) -> tuple[Takedown, bool]:
        """Take an order in; whether it is new (the same key again names the same order).

        Raises Mistake, Unfound, Illegal for its references; nothing is ordered then.
        """
        began = time.monotonic()
        if wish.overwrite and wish.decision is not Decision.DELETE:
            raise Mistake(f"cannot overwrite posts to {wish.decision} them", fix="give it with --delete, or leave it")
        if wish.key is not None:
            with self.database.reading() as tx:
                known = takedowns.by_key(tx, wish.key)
            if known is not None:
                return known, False
        named, lost = (
            self.references.find_what_can_be(wish.refs) if wish.urgent else (self.references.find(wish.refs), [])
        )
        wish = replace(wish, given={**wish.given, "lost": lost})
        if wish.siblings:
            named = [*named, *(one.named for one in self.siblings(named))]
        if len(named) > MOST_TARGETS:
            raise Mistake(f"cannot take down {len(named)} posts in one order, because {MOST_TARGETS} are the most")
        found, new = self._write(wish, named, who, began)
        failpoint("takedown.ordered")
        self.wake()
        return found, new

    def siblings(self, named: Sequence[Named]) -> list[Sibling]:
        """What belongs to these and is none of them.

        Other parts of their threads, what says the same elsewhere, the other variants of their campaigns.
        """
        known = {(one.account, one.platform_id) for one in named}
        found: dict[tuple[str, str], Sibling] = {}
        with self.database.reading() as tx:
            for one in named:
                for sibling in _siblings(tx, one):
                    place = (sibling.named.account, sibling.named.platform_id)
                    if place not in known:
                        found.setdefault(place, sibling)
        return list(found.values())

    def waiting(self, named: Sequence[Named]) -> list[Waiting]:
        """What is not out yet of the campaigns of these: no takedown keeps it back."""
        with self.database.reading() as tx:
            mine = {posts.get(tx, one.post).campaign for one in named if one.post is not None}
            found = [(one, int(Q.waiting_of_campaign(tx, campaign=one) or 0)) for one in sorted(mine - {None}, key=str)]
        return [Waiting(str(campaign), count) for campaign, count in found if count]

    def _write(self, wish: Wish, named: Sequence[Named], who: str, began: float) -> tuple[Takedown, bool]:
        """One transaction: incident, order, targets, journal; unless the same order came in meanwhile."""
        now = self.clock()
        with self.database.transaction() as tx:
            known = takedowns.by_key(tx, wish.key) if wish.key is not None else None
            if known is not None:
                return known, False
            if wish.evidence_only:
                incident = incidents.current(tx)
            else:
                incident, _ = incidents.open_or_join(tx, reason=wish.reason, by=who, cause="takedown", now=now)
            order = Takedown(
                id=new_id("t"),
                incident=None if incident is None else incident.id,
                decision=wish.decision,
                capture=wish.capture or self._usual_capture(tx, named),
                severity=wish.severity,
                reason=wish.reason,
                by=who,
                agreed=wish.agreed,
                at=now,
                overwrite=wish.overwrite,
            )
            takedowns.order(tx, order, given=wish.given, key=wish.key)
            ids = [takedowns.add_target(tx, order.id, one, nr=nr) for nr, one in enumerate(named, 1)]
            facts = {
                "incident": order.incident, "takedown": order.id, "decision": order.decision, "capture": order.capture,
                "severity": order.severity, "reason": order.reason, "agreed": list(order.agreed), **_who(wish.given),
            }  # fmt: skip
            if wish.overwrite:
                facts["overwrite"] = True
            if wish.given.get("lost"):
                facts["lost"] = wish.given["lost"]
            told = [_told(target, one) for target, one in zip(ids, named, strict=True)]
            entry = journal.append(tx, "takedown ordered", who=who, now=now, **facts, targets=told)
            journal.tells_about(tx, entry, {one.post for one in named if one.post is not None})
            self._began[order.id] = began  # before the commit: whoever finds the order finds this, too
        return order, True

    def _usual_capture(self, tx: Tx, named: Sequence[Named]) -> Capture:
        """Under a legal hold nothing is deleted without the whole proof, unless somebody says so."""
        if any(bundles.is_held(tx, account=one.account, platform_id=one.platform_id) for one in named):
            return Capture.REQUIRE
        return Capture(self.in_force.settings.evidence.capture)

    def wait(self, takedown: str, seconds: float) -> list[Target]:
        """The order's targets, as soon as all have come to an end, or when the time is over."""
        until = time.monotonic() + seconds
        while True:
            with self.database.reading() as tx:
                found = takedowns.targets(tx, takedown)
            left = until - time.monotonic()
            if left <= 0 or all(one.state not in OPEN for one in found):
                return found
            with self._changed:
                self._changed.wait(min(left, GLANCE))

    def poll(self, now: int) -> int | None:
        """Start a thread for every account that has something to do; when the next has. For its loop alone."""
        if self._closing:
            return None
        with self.database.reading() as tx:
            waiting = takedowns.waiting(tx)
        accounts = {account.name: account for account in self.in_force.settings.accounts}
        following = []
        for name, due in waiting.items():
            if name in self._at_work:
                continue
            at = max(due, self._rest_until.get(name, 0))
            if name not in accounts:
                following.append(now + NO_ACCOUNT)
            elif at > now:
                following.append(at)
            else:
                self._start(accounts[name])
        return min(following, default=None)

    def close(self, within: float) -> bool:
        """Begin nothing more, and wait for what is under way; whether it ended in time. What is left is found again."""
        self._closing = True
        for desk in list(self._desks.values()):
            desk.closing = True
        until = time.monotonic() + within
        for thread in list(self._at_work.values()):
            thread.join(max(until - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in list(self._at_work.values()))

    def _start(self, account: Account) -> None:
        thread = threading.Thread(target=self._work, args=(account,), name=f"takedown {account.name}", daemon=True)
        self._at_work[account.name] = thread
        thread.start()

    def _work(self, account: Account) -> None:
        """Everything that is due for an account, in a thread of its own. An error is logged, and rested for."""
        name = account.name
        try:
            desk = self._desk(account)
            if desk.work() is None:
                self._desks.pop(name).close()
        except GuardianError as error:
            log.error("a takedown waits", account=name, why=str(error))  # noqa: TRY400 (its words say it all)
            self._rest_until[name] = self.clock() + AFTER_ERROR
        except Exception:
            log.exception("a takedown failed", account=name)
            self._rest_until[name] = self.clock() + AFTER_ERROR
        finally:
            self._at_work.pop(name, None)
            self.changed()
            self.wake()

    def _desk(self, account: Account) -> Retracting:
        """The one that knows what has come of earlier requests; another one when the account was configured anew."""
        desk = self._desks.get(account.name)
        if desk is None or desk.account is not account:
            if desk is not None:
                desk.close()
            desk = self._desks[account.name] = self.build(account, self._began)
        desk.closing = self._closing
        return desk

    def changed(self) -> None:
        """Something has come to an end: whoever waits looks again."""
        with self._changed:
            self._changed.notify_all()


def _siblings(tx: Tx, one: Named) -> Iterator[Sibling]:
    if one.post is None or one.part is None:
        return
    post = posts.get(tx, one.post)
    for part, (platform_id, url) in enumerate(posts.live_parts(tx, post)):
        if post.state is not State.RETRACTED:
            named = Named(account=post.account, platform_id=platform_id, url=url, post=post.id, part=part)
            yield Sibling(named, f"part {part + 1} of the same thread")
    for alike in publications.alike(tx, one.post, one.part):
        named = Named(
            account=alike.account, platform_id=alike.platform_id, url=alike.url, post=alike.post, part=alike.part
        )
        yield Sibling(named, "says the same")
    if post.campaign is None:
        return
    for row in Q.live_of_campaign(tx, campaign=post.campaign, post=post.id, limit=MOST_VARIANTS):
        place = {name: row[name] for name in ("account", "platform_id", "url", "post", "part")}
        yield Sibling(Named(**place), "the same campaign")


def _told(target: str, named: Named) -> dict[str, object]:
    found: dict[str, object] = {"target": target, "account": named.account, "platform_id": named.platform_id}
    return {**found, "url": named.url, "post": named.post, "part": named.part}


def _who(given: Mapping[str, object]) -> dict[str, object]:
    """Of what the caller said, what the journal's line keeps."""
    return {key: given.get(key) for key in ("uid", "login", "tty", "host") if given.get(key) is not None}


def _nobody() -> None:
    """Nobody has to be woken yet."""
