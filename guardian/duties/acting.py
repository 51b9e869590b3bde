"""Deleting, hiding or limiting one post, and reading back whether that is true. For an account's takedown thread only.

Nothing is concluded from what the platform answered to the request itself: a 200 is believed when reading back shows
it, and what is no plain word of the platform (401, 429, a 5xx, a login page) is *unknown*, never *gone*. Another
request leaves only if the post is surely still there and the last one surely did nothing.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from guardian.beyond import Limiting, Overwriting
from guardian.duties import allowance, fate
from guardian.duties.outcomes import WHY_LENGTH, about, ref_of
from guardian.errors import GuardianError, Refusal
from guardian.failpoint import failpoint
from guardian.gate import intents, recording
from guardian.gate.verdicts import Accepted, NotFound, NotSent, Rejected, Throttled, verdict_of_retract
from guardian.model import Decision, Presence
from guardian.rules.takedown import Step, TargetState, found
from guardian.store import journal, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guardian.adapter import Adapter, Answer, Look, Undoing
    from guardian.duties.outcomes import Outcomes
    from guardian.duties.snapshot import Snapshot
    from guardian.gate.accounts import Emergency
    from guardian.gate.verdicts import Retraction
    from guardian.model import Account, Exchange, PostRef, Takedown, Target
    from guardian.store.database import Database

READ_BACK = 10_000  # ms after the request
NAPS = (250, 500, 1_000, 2_000)  # between two readings
LONGEST_NAP = 60_000
OF_AN_EDIT = ("status", "source")  # the looks without which nobody knows what an edit would lose
MOST_ACTS = 3  # where nothing comes of them; one more where each has a request before it
PATIENCE = 60 * 60_000  # how long a platform that cannot be reached is tried
USUAL_REST = 60.0  # seconds, where a platform says *not now* and not until when
FULL = "the platform takes no more deletions before then"
UNSEEN = "the platform has answered that it is done; it shows nobody whether it is"
DONE_BUT_THERE = "the platform said that it is done, and it does not show"
IN_FORCE = "the post stays, and the limit is in force"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How takedowns are done: limits in seconds, how many replies of others are kept, how long (ms) a bundle is."""

    within: float
    replies: int
    keep: int | None
    authorities: tuple[str, ...] = ()  # who is asked to stamp the seals, later


class Acting:
    """One account's acts."""

    def __init__(
        self,
        *,
        account: Account,
        emergency: Emergency,
        database: Database,
        outcomes: Outcomes,
        terms: Terms,
        clock: Callable[[], int],
    ) -> None:
        self.account = account
        self.emergency = emergency
        self.database = database
        self.outcomes = outcomes
        self.terms = terms
        self.clock = clock
        self._verdicts: dict[str, Retraction] = {}
        self._notes: dict[str, str] = {}  # what a person should read beside the outcome
        self._looked: dict[str, int] = {}
        self._rest_until = 0

    def attempt(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> None:
        """Act as soon as the platform takes it, or say why that cannot be done here."""
        at = self._turn(target)
        if at > self.clock():
            self.outcomes.postpone(target, at, FULL)
            return
        try:
            undoing = self._prepared(order, target, self._answers(order, target, snapshot))
        except Refusal as refusal:
            step = Step.FOUND_THERE if target.state == TargetState.ACTING else Step.REFUSE
            self.outcomes.end(order, target, step, str(refusal), snapshot=snapshot)
            return
        self._notes[target.id] = undoing.note
        if undoing.ahead is not None:
            target, went = self._request(order, target, undoing.ahead, snapshot)
            self._notes[target.id] = _went_ahead(undoing.ahead, went)
        target, verdict = self._request(order, target, undoing, snapshot)
        self._verdicts[target.id] = verdict
        if isinstance(verdict, Throttled):
            after = verdict.after if verdict.after is not None else USUAL_REST
            self._rest_until = self.clock() + round(1000 * after)
            self.outcomes.postpone(target, self._rest_until, verdict.why)
            return
        self.look(order, target, snapshot)

    def _prepared(self, order: Takedown, target: Target, answers: Mapping[str, Answer]) -> Undoing:
        """What the act will say, by the adapter. Raises Refusal."""
        adapter = self.emergency.adapter
        if not order.overwrite:
            return adapter.prepare(order.decision, ref_of(target), answers)
        if isinstance(adapter, Overwriting):
            return adapter.prepare_overwriting(ref_of(target), answers)
        undoing = adapter.prepare(order.decision, ref_of(target), answers)
        return replace(undoing, note=f"{self.account.platform} cannot overwrite a post: it was deleted as it was")

    def _request(
        self, order: Takedown, target: Target, undoing: Undoing, snapshot: Snapshot | None
    ) -> tuple[Target, Retraction]:
        """One request, after it is written down that it may leave. The target as it is then, and what came of it."""
        now, note = self.clock(), self._notes[target.id]
        facts = about(order, target)
        with self.database.transaction() as tx:
            if not order.decision.is_limit:  # a post under a limit is as live as before
                fate.begins(tx, target, by=order.by, now=now)
            takedowns.intend(tx, target, undo=undoing.undo, now=now)
            target = takedowns.move(tx, target, Step.ACT, why=note, now=now)
            facts |= {"act": undoing.request or order.decision, "policy": order.capture, "grade": target.grade}
            facts |= {"try": target.acts} | ({"note": note} if note else {})
            journal.append(tx, "takedown acting", who=order.by, now=now, **facts)
        failpoint("takedown.intended")
        said = ""
        intent = intents.retracting(self.account, target.platform_id, undoing.says)
        with intents.declare(intent) as receipt, recording.record(_keeper(snapshot)) as told:
            try:
                self.emergency.adapter.retract(order.decision, ref_of(target), undoing)
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                said = str(error) if isinstance(error, GuardianError) else ""
                log.info("retracting", target=target.id, said=type(error).__name__)
        failpoint("takedown.acted")
        if told.lost and snapshot is not None:
            snapshot.facts.notes.append(f"the act is not in the archive: {told.lost[0]}"[:WHY_LENGTH])
        verdict = verdict_of_retract(receipt)
        if said and receipt.retracting is None:
            verdict = NotSent(said)  # it had to log in first, and could not: in words that say what to do
        return target, verdict

    def look(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> None:
        """Read back, and end it; or look again; or act again."""
        presence = self.presence(order.decision, target, snapshot)
        failpoint("takedown.looked")
        step, seen = found(presence, order.decision), self._is_seen(order)
        verdict = self._verdicts.get(target.id)
        said = getattr(verdict, "why", "") or ""
        since = self.clock() - (target.acted_at or 0)
        if step in (Step.FOUND_GONE, Step.FOUND_HIDDEN):
            self.outcomes.end(order, target, step, self._notes.get(target.id, ""), snapshot=snapshot)
        elif step is Step.FOUND_LIMITED:
            self.outcomes.end(order, target, step, IN_FORCE, snapshot=snapshot)
        elif not seen and step is Step.FOUND_THERE and isinstance(verdict, Accepted):
            self.outcomes.end(order, target, Step.FOUND_HIDDEN, UNSEEN, snapshot=snapshot)
        elif isinstance(verdict, Rejected):
            self.outcomes.end(order, target, step, said, snapshot=snapshot)
        elif isinstance(verdict, Accepted | NotFound):
            self._look_later(order, target, snapshot, step, DONE_BUT_THERE, over=since >= READ_BACK)
        elif step is Step.FOUND_NOTHING:
            why = said or "nobody can say whether it is gone"
            self._look_later(order, target, snapshot, step, why, over=since >= PATIENCE)
        elif target.acts < MOST_ACTS or isinstance(verdict, Throttled):
            self.attempt(order, target, snapshot)
        else:
            why = said or "it was asked for several times, and is still there"
            self.outcomes.end(order, target, step if seen else Step.FOUND_NOTHING, why, snapshot=snapshot)

    def presence(self, decision: Decision, target: Target, snapshot: Snapshot | None) -> Presence:
        """What the platform shows of it now, for whom that was decided; within the time for a look."""
        try:
            with recording.record(_keeper(snapshot), until=time.monotonic() + self.terms.within):
                return shown(self.emergency.adapter, decision, ref_of(target))
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody can say where the post is)
            log.info("not read back", target=target.id, said=type(error).__name__)
            return Presence.UNKNOWN

    def _answers(self, order: Takedown, target: Target, snapshot: Snapshot | None) -> dict[str, Answer]:
        """What the platform shows of it, for whoever edits it: asked for again where the snapshot does not have it."""
        found = dict(snapshot.answers) if snapshot is not None else {}
        until = time.monotonic() + self.terms.within
        for look in self._needed(order, target):
            if look.name not in found:
                with contextlib.suppress(Exception), recording.record(_keeper(snapshot), until=until):
                    found[look.name] = self.emergency.adapter.fetch(look)
        return found

    def _is_seen(self, order: Takedown) -> bool:
        """Whether the platform shows that such an act was done."""
        act = self.emergency.maker.abilities.act(order.decision)
        return act is None or act.seen

    def _needed(self, order: Takedown, target: Target) -> Sequence[Look]:
        """The looks without which nobody knows what the act would lose, or how it is done."""
        adapter, decision = self.emergency.adapter, order.decision
        if decision.is_limit:
            return adapter.looks_before(decision, ref_of(target)) if isinstance(adapter, Limiting) else ()
        act, edits = self.emergency.maker.abilities.act(decision), decision is Decision.HIDE or order.overwrite
        wanted = OF_AN_EDIT if edits else act.needs if act is not None else ()
        return [look for look in adapter.looks(ref_of(target)) if look.name in wanted] if wanted else ()

    def _turn(self, target: Target) -> int:
        """When this target may be acted on, by the platform's budget and by what it said last."""
        allowed = self.emergency.maker.abilities.budget
        now = self.clock()
        with self.database.reading() as tx:
            waiting = [one.id for one in takedowns.open_of(tx, self.account.name) if one.state != TargetState.ACTING]
        place = waiting.index(target.id) if target.id in waiting else 0
        times = allowance.turns(self.database, self.account.name, allowed, now=now, wanted=place + 1)
        return max(times[-1], self._rest_until)

    def _look_later(
        self, order: Takedown, target: Target, snapshot: Snapshot | None, step: Step, why: str, *, over: bool
    ) -> None:
        """In a moment, each time a longer one; or end, when the time is over."""
        if over:
            self.outcomes.end(order, target, step, why, snapshot=snapshot)
            return
        looked = self._looked[target.id] = self._looked.get(target.id, 0) + 1
        nap = NAPS[looked - 1] if looked <= len(NAPS) else min(NAPS[-1] * 2 ** (looked - len(NAPS)), LONGEST_NAP)
        if isinstance(self._verdicts.get(target.id), Accepted | NotFound):
            nap = min(nap, NAPS[-1])
        self.outcomes.postpone(target, self.clock() + nap, why)


def _went_ahead(ahead: Undoing, verdict: Retraction) -> str:
    """What came of the request before an act. It decides nothing."""
    if isinstance(verdict, Accepted):
        return f"before it, {ahead.request}: the platform said yes"
    why = getattr(verdict, "why", "") or "the platform does not find it"
    return f"before it, {ahead.request}: NOT known to be done, because {why}"[:WHY_LENGTH]


def shown(adapter: Adapter, decision: Decision, ref: PostRef) -> Presence:
    """What the platform shows of a post: of a limit, whether it is in force. Raises what the network raises."""
    if decision.is_limit and isinstance(adapter, Limiting):
        return adapter.limited(decision, ref)
    return adapter.presence(ref)


def _keeper(snapshot: Snapshot | None) -> Callable[[Exchange], None]:
    """Writes exchanges of the act and of the reading back into the bundle, after its first seal."""

    def keep(exchange: Exchange) -> None:
        if snapshot is not None and snapshot.seal is not None:
            with snapshot.writing():
                snapshot.bundle.exchange(exchange)

    return keep
