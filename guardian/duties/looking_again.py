"""Looking again at what was taken down: after a minute, an hour, 25 hours, a week. Called by the loop `looks` alone.

Deletions are undone, restored from backups, come back with a cache: *gone* is a word about one moment, and each look
makes it one about another, written into the journal and sealed into the bundle. 25 hours, because a platform keeps the
files of a deleted post for a day.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import structlog

from guardian.duties import fate, outside_view
from guardian.duties.acting import shown
from guardian.duties.outcomes import WHO, about, ref_of
from guardian.errors import GuardianError, Illegal
from guardian.evidence import canonical
from guardian.gate import recording
from guardian.model import Presence
from guardian.rules.takedown import found
from guardian.store import journal, stamps, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.outside_view import View
    from guardian.duties.shelf import Shelf
    from guardian.evidence.bundle import Seal
    from guardian.gate.accounts import Emergency
    from guardian.model import Account, Exchange, Takedown, Target
    from guardian.store.database import Tx

WITHIN = 15.0
AT_A_TIME = 20
log = structlog.get_logger()


class LookingAgain:
    """Makes the looks that are due."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        in_force: InForce,
        desk: Callable[[Account], Emergency],
        clock: Callable[[], int],
    ) -> None:
        self.shelf = shelf
        self.database = shelf.database
        self.in_force = in_force
        self.desk = desk
        self.clock = clock

    def poll(self, now: int) -> int | None:
        """Make them; when the next one is due."""
        with self.database.reading() as tx:
            due = takedowns.looks_due(tx, now=now, limit=AT_A_TIME)
        for look in due:
            self._look(look)
        with self.database.reading() as tx:
            return takedowns.next_look(tx)

    def _look(self, look: Any) -> None:  # noqa: ANN401 (a row of the database)
        with self.database.reading() as tx:
            target = takedowns.target(tx, look["target"])
            order = takedowns.get(tx, target.takedown)
        account = next((one for one in self.in_force.settings.accounts if one.name == target.account), None)
        exchanges: list[Exchange] = []
        presence = Presence.UNKNOWN
        views: list[View] = []
        if account is not None:
            desk = self.desk(account)
            presence = _presence(desk, order, target, exchanges)
            act = desk.maker.abilities.act(order.decision)
            if presence is Presence.THERE and act is not None and not act.seen:
                presence = Presence.UNKNOWN  # it shows nobody whether it is hidden
            views = outside_view.look(desk.public, target.url, (), within=WITHIN, keep=exchanges.append)
        self._write(look, order, target, presence, views, exchanges)

    def _write(
        self, look: Any, order: Takedown, target: Target, presence: Presence, views: Sequence[View],  # noqa: ANN401 (a row)
        exchanges: Sequence[Exchange],
    ) -> None:  # fmt: skip
        now = self.clock()
        seal = self._into_the_bundle(look, target, presence, views, exchanges, now)
        seen = [{"what": one.what, "status": one.status, "verdict": one.verdict} for one in views]
        with self.database.transaction() as tx:
            takedowns.look_done(tx, look, presence=presence, why="", now=now)
            facts: dict[str, object] = {"check": look["nr"], "presence": presence, "views": seen}
            if seal is not None and target.evidence is not None:
                self.shelf.note_seal(tx, target.evidence, seal, who=WHO, now=now, **about(order, target))
                stamps.want(tx, target.evidence, seal.n, self.in_force.settings.evidence.authorities, now=now)
                facts |= {"bundle": target.evidence, "seal": seal.n, "sha256": seal.sha256}
            journal.append(tx, "looked again", who=WHO, now=now, **about(order, target), **facts)
            self._move(tx, order, target, presence, now)

    @staticmethod
    def _move(tx: Tx, order: Takedown, target: Target, presence: Presence, now: int) -> None:
        """What the look shows may change where the target is: it came back, or is gone at last."""
        lifted = order.decision.is_limit and target.undo is None
        if presence is Presence.UNKNOWN or (lifted and presence is not Presence.GONE):
            return
        try:
            moved = takedowns.move(tx, target, found(presence, order.decision), why="", now=now)
        except Illegal:  # it is where it was
            return
        if moved.state != target.state:
            fate.ends(tx, moved, now=now)
            facts = {**about(order, moved), "state": moved.state, "why": "a later look shows it", "acts": moved.acts}
            journal.append(tx, "taken down", who=WHO, now=now, **facts, bundle=moved.evidence, grade=moved.grade)

    def _into_the_bundle(
        self, look: Any, target: Target, presence: Presence, views: Sequence[View], exchanges: Sequence[Exchange],  # noqa: ANN401 (a row)
        now: int,
    ) -> Seal | None:  # fmt: skip
        """One more phase of it. A bundle that is gone (purged), or a disk that is full, is no reason not to look."""
        if target.evidence is None:
            return None
        try:
            with self.shelf.opened(target.evidence) as bundle:
                for exchange in exchanges:
                    bundle.exchange(exchange)
                line = {"at_ms": now, "check": look["nr"], "presence": presence}
                bundle.append("checks.jsonl", canonical.written(line))
                for view in views:
                    bundle.append("checks.jsonl", canonical.written({"at_ms": now, **asdict(view)}))
                key = self.shelf.key()
                return bundle.seal(key.signer, at=now, allowed=key.allowed)
        except GuardianError as error:
            log.warning("a look is not in its bundle", bundle=target.evidence, why=str(error))
            return None


def _presence(desk: Emergency, order: Takedown, target: Target, exchanges: list[Exchange]) -> Presence:
    try:
        with recording.record(exchanges.append, until=time.monotonic() + WITHIN):
            return shown(desk.adapter, order.decision, ref_of(target))
    except Exception as error:  # noqa: BLE001 (whatever it is, nobody can say where the post is)
        log.info("not looked again", target=target.id, said=type(error).__name__)
        return Presence.UNKNOWN
