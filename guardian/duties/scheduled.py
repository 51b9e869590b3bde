"""What one account's platform would publish by itself: listed, saved, put off or deleted. One thread at a time.

No freeze stops such a post: the platform publishes it. So it is put off far into the future, which keeps it whole and
can be taken back; one that is due within minutes is deleted, because putting it off comes too late. Whatever is done is
written down before, counted against the platform's budget for deletions (of which a part stays for takedowns), and
believed only when the platform's own list shows it.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import structlog

from guardian.duties import allowance
from guardian.errors import GuardianError, Illegal, Refusal
from guardian.evidence import files as disk
from guardian.failpoint import failpoint
from guardian.fence import passage
from guardian.gate import intents
from guardian.gate.verdicts import Accepted, NotFound, Throttled, verdict, verdict_of_retract
from guardian.model import PostRef
from guardian.rules import deferring, ownership
from guardian.store import journal, natives, takedowns
from guardian.store.natives import DEFERRED, DELETE, DELETED, HOLD, LIST, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardian.fence.house import House
    from guardian.gate.accounts import Emergency
    from guardian.gate.verdicts import Retraction
    from guardian.model import Account, Native
    from guardian.store.database import Database, Tx
    from guardian.store.natives import Found

WHO = "guardian"
OK = 200
RESERVE = 3  # a third of the budget stays for takedowns
AT_ONCE = 100
MOST_FILES = 16
MOST_BYTES = 64 << 20
FILES_WITHIN = 15.0
WORDS = 500
REST = 60_000
CANNOT_BE_ASKED = "it cannot be asked"
NOT_THERE = "it is not there any more: published, or deleted by somebody; look at the timeline"
UNSAVED = "put off, not deleted, because its files could not be saved"
log = structlog.get_logger()


class Scheduled:
    """One account's."""

    def __init__(
        self,
        *,
        account: Account,
        emergency: Emergency,
        database: Database,
        directory: Path,
        clock: Callable[[], int],
    ) -> None:
        """`directory` is where the files that they show are kept, by hash."""
        self.account = account
        self.emergency = emergency
        self.database = database
        self.directory = directory
        self.clock = clock
        self._rest_until = 0

    def look(self, incident: str, wanted: str) -> bool:
        """Ask what is scheduled, and write it down with what is wanted of it; whether the platform can be asked.

        Raises Doubt when it did not answer.
        """
        if not self.emergency.maker.abilities.lists_natives:
            return False
        found = self.emergency.adapter.natives()
        if found is None:
            return False
        now = self.clock()
        with self.database.transaction() as tx:
            for native in found:
                row, new = natives.note(tx, incident=incident, account=self.account.name, native=native, wanted=wanted)
                if new:
                    journal.append(tx, "native found", who=WHO, now=now, **_about(row))
        return True

    def act(self) -> int | None:
        """Do what is wanted; when to go on (ms), None when nothing is left. Raises Doubt where nobody could say."""
        with self.database.reading() as tx:
            waiting = natives.wanted_of(tx, self.account.name)[:AT_ONCE]
        if not waiting:
            return None
        why = self._why_not()
        if why:
            for found in waiting:
                self._leave(found, why)
            return None
        there = self._there()
        acted: dict[str, Retraction | None] = {}
        following = None
        for found in waiting:
            following = self._one(found, there, acted)
            if following is not None:
                break
        if acted:
            self._read_back([found for found in waiting if found.id in acted], acted)
        with self.database.reading() as tx:
            left = bool(natives.wanted_of(tx, self.account.name))
        return (following or self.clock()) if left else None

    def restore(self, found: Found, house: House, *, by: str) -> None:
        """Have the platform publish it when it was due: a publishing request, so never while frozen.

        Raises Illegal and Refusal, with the reason.
        """
        if found.state != DEFERRED:
            raise Illegal(f"cannot take the deferral of {found.id} back, because it is {found.state}")
        now = self.clock()
        if deferring.must_go(found.native.due, now=now):
            raise Illegal(
                f"cannot take the deferral of {found.id} back, because its time has come or passed",
                fix="give it a new time at the platform itself",
            )
        undoing = self.emergency.adapter.deferral(found.native, until=found.native.due + deferring.FAR)
        try:
            ticket = passage.look(house, self.account.scopes)
        except passage.Stopped as stopped:
            raise Illegal(f"cannot take the deferral back, because {stopped}", fix="guardian thaw") from stopped
        with self.database.transaction() as tx:
            journal.append(tx, "native acting", who=by, now=now, **_about(found), act="restore")
        with intents.declare(intents.managing(self.account, ticket)) as receipt:
            try:
                self.emergency.adapter.undo(PostRef(id=found.native.id), undoing.undo or {})
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                log.info("restoring", native=found.id, said=type(error).__name__)
        said = verdict(receipt)
        if not isinstance(said, Accepted):
            raise Refusal(f"cannot take the deferral back, because {getattr(said, 'why', said)}", fix="look there")
        with self.database.transaction() as tx:
            natives.end(tx, found.id, state=natives.LISTED, why="the deferral was taken back")
            natives.leave(tx, found.id, why="the deferral was taken back")
            journal.append(tx, "native restored", who=by, now=now, **_about(found))

    def _there(self) -> dict[str, Native]:
        return {native.id: native for native in self.emergency.adapter.natives() or ()}

    def _why_not(self) -> str:
        """Why nothing is to be touched: asked live, as before every takedown."""
        try:
            identity = self.emergency.adapter.whoami()
        except Exception as error:  # noqa: BLE001 (libraries disguise)
            log.info("not asked who we are", account=self.account.name, said=type(error).__name__)
            return "the platform did not say who we are"
        return ownership.why_not(self.account, identity=identity, author=identity.id, ours=False)

    def _one(self, found: Found, there: dict[str, Native], acted: dict[str, Retraction | None]) -> int | None:
        """One of them; when to go on, if not now."""
        now, current = self.clock(), there.get(found.native.id)
        if current is None:
            ours = found.acted_at is not None and (
                found.wanted == DELETE or deferring.must_go(found.native.due, now=found.acted_at)
            )
            self._end(found, DELETED if ours else UNKNOWN, "" if ours else NOT_THERE)
            return None
        if found.wanted == HOLD and deferring.is_far(current.due, now=now):
            self._end(found, DEFERRED, "")
            return None
        at = self._turn(now)
        if at > now:
            with self.database.transaction() as tx:
                natives.waits(tx, found.id, why="it waits: the platform takes no more changes now")
            return at
        said = self._act(found, current, [one.due for one in there.values()])
        acted[found.id] = said
        if isinstance(said, Throttled):
            self._rest_until = self.clock() + (REST if said.after is None else round(said.after * 1000))
        return None

    def _act(self, found: Found, current: Native, others: list[int]) -> Retraction | None:
        """Save, write down what is about to be done, and do it with one request; what the receipt says."""
        saved = self._save(found) and not current.unshown
        now = self.clock()
        go = deferring.must_go(current.due, now=now) or (found.wanted == DELETE and saved)
        if not go and not self.emergency.maker.abilities.defers_natives:
            self._leave(found, f"{self.account.platform} cannot put it off")
            return None
        until = deferring.until(current.due, others, now=now)
        others.append(until)
        says = frozenset() if go else self.emergency.adapter.deferral(current, until=until).says
        with self.database.transaction() as tx:
            natives.acting(tx, found.id, now=now)
            takedowns.count(tx, self.account.name, found.id, now=now)
            facts = {"act": "delete"} if go else {"act": "defer", "until": until}
            journal.append(tx, "native acting", who=WHO, now=now, **_about(found), **facts, saved=saved)
        failpoint("native.intended")
        with intents.declare(intents.retracting(self.account, current.id, says)) as receipt:
            try:
                if go:
                    self.emergency.adapter.remove_native(current)
                else:
                    self.emergency.adapter.defer_native(current, until=until)
            except Exception as error:  # noqa: BLE001 (libraries disguise; the receipt decides)
                log.info("retracting", native=found.id, said=type(error).__name__)
        failpoint("native.acted")
        return verdict_of_retract(receipt)

    def _read_back(self, acted: list[Found], verdicts: dict[str, Retraction | None]) -> None:
        """What the platform's own list shows now is what became of them."""
        try:
            there = self._there()
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody can say)
            log.info("not read back", account=self.account.name, said=type(error).__name__)
            for found in acted:
                self._end(found, UNKNOWN, "the platform could not be asked afterwards")
            return
        now = self.clock()
        for found in acted:
            said, current = verdicts[found.id], there.get(found.native.id)
            if said is None or isinstance(said, Throttled):
                continue
            if current is None:
                gone = isinstance(said, Accepted) and not isinstance(said, NotFound)
                self._end(found, DELETED if gone else UNKNOWN, "" if gone else NOT_THERE)
            elif deferring.is_far(current.due, now=now):
                self._end(found, DEFERRED, UNSAVED if found.wanted == DELETE else "")
            else:
                why = getattr(said, "why", "") or "the platform said that it is done, and that does not show"
                self._leave(found, why)

    def _turn(self, now: int) -> int:
        """When the next request may go."""
        allowed = self.emergency.maker.abilities.budget
        reserve = allowed.count // RESERVE
        (at,) = allowance.turns(self.database, self.account.name, allowed, now=now, reserve=reserve)
        return max(at, self._rest_until)

    def _save(self, found: Found) -> bool:
        """Keep the files that it shows; whether all of them lie on our disk."""
        until = time.monotonic() + FILES_WITHIN
        kept: list[dict[str, Any]] = []
        for one in found.files:
            known = one["sha256"]
            late = time.monotonic() > until or len(kept) >= MOST_FILES
            kept.append({**one, "sha256": known or (None if late else self._keep(str(one["url"])))})
        if tuple(kept) != found.files:
            with self.database.transaction() as tx:
                natives.saved(tx, found.id, kept)
        return all(one["sha256"] for one in kept)

    def _keep(self, url: str) -> str | None:
        """The hash of what anybody sees there, once it is on our disk."""
        try:
            answer = self.emergency.public.read(url, most=MOST_BYTES)
            if answer.status != OK:
                return None
            sha256 = hashlib.sha256(answer.body).hexdigest()
            with disk.in_words(self.directory):
                self.directory.mkdir(mode=0o700, exist_ok=True)
            if not (self.directory / sha256).exists():
                disk.write_part(self.directory, sha256, answer.body)
                disk.settle(self.directory, sha256)
                disk.sync_directory(self.directory)
        except GuardianError as error:
            log.warning("a file was not saved", account=self.account.name, why=error.message)
            return None
        return sha256

    def _end(self, found: Found, state: str, why: str) -> None:
        kinds = {DEFERRED: "native held", DELETED: "native deleted"}
        with self.database.transaction() as tx:
            natives.end(tx, found.id, state=state, why=why)
            self._write(tx, kinds.get(state, "native left"), found, why)

    def _leave(self, found: Found, why: str) -> None:
        with self.database.transaction() as tx:
            natives.leave(tx, found.id, why=why[:WORDS])
            self._write(tx, "native left", found, why)

    def _write(self, tx: Tx, kind: str, found: Found, why: str) -> None:
        journal.append(tx, kind, who=WHO, now=self.clock(), **_about(found), why=why[:WORDS])


def _about(found: Found) -> dict[str, object]:
    """What every line of the journal about one of them says."""
    return {
        "incident": found.incident,
        "native": found.id,
        "account": found.account,
        "platform_id": found.native.id,
        "due": found.native.due,
        "text": found.native.text[:WORDS],
        "wanted": found.wanted,
    }


__all__ = ["CANNOT_BE_ASKED", "DELETE", "HOLD", "LIST", "Scheduled"]
