"""Taking down what an account has to take down: snapshot, decision, act. One thread at a time calls `work`.

    ordered    the snapshot is taken; four are on their way ahead, so that no deletion waits for a later one's
    captured   is it ours, and may it be done here? Then the intent is committed, and one request goes
    acting     it is read back (`acting.py`) until it is gone or the time is over

After a crash the same table goes on where it was: whoever finds a target *acting* looks first.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from guardian.duties.outcomes import WHO, WHY_LENGTH, about
from guardian.duties.snapshot import Snapshot, Wanted
from guardian.errors import GuardianError
from guardian.failpoint import failpoint
from guardian.gate import recording
from guardian.model import Capture, Decision, Grade, Presence
from guardian.rules import ownership
from guardian.rules.takedown import Step, TargetState
from guardian.store import bundles, journal, posts, publications, stamps, takedowns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.duties.acting import Acting
    from guardian.duties.capturing import Capturing
    from guardian.model import Account, Exchange, Identity, Media, Takedown, Target
    from guardian.store.database import Database, Tx

AHEAD = 4
MANY = 20  # above so many at once, a snapshot is one call and the files (evidence 4)
MARGIN = 0.25  # seconds of the capture's limit that are left for sealing and for the intent
log = structlog.get_logger()


class Retracting:
    """One account's takedowns."""

    def __init__(
        self,
        *,
        account: Account,
        capturing: Capturing,
        acting: Acting,
        database: Database,
        began: Mapping[str, float],
    ) -> None:
        """`began`: when an order came in, by the monotonic clock."""
        self.account = account
        self.capturing = capturing
        self.acting = acting
        self.emergency = acting.emergency
        self.outcomes = acting.outcomes
        self.terms = acting.terms
        self.database = database
        self.began = began
        self.clock = acting.clock
        self._snapshots: dict[str, Future[Snapshot | None]] = {}
        self.closing = False  # the daemon ends: nothing more is begun, and the next life finds it
        self._free_since = 0.0  # when the last step ended: what had to wait for it has its whole time for its proof
        self._noted: set[str] = set()  # targets whose proof of this life stands in the books
        self._ahead = ThreadPoolExecutor(AHEAD, thread_name_prefix=f"snapshot {account.name}")

    def close(self) -> None:
        """Let the threads go; what they do is bounded in time."""
        self._ahead.shutdown(wait=False, cancel_futures=True)

    def work(self) -> int | None:
        """Do everything that is due; when the next thing is, or None when nothing is left."""
        while not self.closing:
            with self.database.reading() as tx:
                waiting = takedowns.open_of(tx, self.account.name)
            now = self.clock()
            due = [one for one in waiting if (one.due_at or 0) <= now]
            if not due:
                return min((one.due_at for one in waiting if one.due_at is not None), default=None)
            self._capture_ahead([one for one in waiting if one.state == TargetState.ORDERED], many=len(waiting) > MANY)
            self._step(due[0])
            self._free_since = time.monotonic()
        return None

    def _step(self, target: Target) -> None:
        with self.database.reading() as tx:
            order = takedowns.get(tx, target.takedown)
        if target.state == TargetState.ACTING:
            future = self._snapshots.get(target.id)
            self.acting.look(order, target, None if future is None else future.result())
            return
        if target.id not in self._snapshots:
            self._capture_ahead([target], many=False)
        snapshot = self._snapshots[target.id].result()
        if target.state == TargetState.ORDERED or target.id not in self._noted:
            target = self._captured(order, target, snapshot)
        self._decide(order, target, snapshot)

    def _capture_ahead(self, wanting: Sequence[Target], *, many: bool) -> None:
        """Let the snapshots of the next few begin."""
        for target in wanting[:AHEAD]:
            if target.id not in self._snapshots:
                self._snapshots[target.id] = self._ahead.submit(self._capture, target, many)

    def _capture(self, target: Target, many: bool) -> Snapshot | None:  # noqa: FBT001 (handed on by the pool)
        """The snapshot, whatever came of it; None where the policy wants none, or not even a directory can be made."""
        with self.database.reading() as tx:
            order = takedowns.get(tx, target.takedown)
            given = takedowns.ordered(tx, target.takedown)
            publication, media = _published(tx, target)
        if order.capture is Capture.SKIP:
            return None
        start = time.monotonic() if many else max(self.began.get(order.id, time.monotonic()), self._free_since)
        limit = max(start + self.terms.within - MARGIN, time.monotonic())
        replies = given.get("replies")
        wanted = Wanted(
            order=order,
            target=target,
            given=given,
            publication=publication,
            media=media,
            until=limit,
            light=many,
            replies=self.terms.replies if replies is None else int(replies),
        )
        try:
            snapshot = self.capturing.begin(wanted)
            with self.database.transaction() as tx:
                takedowns.note_evidence(tx, target.id, bundle=snapshot.bundle.name, grade=None)
            failpoint("takedown.bundle")
            self.capturing.take(snapshot, who=order.decision is not Decision.KEEP)
        except (GuardianError, OSError) as error:
            log.error("no snapshot", target=target.id, why=str(error))  # noqa: TRY400 (its words say it all)
            return None
        except Exception:  # whatever it is: a proof that cannot be had never keeps a post up by itself
            log.exception("no snapshot", target=target.id)
            return None
        return snapshot

    def _captured(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> Target:
        """Write down that the proof is sealed, or that there is none and who wanted it so."""
        now = self.clock()
        with self.database.transaction() as tx:
            if snapshot is not None and snapshot.seal is not None:
                why = self._sealed(tx, order, target, snapshot, now)
            else:
                why = "no snapshot: the order says so" if order.capture is Capture.SKIP else "no snapshot could be made"
                takedowns.note_evidence(tx, target.id, bundle=None, grade=Grade.NONE)
                facts = {**about(order, target), "policy": order.capture, "why": why}
                journal.append(tx, "no snapshot", who=order.by, now=now, **facts)
            if target.state == TargetState.ORDERED:  # else it was captured in another life of ours, too
                target = takedowns.move(tx, target, Step.CAPTURE, why=why, now=now)
            else:
                target = takedowns.target(tx, target.id)
        self._noted.add(target.id)
        failpoint("takedown.noted")
        return target

    def _sealed(self, tx: Tx, order: Takedown, target: Target, snapshot: Snapshot, now: int) -> str:
        """Note a bundle and its first seal; what is missing of the proof."""
        name, seal = snapshot.bundle.name, snapshot.seal
        if seal is None:
            return ""
        why = "; ".join(snapshot.missing)[:WHY_LENGTH]
        takedowns.note_evidence(tx, target.id, bundle=name, grade=snapshot.grade)
        bundles.record(
            tx,
            name,
            platform=self.account.platform,
            grade=snapshot.grade,
            now=now,
            target=target,
            incident=order.incident,
            keep=self.terms.keep,
            who=order.by,
        )
        bundles.sealed(tx, name, n=seal.n, sha256=seal.sha256)
        stamps.want(tx, name, seal.n, self.terms.authorities, now=now)
        facts = {"bundle": name, "seal": seal.n, "sha256": seal.sha256, "grade": snapshot.grade, "missing": why}
        journal.append(tx, "snapshot sealed", who=WHO, now=now, **about(order, target), **facts)
        return why

    def _decide(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> None:
        """May it be done at all?"""
        if order.decision is Decision.KEEP:
            self.outcomes.end(order, target, Step.KEEP, "kept: the order says so", snapshot=snapshot)
            return
        why = self._why_not(order, target, snapshot)
        if why:
            self.outcomes.end(order, target, Step.REFUSE, why, snapshot=snapshot)
            return
        limit = order.decision.is_limit
        doubtful = limit or (snapshot is not None and snapshot.not_found) or self._was_acted_on(target)
        presence = self.acting.presence(order.decision, target, snapshot) if doubtful else Presence.THERE
        if presence is Presence.GONE:
            self.outcomes.end(order, target, Step.FOUND_GONE, "it was gone before we came", snapshot=snapshot)
        elif presence is Presence.LIMITED and limit:
            self.outcomes.end(order, target, Step.FOUND_LIMITED, "it was so before we came", snapshot=snapshot)
        else:
            self.acting.attempt(order, target, snapshot)

    def _was_acted_on(self, target: Target) -> bool:
        """Whether another order was for the same post, and a request has left for it: the snapshot may be older."""
        with self.database.reading() as tx:
            return any(other.acts for other in takedowns.same_post(tx, target))

    def _why_not(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> str:
        """Why it is not to be touched: it is not ours, nobody can say whose it is, or the proof was required."""
        grade = Grade.NONE if snapshot is None else snapshot.grade
        if order.capture is Capture.REQUIRE and grade is not Grade.COMPLETE:
            lacking = "; ".join(snapshot.missing) if snapshot is not None else "no snapshot"
            return f"the proof is {grade}, and the order requires it whole ({lacking})"[:WHY_LENGTH]
        act = self.emergency.maker.abilities.act(order.decision)
        if act is None:
            return f"{self.account.platform} cannot {order.decision} a post"
        if snapshot is None:
            identity, author = self._who(), None
        else:
            identity = snapshot.identity
            status = snapshot.answers.get("status")
            fine = status is not None and 200 <= status.status < 300  # noqa: PLR2004 (HTTP's own classes)
            author = self.emergency.adapter.author(status.body) if status is not None and fine else None
        ours = target.post is not None
        return ownership.why_not(self.account, identity=identity, author=author, ours=ours, others=act.others)

    def _who(self) -> Identity | None:
        try:
            with recording.record(_nobody, until=time.monotonic() + self.terms.within):
                return self.emergency.adapter.whoami()
        except Exception as error:  # noqa: BLE001 (as above)
            log.info("not asked who we are", account=self.account.name, said=type(error).__name__)
            return None


def _published(tx: Tx, target: Target) -> tuple[bytes | None, tuple[Media, ...]]:
    """What we hold of it since it went live. A record that is damaged is none: the rest of the proof is still there."""
    if target.post is None or target.part is None:
        return None, ()
    media = posts.get(tx, target.post).parts[target.part].media
    try:
        return publications.raw(tx, target.post, target.part), media
    except GuardianError as error:
        log.error("a record is damaged", post=target.post, why=str(error))  # noqa: TRY400 (its words say it all)
        return None, media


def _nobody(_: Exchange) -> None:
    """Nobody keeps it."""
