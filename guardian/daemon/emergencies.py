"""The wiring of an incident: what takes posts down, finishes their bundles, looks again. Starts nothing."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.daemon import clocks
from guardian.daemon.loops import Loop
from guardian.duties.acting import Acting, Terms
from guardian.duties.capturing import Capturing, Sight
from guardian.duties.finishing import Finishing
from guardian.duties.looking_again import LookingAgain
from guardian.duties.outcomes import Outcomes
from guardian.duties.picturing import Picturing
from guardian.duties.references import References
from guardian.duties.retracting import Retracting
from guardian.duties.takedown import Takedowns, Wish
from guardian.duties.undoing import Undoing
from guardian.gate import accounts as gate
from guardian.gate.keeping import SESSIONS
from guardian.model import Capture, Decision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from guardian.adapter import Maker
    from guardian.daemon.metrics import Metrics
    from guardian.duties.books import Books
    from guardian.duties.shelf import Shelf
    from guardian.gate.accounts import Emergency
    from guardian.gate.public import PublicReader
    from guardian.model import Account
    from guardian.store.spool import Spool

CRITICAL = 3
MOST_CONFIG = 1 << 20
LOOKERS = 12  # requests of snapshots that are under way at a time, of all accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Makes what deals with one account in an incident, by the configuration in force. Any thread."""

    books: Books
    makers: Mapping[str, Maker]
    shelf: Shelf
    spool: Spool
    metrics: Metrics
    pool: ThreadPoolExecutor
    finishing: list[Finishing]  # one, as soon as it is made: each needs the other

    def desk(self, account: Account) -> Emergency:
        """A second adapter, with a session of its own."""
        settings = self.books.in_force.settings
        return gate.emergency(
            account,
            self.makers,
            answer_within=settings.gate.answer_within / 1000,
            on_refusal=lambda: self.metrics.refused(account.name),
            keep_in=settings.state_dir / SESSIONS,
        )

    def public(self, name: str) -> PublicReader | None:
        """What reads without a token for an account; None when it is not configured any more."""
        accounts = self.books.in_force.settings.accounts
        account = next((one for one in accounts if one.name == name), None)
        return None if account is None else self.desk(account).public

    def build(self, account: Account, began: Mapping[str, float]) -> Retracting:
        """What takes its posts down."""
        books, evidence = self.books, self.books.in_force.settings.evidence
        emergency = self.desk(account)
        outcomes = Outcomes(database=books.database, clock=books.clock, after=self.finishing[0].later)
        terms = Terms(
            within=evidence.within / 1000,
            replies=evidence.replies,
            keep=evidence.keep_own,
            authorities=evidence.authorities,
        )
        acting = Acting(
            account=account,
            emergency=emergency,
            database=books.database,
            outcomes=outcomes,
            terms=terms,
            clock=books.clock,
        )
        capturing = Capturing(
            account=account,
            emergency=emergency,
            shelf=self.shelf,
            spool=self.spool,
            pool=self.pool,
            sight=Sight(
                clock=books.clock,
                synchronised=clocks.synchronised,
                config_sha256=_digest(books.in_force.settings.path),
            ),
        )
        return Retracting(account=account, capturing=capturing, acting=acting, database=books.database, began=began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergencies:
    """Everything that an incident needs, not yet running."""

    takedowns: Takedowns
    undoing: Undoing
    finishing: Finishing
    desks: Desks
    loops: tuple[Loop, ...]

    def take(self, order: dict[str, Any]) -> None:
        """An order that a freeze left on the disk, because no daemon heard it. Raises what `Takedowns.order` raises."""
        wish = Wish(
            refs=order["refs"],
            decision=Decision(order["decision"]),
            capture=None if order["capture"] is None else Capture(order["capture"]),
            reason=order["reason"],
            severity=CRITICAL,
            given={"refs": order["refs"], "login": order["by"], "from_file": True, "with_freeze": True},
            key=order["key"],
            urgent=True,
        )
        self.takedowns.order(wish, who=order["by"])

    def close(self, within: float) -> bool:
        """Let what is under way come to its end, for so many seconds; whether it did."""
        ended = self.takedowns.close(within)
        self.finishing.close()
        self.desks.pool.shutdown(wait=False, cancel_futures=True)
        return ended


def emergencies(
    *, books: Books, makers: Mapping[str, Maker], shelf: Shelf, spool: Spool, metrics: Metrics
) -> Emergencies:
    """The parts, put together."""
    database, in_force, clock = books.database, books.in_force, books.clock
    desks = Desks(
        books=books,
        makers=makers,
        shelf=shelf,
        spool=spool,
        metrics=metrics,
        pool=ThreadPoolExecutor(LOOKERS, thread_name_prefix="look"),
        finishing=[],
    )
    finishing = Finishing(
        shelf=shelf,
        in_force=in_force,
        spool=spool,
        desk=desks.desk,
        clock=clock,
        picture=Picturing(in_force, clock=clock, public=desks.public).add,
    )
    desks.finishing.append(finishing)
    takedowns = Takedowns(
        database=database,
        in_force=in_force,
        references=References(database=database, in_force=in_force, desk=desks.desk),
        build=desks.build,
        clock=clock,
    )
    loop = Loop("takedown", takedowns, clock)
    takedowns.wake = loop.wake
    looking = LookingAgain(shelf=shelf, in_force=in_force, desk=desks.desk, clock=clock)
    undoing = Undoing(database=database, in_force=in_force, house=books.house, desk=desks.desk, clock=clock)
    return Emergencies(
        takedowns=takedowns,
        undoing=undoing,
        finishing=finishing,
        desks=desks,
        loops=(loop, Loop("looks", looking, clock)),
    )


def _digest(path: Path) -> str:
    """Of the configuration's file as it lies there; empty where it cannot be read any more."""
    try:
        return hashlib.sha256(path.read_bytes()[:MOST_CONFIG]).hexdigest()
    except OSError:
        return ""
