"""Taking down what an account has to take down: capture, act, read back. One thread at a time calls `work`.

    ordered    the snapshot is taken (four are on their way ahead of the deletions, which never wait for a later one's)
    captured   is it ours, may it go now, what undoes it: the intent is committed, with the undo data, then one request
    acting     read back until it is gone or the time is over; another request only if it is surely still there

Nothing is concluded from what the platform answered to the request itself: a 200 is believed when reading back shows
it, and an answer that is no plain word (401, 429, a 5xx, a login page) is *unknown*, never *gone*. After a crash the
same table goes on where it was: whoever finds a target *acting* looks first.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from guardian.duties import fate
from guardian.duties.capturing import Snapshot, Wanted
from guardian.errors import GuardianError, Refusal
from guardian.failpoint import failpoint
from guardian.gate import intents, recording
from guardian.gate.verdicts import Accepted, Rejected, Throttled, verdict_of_retract
from guardian.model import Capture, Decision, Grade, PostRef, Presence
from guardian.rules import budget, ownership
from guardian.rules.takedown import Step, TargetState, found
from guardian.store import bundles, journal, posts, publications, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guardian.adapter import Undoing
    from guardian.duties.capturing import Capturing
    from guardian.gate.accounts import Emergency
    from guardian.gate.verdicts import Verdict
    from guardian.model import Account, Exchange, Takedown, Target
    from guardian.store.database import Database

AHEAD = 4
MANY = 20  # above so many at once, a snapshot is one call and the files (evidence 4)
MARGIN = 0.25  # seconds of the capture's limit that are left for sealing and for the intent
READ_BACK = 10_000  # ms after the request
NAPS = (250, 500, 1_000, 2_000)  # between two readings
MOST_ACTS = 3  # where a platform says yes and nothing happens
PATIENCE = 60 * 60_000  # how long a platform that cannot be reached is tried
LONGEST_NAP = 60_000
LOOKS_AGAIN = (60_000, 60 * 60_000, 25 * 60 * 60_000, 7 * 24 * 60 * 60_000)
WHY_LENGTH = 500
WHO = "guardian"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a snapshot is to be taken: its limit in seconds, and how many of other people's replies are kept."""

    within: float
    replies: int


class Retracting:
    """One account's takedowns."""

    def __init__(
        self,
        *,
        account: Account,
        emergency: Emergency,
        capturing: Capturing,
        database: Database,
        terms: Terms,
        began: Mapping[str, float],
        after: Callable[[Target, Snapshot | None], None],
        clock: Callable[[], int],
    ) -> None:
        """`began`: when an order came in, by the monotonic clock; `after` is told of every target that has ended."""
        self.account = account
        self.emergency = emergency
        self.capturing = capturing
        self.database = database
        self.terms = terms
        self.began = began
        self.after = after
        self.clock = clock
        self._snapshots: dict[str, Future[Snapshot | None]] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._looked: dict[str, int] = {}
        self._rest_until = 0
        self._ahead = ThreadPoolExecutor(AHEAD, thread_name_prefix=f"snapshot {account.name}")

    def close(self) -> None:
        """Let the threads go; what they do is bounded in time."""
        self._ahead.shutdown(wait=False, cancel_futures=True)

    def work(self) -> int | None:
        """Do everything that is due; when the next thing is, or None when nothing is left."""
        while True:
            with self.database.reading() as tx:
                waiting = takedowns.open_of(tx, self.account.name)
            now = self.clock()
            due = [one for one in waiting if (one.due_at or 0) <= now]
            if not due:
                return min((one.due_at for one in waiting if one.due_at is not None), default=None)
            self._capture_ahead([one for one in waiting if one.state == TargetState.ORDERED], many=len(waiting) > MANY)
            self._step(due[0])

    def _step(self, target: Target) -> None:
        with self.database.reading() as tx:
            order = takedowns.get(tx, target.takedown)
        if target.state == TargetState.ACTING:
            self._look(order, target)
            return
        if target.id not in self._snapshots:  # captured in another life of ours: what was seen then is not known here
            self._capture_ahead([target], many=False)
        snapshot = self._snapshots[target.id].result()
        if target.state == TargetState.ORDERED:
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
            publication = None
            media = ()
            if target.post is not None and target.part is not None:
                publication = publications.raw(tx, target.post, target.part)
                media = posts.get(tx, target.post).parts[target.part].media
        if order.capture is Capture.SKIP:
            return None
        start = time.monotonic() if many else self.began.get(order.id, time.monotonic())
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
            self.capturing.take(snapshot, who=True)
        except (GuardianError, OSError) as error:
            log.exception("no snapshot", target=target.id, why=str(error))
            return None
        return snapshot

    def _captured(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> Target:
        """Write down that the proof is sealed, or that there is none and who wanted it so."""
        now = self.clock()
        why = "no snapshot: the order says so" if order.capture is Capture.SKIP else "no snapshot could be made"
        facts = self._about(order, target)
        with self.database.transaction() as tx:
            if snapshot is not None and snapshot.seal is not None:
                why = "; ".join(snapshot.missing)[:WHY_LENGTH]
                name, seal = snapshot.bundle.name, snapshot.seal
                takedowns.note_evidence(tx, target.id, bundle=name, grade=snapshot.grade)
                bundles.record(
                    tx, name=name, incident=order.incident, target=target, platform=self.account.platform,
                    grade=snapshot.grade, now=now,
                )  # fmt: skip
                bundles.sealed(tx, name, n=seal.n, sha256=seal.sha256)
                facts |= {
                    "bundle": name,
                    "seal": seal.n,
                    "sha256": seal.sha256,
                    "grade": snapshot.grade,
                    "missing": why,
                }
                journal.append(tx, "snapshot sealed", who=WHO, now=now, **facts)
            else:
                takedowns.note_evidence(tx, target.id, bundle=target.evidence or "", grade=Grade.NONE)
                journal.append(tx, "no snapshot", who=order.by, now=now, **facts, policy=order.capture, why=why)
            moved = takedowns.move(tx, target, Step.CAPTURE, why=why, now=now)
        failpoint("takedown.noted")
        return moved

    def _decide(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> None:
        """May it go, and now?"""
        if order.decision is Decision.KEEP:
            self._end(order, target, Step.KEEP, "kept: the order says so")
            return
        why = self._why_not(order, target, snapshot)
        if why:
            self._end(order, target, Step.REFUSE, why)
            return
        if snapshot is not None and snapshot.not_found and self._presence(target) is Presence.GONE:
            self._end(order, target, Step.FOUND_GONE, "it was gone before we came")
            return
        now, at = self.clock(), self._turn(target)
        if at > now:
            self._postpone(target, at, "the platform takes no more deletions now")
            return
        try:
            undoing = self._prepare(order, target, snapshot)
        except Refusal as refusal:
            self._end(order, target, Step.REFUSE, str(refusal))
            return
        self._act(order, target, undoing)

    def _why_not(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> str:
        """Why it is not to be touched: it is not ours, nobody can say whose it is, or the proof was required."""
        grade = Grade.NONE if snapshot is None else snapshot.grade
        if order.capture is Capture.REQUIRE and grade is not Grade.COMPLETE:
            lacking = "; ".join(snapshot.missing) if snapshot is not None else "no snapshot"
            return f"the proof is {grade}, and the order requires it whole ({lacking})"[:WHY_LENGTH]
        acts = {act.decision for act in self.emergency.maker.abilities.acts}
        if order.decision not in acts:
            return f"{self.account.platform} cannot {order.decision} a post"
        if snapshot is None:
            identity, author = self._who(), None
        else:
            identity = snapshot.identity
            status = snapshot.answers.get("status")
            fine = status is not None and 200 <= status.status < 300  # noqa: PLR2004 (HTTP's own classes)
            author = self.emergency.adapter.author(status.body) if status is not None and fine else None
        return ownership.why_not(self.account, identity=identity, author=author, ours=target.post is not None)

    def _turn(self, target: Target) -> int:
        """When this target may be acted on, by the platform's budget and by what it said last."""
        allowed = self.emergency.maker.abilities.budget
        now = self.clock()
        with self.database.reading() as tx:
            spent = takedowns.spent(tx, self.account.name, since=now - allowed.window)
            waiting = [one for one in takedowns.open_of(tx, self.account.name) if one.state != TargetState.ACTING]
        place = next((nr for nr, one in enumerate(waiting) if one.id == target.id), 0)
        times = budget.times(spent, now=now, wanted=place + 1, count=allowed.count, window=allowed.window)
        return max(times[-1], self._rest_until)

    def _prepare(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> Undoing:
        answers = dict(snapshot.answers) if snapshot is not None else {}
        return self.emergency.adapter.prepare(order.decision, _ref(target), answers)

    def _act(self, order: Takedown, target: Target, undoing: Undoing) -> None:
        """The intent is committed, then one request leaves. What it says is bound to this target by the gate."""
        now = self.clock()
        facts = self._about(order, target)
        with self.database.transaction() as tx:
            fate.begins(tx, target, by=order.by, now=now)
            takedowns.intend(tx, target, undo=undoing.undo, now=now)
            target = takedowns.move(tx, target, Step.ACT, why="", now=now)
            facts |= {"act": order.decision, "policy": order.capture, "grade": target.grade, "try": target.acts}
            journal.append(tx, "takedown acting", who=order.by, now=now, **facts)
        failpoint("takedown.intended")
        intent = intents.retracting(self.account.name, target.platform_id, undoing.says)
        with intents.declare(intent) as receipt, recording.record(self._keeper(target)):
            try:
                self.emergency.adapter.retract(order.decision, _ref(target), undoing)
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                log.info("retracting", target=target.id, said=type(error).__name__)
        failpoint("takedown.acted")
        verdict = verdict_of_retract(receipt)
        self._verdicts[target.id] = verdict
        if isinstance(verdict, Throttled):
            self._rest_until = self.clock() + round(1000 * (verdict.after if verdict.after is not None else 60.0))
            self._postpone(target, self._rest_until, verdict.why)
            return
        self._look(order, target)

    def _look(self, order: Takedown, target: Target) -> None:
        """Read back, and end; or look again; or act again, if it is surely there and the last request did nothing."""
        presence = self._presence(target)
        failpoint("takedown.looked")
        step = found(presence, order.decision)
        if step in (Step.FOUND_GONE, Step.FOUND_HIDDEN):
            self._end(order, target, step, "")
            return
        verdict = self._verdicts.get(target.id)
        said = getattr(verdict, "why", "") or ""
        over = self.clock() - (target.acted_at or 0) >= READ_BACK
        if isinstance(verdict, Rejected):
            self._end(order, target, step, said)
        elif isinstance(verdict, Accepted):
            self._wait_or_end(
                order, target, step, "the platform said that it is done, and that does not show", over=over
            )
        elif step is Step.FOUND_NOTHING:
            tired = self.clock() - (target.acted_at or 0) >= PATIENCE
            self._wait_or_end(order, target, step, said or "nobody can say whether it is gone", over=tired)
        elif target.acts < MOST_ACTS or isinstance(verdict, Throttled):
            self._again(order, target)
        else:
            self._end(order, target, step, said or "it was asked for several times, and is still there")

    def _again(self, order: Takedown, target: Target) -> None:
        """It is surely there, and the last request surely did nothing: one more."""
        at = self._turn(target)
        if at > self.clock():
            self._postpone(target, at, "the platform takes no more deletions now")
            return
        snapshot = self._snapshots[target.id].result() if target.id in self._snapshots else None
        try:
            self._act(order, target, self._prepare(order, target, snapshot))
        except Refusal as refusal:
            self._end(order, target, Step.FOUND_THERE, str(refusal))

    def _wait_or_end(self, order: Takedown, target: Target, step: Step, why: str, *, over: bool) -> None:
        if over:
            self._end(order, target, step, why)
            return
        looked = self._looked[target.id] = self._looked.get(target.id, 0) + 1
        nap = NAPS[looked - 1] if looked <= len(NAPS) else min(NAPS[-1] * 2 ** (looked - len(NAPS)), LONGEST_NAP)
        if isinstance(self._verdicts.get(target.id), Accepted):
            nap = min(nap, NAPS[-1])
        self._postpone(target, self.clock() + nap, why)

    def _end(self, order: Takedown, target: Target, step: Step, why: str) -> None:
        """Write the outcome down, for ever or until a later look."""
        now = self.clock()
        with self.database.transaction() as tx:
            ended = takedowns.move(tx, target, step, why=why[:WHY_LENGTH], now=now)
            fate.ends(tx, ended, now=now)
            facts = {**self._about(order, ended), "state": ended.state, "why": ended.why, "acts": ended.acts}
            journal.append(tx, "taken down", who=WHO, now=now, **facts, bundle=ended.evidence, grade=ended.grade)
            if ended.acts or ended.state == TargetState.GONE:
                takedowns.want_looks(tx, ended.id, [now + later for later in LOOKS_AGAIN])
        failpoint("takedown.ended")
        future = self._snapshots.pop(ended.id, None)
        self.after(ended, None if future is None else future.result())

    def _postpone(self, target: Target, at: int, why: str) -> None:
        with self.database.transaction() as tx:
            takedowns.postpone(tx, target.id, due_at=at, why=why[:WHY_LENGTH])

    def _presence(self, target: Target) -> Presence:
        try:
            with recording.record(self._keeper(target), until=time.monotonic() + self.terms.within):
                return self.emergency.adapter.presence(_ref(target))
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody can say where the post is)
            log.info("not read back", target=target.id, said=type(error).__name__)
            return Presence.UNKNOWN

    def _who(self) -> ownership.Who | None:
        try:
            with recording.record(_nobody, until=time.monotonic() + self.terms.within):
                return self.emergency.adapter.whoami()
        except Exception as error:  # noqa: BLE001 (as above)
            log.info("not asked who we are", account=self.account.name, said=type(error).__name__)
            return None

    def _keeper(self, target: Target) -> Callable[[Exchange], None]:
        """Writes exchanges of the act and of the reading back into the target's bundle, after its first seal."""
        future = self._snapshots.get(target.id)
        snapshot = future.result() if future is not None else None

        def keep(exchange: Exchange) -> None:
            if snapshot is not None and snapshot.seal is not None:
                with snapshot.lock:
                    snapshot.bundle.exchange(exchange)

        return keep

    def _about(self, order: Takedown, target: Target) -> dict[str, object]:
        """What every line of the journal about a target says."""
        about: dict[str, object] = {
            "incident": order.incident, "takedown": order.id, "target": target.id, "account": target.account,
            "platform_id": target.platform_id, "url": target.url, "part": target.part,
        }  # fmt: skip
        return about if target.post is None else {**about, "post": target.post}


def _ref(target: Target) -> PostRef:
    return PostRef(id=target.platform_id, url=target.url)


def _nobody(_: Exchange) -> None:
    """Nobody keeps it."""
