"""What a freeze does not reach by itself: posts scheduled on the platforms, stragglers, and what others publish.

After every freeze each account that it covers is asked what its platform has scheduled (all at once, no longer than the
freeze waits), and its timeline is looked at once more. Any thread may call `begin`; a loop polls. Each account has an
adapter of its own here, which neither a lane nor a takedown ever uses, and one thread at a time uses it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from guardian.duties import timeline
from guardian.duties.scheduled import CANNOT_BE_ASKED, LIST, Scheduled
from guardian.errors import Doubt, GuardianError, Unfound
from guardian.store import incidents, natives, sweeps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from guardian.adapter import Abilities
    from guardian.config.in_force import InForce
    from guardian.fence.house import House
    from guardian.gate.accounts import Emergency
    from guardian.model import Account
    from guardian.store.database import Database
    from guardian.store.natives import Found

    Begin = Callable[[str, Callable[[], object]], threading.Thread]

EVERY = 5_000
MOST = 1000
TURN_WITHIN = 30.0
ROUND_WITHIN = 60.0
SECONDS_AFTER_TROUBLE = 60
SCHEDULED_THERE = "posts scheduled on the platform itself"
LIVE = "posts that are live already"
PEOPLE = "people and other tools that are logged in there"
log = structlog.get_logger()


@dataclass(slots=True)
class Asked:
    """What a freeze asked the platforms for, and who has answered so far."""

    incident: str
    accounts: Sequence[Account]
    threads: list[threading.Thread] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # account: "" when it has answered, else why it cannot


class Outside:
    """The one watch over it."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        connect: Callable[[Account], Emergency],
        begin: Begin,
        directory: Path,
        clock: Callable[[], int],
    ) -> None:
        """`connect` makes the emergency connection of an account, `begin` runs a thing in a thread of that name."""
        self.database = database
        self.in_force = in_force
        self.connect = connect
        self.run = begin
        self.directory = directory
        self.clock = clock
        self._open: dict[str, tuple[Account, Scheduled]] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._not_before: dict[str, int] = {}

    def begin(self, incident: str, scopes: Sequence[str], *, wanted: str = LIST) -> Asked:
        """Ask every account under these scopes, all at once; nobody waits here.

        With `wanted`, each goes on to hold or delete what it found.
        """
        wide = set(scopes)
        asked = Asked(incident, [one for one in self.in_force.settings.accounts if wide & set(one.scopes)])
        for account in asked.accounts:
            asked.threads.append(self.run(f"outside {account.name}", self._asking(asked, account, wanted)))
        return asked

    def collect(self, asked: Asked, *, until: float) -> tuple[list[dict[str, object]] | None, list[str]]:
        """What is known by then (of the monotonic clock): a row for each post, and what is not covered, in words.

        None where no platform answered. What is held or deleted is waited for as long; it goes on by itself afterwards.
        """
        for thread in asked.threads:
            thread.join(max(until - time.monotonic(), 0))
        names = {account.name for account in asked.accounts}
        answered = any(not why for why in list(asked.said.values()))
        with self.database.reading() as tx:
            found = [one for one in natives.of_incident(tx, asked.incident) if one.account in names]
        return ([row(one) for one in found] if answered else None), self._uncovered(asked)

    def poll(self, now: int) -> int | None:
        """Plan looks for freezes that have none, make those that are due, go on with what is to be held or deleted."""
        accounts = {account.name: account for account in self.in_force.settings.accounts}
        with self.database.reading() as tx:
            fresh = timeline.wanting(tx, accounts.values(), now=now)
            due = sweeps.due(tx, now)
            waiting = [name for name in natives.accounts_wanting(tx) if self._not_before.get(name, 0) <= now]
        if fresh:
            with self.database.transaction() as tx:
                timeline.plan(tx, accounts.values(), now=now)
        threads = []
        for name in {*(sweep.account for sweep in due), *waiting}:
            mine = [sweep for sweep in due if sweep.account == name]
            if name in accounts:
                threads.append(self.run(f"outside {name}", self._going_on(accounts[name], mine, act=name in waiting)))
            else:
                self._give_up(mine, now)
        until = time.monotonic() + ROUND_WITHIN
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        return now + EVERY

    def document(self, incident: str | None, *, limit: int = MOST) -> dict[str, object]:
        """Those that an incident found (None: the last one), and which it was. Raises Unfound."""
        with self.database.reading() as tx:
            found = incidents.latest(tx) if incident is None else incidents.get(tx, incident)
            rows = [] if found is None else natives.of_incident(tx, found.id, limit=limit)
        return {"incident": None if found is None else found.id, "natives": [row(one) for one in rows]}

    def carry_on(self, order: dict[str, Any]) -> None:
        """An order to hold or delete that nobody heard when the freeze came. Raises Doubt without an incident."""
        with self.database.reading() as tx:
            found = incidents.current(tx)
        if found is None:
            raise Doubt("cannot do that yet, because no incident is open", fix="wait for the freeze to be written down")
        self.begin(found.id, order["scopes"], wanted=order["native"])

    def restore(self, native_id: str, house: House, *, by: str) -> dict[str, object]:
        """Take a deferral back, after the thaw: a publishing request. Raises Unfound, Illegal, Refusal, Doubt."""
        with self.database.reading() as tx:
            found = natives.get(tx, native_id)
        account = next((one for one in self.in_force.settings.accounts if one.name == found.account), None)
        if account is None:
            raise Unfound(f"cannot reach {found.account}, because it is not configured any more", fix="look there")
        with self._turn_of(account, within=TURN_WITHIN) as scheduled:
            scheduled.restore(found, house, by=by)
        with self.database.reading() as tx:
            return row(natives.get(tx, native_id))

    def _asking(self, asked: Asked, account: Account, wanted: str) -> Callable[[], None]:
        def ask() -> None:
            try:
                with self._turn_of(account, within=TURN_WITHIN) as scheduled:
                    asked.said[account.name] = "" if scheduled.look(asked.incident, wanted) else CANNOT_BE_ASKED
                    self._act(account, scheduled)
            except GuardianError as error:
                asked.said.setdefault(account.name, error.message)
                log.warning("not asked what is scheduled", account=account.name, why=error.message)
            except Exception as error:
                asked.said.setdefault(account.name, type(error).__name__)
                log.exception("not asked what is scheduled", account=account.name)

        return ask

    def _going_on(self, account: Account, due: Sequence[sweeps.Sweep], *, act: bool) -> Callable[[], None]:
        def go_on() -> None:
            try:
                with self._turn_of(account, within=0) as scheduled:
                    for sweep in due:
                        timeline.look(sweep, scheduled.emergency.adapter, self.database, self.clock)
                        self._list_again(sweep, scheduled)
                    if act:
                        self._act(account, scheduled)
            except GuardianError as error:
                self._not_before[account.name] = self.clock() + 1000 * SECONDS_AFTER_TROUBLE
                log.info("later", account=account.name, why=error.message)
            except Exception:
                self._not_before[account.name] = self.clock() + 1000 * SECONDS_AFTER_TROUBLE
                log.exception("outside", account=account.name)

        return go_on

    def _list_again(self, sweep: sweeps.Sweep, scheduled: Scheduled) -> None:
        """What is scheduled meanwhile, or what nobody could ask for when the freeze came."""
        try:
            scheduled.look(sweep.incident, LIST)
        except Doubt as doubt:
            log.info("not asked again what is scheduled", account=sweep.account, why=doubt.message)

    def _act(self, account: Account, scheduled: Scheduled) -> None:
        following = scheduled.act()
        self._not_before[account.name] = following or 0

    def _give_up(self, mine: Sequence[sweeps.Sweep], now: int) -> None:
        with self.database.transaction() as tx:
            for sweep in mine:
                sweeps.done(tx, sweep.id, now=now, why="the account is not configured any more")

    def _uncovered(self, asked: Asked) -> list[str]:
        """What no freeze reaches here, in words: in general, by account, and by platform."""
        words = [LIVE]
        for account in asked.accounts:
            why = asked.said.get(account.name, "it did not say in time")
            if why:
                words.append(f"{SCHEDULED_THERE} ({account.name}): {why}")
        unseen: dict[str, Abilities] = {}
        with self._guard:
            for account, scheduled in self._open.values():
                if account in asked.accounts:
                    unseen[account.platform] = scheduled.emergency.maker.abilities
        words += [f"{name}: {line}" for name, abilities in sorted(unseen.items()) for line in abilities.unseen]
        return words if any(abilities.unseen for abilities in unseen.values()) else [*words, PEOPLE]

    def _turn_of(self, account: Account, *, within: float) -> _Turn:
        with self._guard:
            known = self._open.get(account.name)
            if known is None or known[0] != account:
                scheduled = Scheduled(
                    account=account,
                    emergency=self.connect(account),
                    database=self.database,
                    directory=self.directory,
                    clock=self.clock,
                )
                known = self._open[account.name] = (account, scheduled)
            lock = self._turns.setdefault(account.name, threading.Lock())
        return _Turn(known[1], lock, within)


class _Turn:
    """An account's adapter, for one thread. Raises Doubt when another one has it too long."""

    def __init__(self, scheduled: Scheduled, lock: threading.Lock, within: float) -> None:
        self._scheduled = scheduled
        self._lock = lock
        self._within = within

    def __enter__(self) -> Scheduled:
        if not self._lock.acquire(timeout=self._within):
            raise Doubt(f"cannot ask {self._scheduled.account.name}, because it is being asked already", fix="wait")
        return self._scheduled

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def row(found: Found) -> dict[str, object]:
    """One of them, as the contract's `native` list has it."""
    return {
        "native": found.id,
        "account": found.account,
        "id": found.native.id,
        "due": datetime.fromtimestamp(found.native.due / 1000, UTC).isoformat(timespec="seconds"),
        "state": found.state,
        "text": found.native.text,
        "why": found.why,
    }
