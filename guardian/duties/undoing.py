"""Undoing a takedown where the act can be reversed: the post is shown again, or a limit lifted. Called by API threads.

It publishes, so it needs the fence like any post: while frozen it is refused, here in words and at the gate in deed.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from guardian.duties.acting import shown
from guardian.duties.outcomes import about, ref_of
from guardian.errors import Doubt, Illegal, Refusal
from guardian.fence import passage
from guardian.gate import intents
from guardian.gate.verdicts import Accepted, Stopped, verdict
from guardian.model import Presence
from guardian.rules.takedown import Step, TargetState
from guardian.store import journal, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.config.in_force import InForce
    from guardian.fence.house import House
    from guardian.gate.accounts import Emergency
    from guardian.model import Account, Target
    from guardian.store.database import Database

REVERSIBLE = (TargetState.HIDDEN, TargetState.KEPT)  # of a post that was hidden; of one that a limit was laid on
LIFTED = "the limit was lifted again"
FROZEN_FIX = 'lift the freeze first: guardian thaw --reason "..."'


class Undoing:
    """Shows again what was hidden, and lifts limits."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        house: House,
        desk: Callable[[Account], Emergency],
        clock: Callable[[], int],
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.house = house
        self.desk = desk
        self.clock = clock
        self._lock = threading.Lock()  # whoever comes second finds it undone

    def undo(self, target_id: str, *, reason: str, who: str) -> Presence:
        """Reverse one act; what the platform shows then.

        Raises Unfound, Illegal (nothing to reverse), Refusal (frozen, or the platform said no), Doubt (nobody knows).
        """
        with self._lock:
            return self._undo(target_id, reason=reason, who=who)

    def _undo(self, target_id: str, *, reason: str, who: str) -> Presence:
        with self.database.reading() as tx:
            target = takedowns.target(tx, target_id)
            order = takedowns.get(tx, target.takedown)
        account = self._account(target)
        if target.state != REVERSIBLE[order.decision.is_limit] or target.undo is None:
            raise Illegal(
                f"cannot undo {target_id}, because it is {target.state.replace('_', ' ')}: nothing can reverse that",
                fix="publish the post anew, if it is to be seen again",
            )
        what = "lifting a limit" if order.decision.is_limit else "showing a post again"
        try:
            ticket = passage.look(self.house, account.scopes)
        except passage.Stopped as stopped:
            raise Refusal(f"cannot undo it, because {what} is publishing, and {stopped}", fix=FROZEN_FIX) from None
        with self.database.transaction() as tx:
            journal.append(tx, "undoing", who=who, now=self.clock(), **about(order, target), reason=reason)
        desk = self.desk(account)
        intent = intents.managing(account, ticket)
        with intents.declare(intent), contextlib.suppress(Exception):  # libraries disguise; the receipt decides
            desk.adapter.undo(ref_of(target), target.undo)
        found = verdict(intent.receipt)
        presence = shown(desk.adapter, order.decision, ref_of(target))
        act = desk.maker.abilities.act(order.decision)
        told = isinstance(found, Accepted) or act is None or act.seen  # else only its answer says that it was done
        undone = presence is Presence.THERE and told
        with self.database.transaction() as tx:
            facts = {**about(order, target), "presence": presence, "why": getattr(found, "why", ""), "reason": reason}
            journal.append(tx, "undone" if undone else "not undone", who=who, now=self.clock(), **facts)
            if undone:
                lifted = order.decision.is_limit
                takedowns.move(tx, target, Step.UNDO, why=LIFTED if lifted else "shown again", now=self.clock())
                if lifted:
                    takedowns.forget_undo(tx, target.id)
        if isinstance(found, Stopped):
            raise Refusal(f"cannot undo it, because {found.why}", fix=FROZEN_FIX)
        if not undone:
            why = getattr(found, "why", "") or f"the platform shows it {presence}"
            family = Doubt if isinstance(found, Accepted) else Refusal
            raise family(f"cannot say that it is undone, because {why}", fix="look at the post itself, then try again")
        return presence

    def _account(self, target: Target) -> Account:
        for account in self.in_force.settings.accounts:
            if account.name == target.account:
                return account
        raise Illegal(f"cannot undo {target.id}, because {target.account} is not configured", fix="configure it")
