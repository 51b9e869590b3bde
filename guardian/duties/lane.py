"""A lane: one account's order and pace. Its `poll` is called by one thread, and says when it wants to be called again.

Retries are tenacity's, and only for what surely was not made: no connection, or a 429, until the time that the platform
stated. Every wait ends at once when `halt` is set (a freeze, the end of the daemon).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    sleep_using_event,
    stop_after_attempt,
    stop_any,
    stop_when_event_set,
    wait_exponential_jitter,
)

from guardian.duties import recover
from guardian.duties.publish import Again, Held, Idle, Outcome, Waiting
from guardian.duties.tally import UNCOUNTED
from guardian.errors import PlatformRefusal, TokenRefused, WrongIdentity
from guardian.rules import timing
from guardian.store import attempts, posts

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from guardian.duties.publish import Publishing
    from guardian.duties.reconcile import Reconciling
    from guardian.duties.tally import Tally

TRIES = 5
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
AFTER_TRIES = 30_000
LONGEST_REST = 20 * 60_000  # a platform is believed for 15 minutes at the most
AFTER_NO_NAME = 30_000
AFTER_HELD = 250
AFTER_DOUBT = 1_000
NOT_ASKED = "not asked yet"  # the trouble of a lane that had nothing to send since the start
log = structlog.get_logger()


class Lane:
    """One account on its way out: reconcile first, then the next due post, never two at a time."""

    def __init__(
        self,
        publishing: Publishing,
        reconciling: Reconciling,
        *,
        gap: int,
        halt: threading.Event,
        on_held: Callable[[], None],
        tally: Tally = UNCOUNTED,
        before: Lane | None = None,
    ) -> None:
        self.publishing = publishing
        self.reconciling = reconciling
        self.gap = gap
        self.halt = halt
        self.on_held = on_held
        self.tally = tally
        self.account = publishing.account
        self.trouble: str | None = NOT_ASKED
        self.disowned = False  # the platform has said that this token is not ours to post with
        self._ask_at = 0
        self._rest_until = 0
        self._before = before
        self._leaving = False
        self._broken = True  # whoever had this account before may have left something half done
        self._wait = wait_exponential_jitter(initial=FIRST_WAIT, max=LONGEST_WAIT)

    def poll(self, now: int) -> int | None:
        """Do what is due; the next wake-up, or None to sleep until woken."""
        self.halt.clear()  # here and nowhere later: a halt that comes while the platform is asked must end this poll
        if self._leaving:
            return None
        if self._before is not None:
            self._take_over(self._before)
        if self._broken:
            recover.tidy(self.publishing.database, self.account.name, now=now)
        self._broken = True  # until this poll has come to its end
        if self.trouble is not None and not now < self._ask_at <= now + AFTER_NO_NAME:
            self._ask_who_we_are(now)
        look = self._poll_looking(now)
        send = self._poll_sending(now)
        self._broken = False
        again = None if self.trouble is None else self._ask_at
        return min((at for at in (look, send, again) if at is not None), default=None)

    def leave(self) -> None:
        """Any thread: finish what is being sent, and begin nothing more. The loop that polls is ended beside it."""
        self._leaving = True  # before the halt: a poll that clears the halt looks at this afterwards
        self.halt.set()

    def _take_over(self, before: Lane) -> None:
        """Go on where the lane before, which has ended, left off: how long to rest, and what is known of us.

        Not where token, identity or address have changed: then nothing of it counts any more.
        """
        self._before = None
        if before._before is not None:  # it was sent away before it had begun
            before._take_over(before._before)
        if self.account is before.account:
            self._rest_until, self._ask_at = before._rest_until, before._ask_at
            self.trouble, self.disowned = before.trouble, before.disowned
            self.publishing.limits = before.publishing.limits

    def _poll_looking(self, now: int) -> int | None:
        """Look for lost posts, but never before the platform has said who we are.

        With another account's token every post looks absent, and would be sent again. Nor while the clock is in
        doubt: it says from when on to look.
        """
        if not self.publishing.clock_is_right():
            return now + AFTER_DOUBT
        if self.trouble is not None:
            return None
        return self.reconciling.poll(now)

    def _poll_sending(self, now: int) -> int | None:
        start = self._start(now)
        if start is None or start > now:
            return start
        if self.trouble is not None:
            return None
        outcome = self._send_with_patience()
        if isinstance(outcome, Held):
            self.on_held()
            return now + AFTER_HELD
        if isinstance(outcome, Waiting):
            return now + outcome.after
        if isinstance(outcome, Idle):
            following = self._start(now)
            return None if following is None else max(following, now + AFTER_HELD)
        return self._rest_until if isinstance(outcome, Again) else now

    def _start(self, now: int) -> int | None:
        """The earliest moment at which the next post may leave; None when there is none."""
        with self.publishing.database.reading() as tx:
            due = posts.next_due(tx, self.account.name, now=now, late_after=self.publishing.late_after)
            last = attempts.last_sent(tx, self.account.name, now=now)
            if posts.is_started(tx, self.account.name, now=now, late_after=self.publishing.late_after):
                last = None  # the gap lies between posts: a thread is one
        if due is None:
            return None
        rest = self._rest_until if self._rest_until - now <= LONGEST_REST else 0  # else the clock has gone back
        return max(due, timing.next_send(last_sent=last, gap=self.gap), rest)

    def _send_with_patience(self) -> Outcome:
        """Send the next post; what surely was not made is tried again, a few times, with growing waits."""
        retrying = Retrying(
            retry=retry_if_result(lambda outcome: isinstance(outcome, Again) and not _is_over(outcome)),
            wait=self._how_long,
            stop=stop_any(stop_after_attempt(TRIES), stop_when_event_set(self.halt)),
            sleep=sleep_using_event(self.halt),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else Idle(),
        )
        outcome: Outcome = retrying(self._send_unless_halted)
        if isinstance(outcome, Again):
            self._note_trouble(outcome)
        return outcome

    def _send_unless_halted(self) -> Outcome:
        """A wait that was cut short is no reason to send before the platform's stated time: the next poll decides."""
        if self.halt.is_set():
            return Idle()
        began, outcome = self.publishing.clock(), self.publishing.send_next()  # in this order
        self.tally.sent(self.account.name, outcome, began=began)
        return outcome

    def _how_long(self, state: RetryCallState) -> float:
        """Until the platform's stated time; else longer and longer, with jitter.

        Also kept for a wait that is cut short.
        """
        outcome = state.outcome.result() if state.outcome else None
        stated = outcome.after if isinstance(outcome, Again) else None
        seconds = float(self._wait(state)) if stated is None else stated
        why = outcome.why if isinstance(outcome, Again) else ""
        log.warning("waits", account=self.account.name, seconds=round(seconds, 1), why=why)
        self._rest_until = self.publishing.clock() + round(seconds * 1000)
        return seconds

    def _note_trouble(self, outcome: Again) -> None:
        self._rest_until = max(self._rest_until, self.publishing.clock() + (0 if self.halt.is_set() else AFTER_TRIES))
        if outcome.token_refused:
            self.trouble, self.disowned = "the platform refuses the token", True
            self._ask_at = self.publishing.clock() + AFTER_NO_NAME
            log.error("token refused", account=self.account.name)
        elif outcome.shut:
            self.trouble = outcome.shut
            self._ask_at = self.publishing.clock() + AFTER_NO_NAME
            log.error("shut", account=self.account.name, why=outcome.shut)

    def _ask_who_we_are(self, now: int) -> None:
        """Once per life before anything is sent, and at its beginning, so that a wrong token is known in time."""
        self._ask_at = now + AFTER_NO_NAME
        try:
            found = self.publishing.adapter.whoami()
            if found.handle.lower() != self.account.identity.lower():
                raise WrongIdentity(  # noqa: TRY301 (both kinds of trouble end in the same place)
                    f"cannot publish as {self.account.identity}, because the token belongs to {found.handle}",
                    fix=f"correct identity or token of {self.account.name}",
                )
            self.publishing.limits = self.publishing.adapter.limits()
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing is sent until it is over)
            self.disowned = isinstance(error, WrongIdentity | TokenRefused)
            plain = self.disowned or isinstance(error, PlatformRefusal)
            self.trouble = str(error) if plain else f"cannot ask who we are: {error}"
            log.warning("not verified", account=self.account.name, why=self.trouble)
            return
        self.trouble, self.disowned = None, False
        log.info("verified", account=self.account.name, identity=found.handle)


def _is_over(outcome: Again) -> bool:
    """Whether nothing will come of another try until a person has acted."""
    return outcome.token_refused or bool(outcome.shut)
