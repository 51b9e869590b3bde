"""Publishing one post, or one part of a thread: look, claim, hand over its pictures, intend, send, settle.

Called by the account's lane thread only.

The fence is looked at *before* the claim, and its epochs travel with the claim: a freeze and a thaw in between leave a
permit of another epoch behind, and the gate refuses. From the commit of the intent on, only the receipt decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from guardian.adapter import Kind
from guardian.beyond import Inquiring
from guardian.duties import publication
from guardian.duties.uploading import Barred, Handed, Later, Unfit
from guardian.errors import TokenRefused
from guardian.failpoint import failpoint
from guardian.fence import passage
from guardian.gate import recording
from guardian.gate.intents import Intent, declare
from guardian.gate.verdicts import Accepted, NotSent, Rejected, Shut, Stopped, Throttled, Uncertain, verdict
from guardian.model import Event
from guardian.store import attempts, freezes, journal, posts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.adapter import Adapter
    from guardian.duties.uploading import NotHanded, Uploading
    from guardian.fence.house import House
    from guardian.fence.passage import Pass
    from guardian.gate.verdicts import Verdict
    from guardian.model import Account, Exchange, Limits, Post, PostRef, Problem
    from guardian.store.database import Database, Tx

UNAUTHORISED = 401
WHO = "guardian"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing of this account may be sent now."""


@dataclass(frozen=True, slots=True)
class Held:
    """The fence said no; the post is back in the queue."""

    why: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The post has an outcome for now: published, refused, blocked or unknown."""

    post: Post


@dataclass(frozen=True, slots=True)
class Again:
    """Surely nothing was made; the post is back in the queue, to be tried again `after` seconds (None: as we like).

    `token_refused`, or `shut` in the platform's words: nothing of this account will be made until a person has acted.
    """

    why: str
    after: float | None
    token_refused: bool = False
    shut: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The post is back in the queue until its pictures are there and fit to be shown; look again after so many ms."""

    after: int


Outcome = Idle | Held | Settled | Again | Waiting


@dataclass(frozen=True, slots=True)
class _Intended:
    """What is about to be sent, as it is written down."""

    attempt: str
    key: str
    uploads: tuple[str, ...]
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class _Answered:
    """What came back: the post, or what kind of error; and the exchange as the gate saw it."""

    ref: PostRef | None
    said: str
    exchange: Exchange | None


class Publishing:
    """How one account's posts leave the house."""

    def __init__(
        self,
        *,
        account: Account,
        adapter: Adapter,
        database: Database,
        house: House,
        uploading: Uploading,
        late_after: int,
        clock: Callable[[], int],
        clock_is_right: Callable[[], bool] = lambda: True,
    ) -> None:
        self.account = account
        self.adapter = adapter
        self.uploading = uploading
        self.database = database
        self.house = house
        self.late_after = late_after
        self.clock = clock
        self.clock_is_right = clock_is_right
        self._strange = ""
        self.limits: Limits | None = None

    def send_next(self) -> Outcome:
        """Send the next due post, if there is one and nothing forbids it."""
        try:
            ticket = passage.look(self.house, self.account.scopes)
        except passage.Stopped as stopped:
            return Held(str(stopped))
        now = self.clock()  # before the question: a clock that is set right after it changes nothing
        if not self.clock_is_right():
            return Idle()
        with self.database.transaction(shared=True) as tx:
            strange = self._of_another_epoch(tx, ticket)
            post = None if strange else posts.claim(tx, self.account.name, now=now, late_after=self.late_after)
        if strange:
            return Held(strange)
        if post is None:
            return Idle()
        failpoint("lane.claimed")
        prepared = self._prepare(post)
        if not isinstance(prepared, _Intended):
            return prepared
        return self._send(post, prepared, ticket)

    def _send(self, post: Post, intended: _Intended, ticket: Pass) -> Outcome:
        """From here bytes may leave; the receipt says whether they did."""
        failpoint("lane.intended")
        intent = Intent(Kind.PUBLISH, self.account.name, ticket)
        ref, said = None, ""
        exchanges: list[Exchange] = []
        with declare(intent) as receipt, recording.record(exchanges.append):
            try:
                ref = self.adapter.publish(
                    post.due_part, intended.key, uploads=intended.uploads, reply_to=intended.reply_to
                )
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                said = type(error).__name__
        failpoint("lane.sent")
        answer = exchanges[-1] if exchanges else None
        outcome = self._settle(post, intended.attempt, verdict(receipt), _Answered(ref, said, answer))
        if isinstance(outcome, Settled):
            self.uploading.forget(post)
        failpoint("lane.settled")
        return outcome

    def _of_another_epoch(self, tx: Tx, ticket: Pass) -> str:
        """Where books and fence disagree the house stays closed: a permit that no arming of ours wrote is none."""
        found = [scope for scope, epoch in ticket.epochs if freezes.epoch(tx, scope) != epoch]
        why = f"the books know no such epoch of {', '.join(found)} as its permit names" if found else ""
        if why and why != self._strange:
            log.error("held", account=self.account.name, why=why, fix="freeze and thaw it")
        self._strange = why
        return why

    def _prepare(self, post: Post) -> _Intended | Outcome:
        """Check the post, hand over its pictures, commit the intent; or block it. On error it goes back."""
        try:
            problems = self._problems(post)
            if problems:
                return self._block(post, problems)
            handed = self.uploading.hand_over(post)
            return self._intend(post, handed.ids) if isinstance(handed, Handed) else self._not_handed(post, handed)
        except Exception as error:
            self._put_back(post, f"not sent: {type(error).__name__}")
            raise

    def _problems(self, post: Post) -> Sequence[Problem]:
        """What the platform would refuse: of a thread in any of its parts, before the first of them is out."""
        self.limits = limits = self.limits or self.adapter.limits()
        parts = post.parts[post.live :]
        if isinstance(self.adapter, Inquiring):
            for part in parts:
                self.adapter.inquire(part)
        return [problem for part in parts for problem in self.adapter.check(part, limits)]

    def _not_handed(self, post: Post, handed: NotHanded) -> Outcome:
        """Nothing was published: the post waits in the queue, or a person has to look at its pictures."""
        if isinstance(handed, Unfit):
            return self._block(post, [handed.problem])
        self._put_back(post, handed.why)
        if isinstance(handed, Barred):
            return Held(handed.why)
        if isinstance(handed, Later):
            return Again(handed.why, handed.after, token_refused=handed.token_refused, shut=handed.shut)
        return Waiting(handed.after)

    def _put_back(self, post: Post, why: str) -> None:
        with self.database.transaction(shared=True) as tx:
            posts.move(tx, post.id, Event.UNCLAIM, now=self.clock(), why=why)

    def _block(self, post: Post, problems: Sequence[Problem]) -> Settled:
        why = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        now = self.clock()
        with self.database.transaction(shared=True) as tx:
            blocked = posts.move(tx, post.id, Event.BLOCK, now=now, why=why)
            journal.append(tx, "blocked", who=WHO, now=now, post=post.id, account=post.account, why=why)
        return Settled(blocked)

    def _intend(self, post: Post, uploads: tuple[str, ...]) -> _Intended | Outcome:
        """Commit the intent. After this, a crash makes the post unknown, never sent again unasked.

        Its time is where a lost post is looked for from on. So the clock is asked for again, after what may have been
        minutes of uploading: by one that was set ahead meanwhile, what is live would look absent, and be sent again.
        """
        now = self.clock()  # before the question, as above
        if not self.clock_is_right():
            self._put_back(post, "not sent: the clock is in doubt")
            return Idle()
        with self.database.transaction(shared=True) as tx:
            key = posts.key_of(post, twins=attempts.twins_answered(tx, post))
            attempt = attempts.begin(tx, post, key=key, now=now)
            reply_to = posts.parent(tx, post)
            posts.move(tx, post.id, Event.INTEND, now=now)
        return _Intended(attempt, key, uploads, reply_to)

    def _settle(self, post: Post, attempt: str, found: Verdict, answered: _Answered) -> Outcome:
        """Write down what the receipt proves, in one transaction."""
        ref = answered.ref
        if isinstance(found, NotSent) and answered.said == TokenRefused.__name__:  # it had to log in first
            found = Rejected("the platform takes what we log in with no more", UNAUTHORISED)
        if isinstance(found, Accepted) and ref is None:
            found = Uncertain(f"the platform answered {found.status}, but not with a post ({answered.said})")
        now = self.clock()
        with self.database.transaction(shared=True) as tx:
            if isinstance(found, Accepted) and ref is not None:
                if attempts.is_known(tx, self.account.name, ref.id):
                    return self._twin(tx, post, attempt, ref, now)
                record = publication.keep(tx, post, self.account, ref, exchange=answered.exchange, now=now)
                return Settled(landed(tx, post, attempt, ref, record=record, now=now))
            if isinstance(found, Uncertain):
                return Settled(self._close(tx, post, attempt, Event.LOSE, found.why, now))
            if isinstance(found, Rejected) and found.status != UNAUTHORISED and not isinstance(found, Shut):
                return Settled(self._close(tx, post, attempt, Event.REFUSE, found.why, now))
            return self._unsent(tx, post, attempt, found, now)

    def _twin(self, tx: Tx, post: Post, attempt: str, ref: PostRef, now: int) -> Again:
        """The platform has made nothing new: it knows the key, from a post that was found in the place of another.

        So two posts with the same words, both lost, of which one arrived; the other is sent now, under a new key.
        """
        why = f"twin of {ref.id}: the platform answered with a post that is accounted for"
        self._close(tx, post, attempt, Event.UNSENT, why, now)
        return Again(why, None)

    def _unsent(self, tx: Tx, post: Post, attempt: str, found: Verdict, now: int) -> Outcome:
        why = getattr(found, "why", "")
        self._close(tx, post, attempt, Event.UNSENT, why, now)
        if isinstance(found, Stopped):
            return Held(why)
        if isinstance(found, Shut):
            return Again(why, None, shut=why)
        after = found.after if isinstance(found, Throttled) else None
        return Again(why, after, token_refused=not isinstance(found, Throttled | NotSent))

    @staticmethod
    def _close(tx: Tx, post: Post, attempt: str, event: Event, why: str, now: int) -> Post:
        outcome = {Event.LOSE: "unknown", Event.REFUSE: "refused", Event.UNSENT: "unsent"}[event]
        attempts.end(tx, attempt, outcome=outcome, detail=why, now=now)
        moved = posts.move(tx, post.id, event, now=now, why=why)
        if event is not Event.UNSENT:
            journal.append(tx, outcome, who=WHO, now=now, post=post.id, account=post.account, why=why)
        return moved


def landed(tx: Tx, post: Post, attempt: str, ref: PostRef, *, record: str, now: int, found: bool = False) -> Post:
    """The part that was due is live: by the platform's answer, or `found` when it was asked afterwards.

    `record` is the hash of what we keep of it.
    """
    if found:
        attempts.resolve(tx, attempt, outcome="landed", detail=f"found as {ref.id}")
    else:
        attempts.end(tx, attempt, outcome="landed", detail=ref.id, now=now)
    live = posts.land(tx, post.id, platform_id=ref.id, url=ref.url, now=now)
    facts = {"post": post.id, "account": post.account, "platform_id": ref.id, "url": ref.url, "found": found}
    facts["record"] = record
    thread = {"part": live.live, "parts": len(live.parts)} if live.tail else {}
    journal.append(tx, "published", who=WHO, now=now, **facts, **thread)
    return live
