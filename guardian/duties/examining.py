"""What only the daemon can find out about readiness: whose the tokens are, if they may delete, if the store is whole.

Asked by the doctor, on quiet days. Each platform is asked over a connection of its own, which neither a lane nor an
incident ever uses, all at once, for a limited time, and not again for some minutes. Any thread may call `ask`; nothing
of it waits for a lane, or is waited for by one.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import structlog

from guardian.beyond import Entitlement, Vouching
from guardian.errors import Doubt, Garbled, GuardianError, PlatformRefusal, Refusal, TokenRefused
from guardian.store.inspection import Inspection, asked, connect
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guardian.config.in_force import InForce
    from guardian.gate.accounts import Emergency
    from guardian.model import Account
    from guardian.store.database import Database

    Begin = Callable[[str, Callable[[], object]], threading.Thread]
    Heard = Callable[[Mapping[str, str]], None]

WITHIN = 6.0  # seconds for all platforms together
AGAIN_AFTER = 5 * 60_000  # ms; some platforms count every question
STORE_WITHIN, STORE_AGAIN_AFTER = 2.0, 10.0
RIGHT, OTHER, REFUSED, SILENT = "right", "other", "refused", "silent"
NO_ANSWER = "the platform gave no answer in time"
NOT_TOLD = Entitlement(may=None, why="its adapter has no way to ask")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of asking one platform. `token` is one of the four words; `skew` is how far ahead (ms) our clock is."""

    account: Account
    at: int
    token: str = SILENT
    handle: str | None = None
    why: str = NO_ANSWER
    fix: str = ""
    delete: Entitlement | None = None
    skew: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSeen:
    """What SQLite's own check says: `whole`, `damaged`, or `unseen` where the time was not enough."""

    state: str
    why: str = ""


@dataclass(slots=True)
class _Place:
    """One account's connection, and what it said last."""

    account: Account
    emergency: Emergency
    skew: list[int] = field(default_factory=list)
    said: Said | None = None
    thread: threading.Thread | None = None


class Examining:
    """The one that asks."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        connect: Callable[[Account, Heard], Emergency],
        begin: Begin,
        clock: Callable[[], int],
    ) -> None:
        """`connect` makes an account's connection, whose second argument is shown every answer's headers."""
        self.database = database
        self.in_force = in_force
        self.connect = connect
        self.begin = begin
        self.clock = clock
        self._places: dict[str, _Place] = {}
        self._guard = threading.Lock()
        self._store_turn = threading.Lock()
        self._store: tuple[float, StoreSeen] | None = None

    def ask(self, *, within: float = WITHIN) -> Sequence[Said]:
        """What each platform says of us, asked now or some minutes ago; at the latest after so many seconds."""
        until = time.monotonic() + within
        places = [self._asked(account) for account in self.in_force.settings.accounts]
        found = []
        for place in places:
            if place.thread is not None:
                place.thread.join(max(until - time.monotonic(), 0))
            found.append(place.said or Said(account=place.account, at=self.clock()))
        return found

    def proven(self) -> Mapping[str, int]:
        """By account, when a post was last deleted there and read back as gone (ms)."""
        with self.database.reading() as tx:
            return {row["account"]: int(row["at"]) for row in Q.deletions_proven(tx)}

    def store(self, *, within: float = STORE_WITHIN) -> StoreSeen:
        """What a look at every page shows, made now or some seconds ago, by one thread at a time."""
        with self._store_turn:
            if self._store is None or time.monotonic() - self._store[0] > STORE_AGAIN_AFTER:
                self._store = time.monotonic(), self._look(within)
            return self._store[1]

    def _look(self, within: float) -> StoreSeen:
        """For so long, over a connection of its own: pages first, then what the posts say."""
        until = time.monotonic() + within
        with closing(connect(self.database.path)) as tx:
            said = asked(tx, "quick_check", stop=lambda: time.monotonic() > until)
            if said is None:
                return StoreSeen(state="unseen", why=f"it is too large to be looked at in {within:g} seconds")
            if said != "ok":
                return StoreSeen(state="damaged", why=said.splitlines()[-1])
            seen = Inspection(self.database.path, self.database.audit)
            try:
                seen.compare_seals(tx, stop=lambda: time.monotonic() > until)
            except Garbled as found:
                return StoreSeen(state="damaged", why=found.message)
        return StoreSeen(state="whole")

    def _asked(self, account: Account) -> _Place:
        """The account's place, being asked if its last answer is too old; never twice at a time."""
        with self._guard:
            place = self._places.get(account.name)
            if place is None or place.account != account:
                skew: list[int] = []
                emergency = self.connect(account, lambda headers: _note(skew, headers))
                place = self._places[account.name] = _Place(account, emergency, skew)
            fresh = place.said is not None and 0 <= self.clock() - place.said.at < AGAIN_AFTER
            if not fresh and (place.thread is None or not place.thread.is_alive()):
                place.said = None
                place.thread = self.begin(f"examine {account.name}", lambda: self._question(place))
            return place

    def _question(self, place: _Place) -> None:
        said = _question(place, self.clock())
        place.said = replace(said, skew=place.skew[-1] if place.skew else None)


def _question(place: _Place, now: int) -> Said:
    """Whose the token is, then whether it may delete. Whatever is raised becomes an answer."""
    account, adapter = place.account, place.emergency.adapter
    said = Said(account=account, at=now)
    try:
        handle = adapter.whoami().handle
    except (TokenRefused, PlatformRefusal) as error:
        return replace(said, token=REFUSED, why=error.message, fix=error.fix)
    except Doubt as error:
        return replace(said, why=error.message, fix=error.fix)
    except Refusal as error:
        return replace(said, token=REFUSED, why=error.message, fix=error.fix)
    except Exception as error:  # noqa: BLE001 (a library's, the network's: nobody is the wiser)
        return replace(said, why=f"{type(error).__name__}: {error}"[:500])
    if handle.lower() != account.identity.lower():
        return replace(said, token=OTHER, handle=handle, why=f"the token belongs to {handle}")
    return replace(said, token=RIGHT, handle=handle, why="", delete=_entitled(place))


def _entitled(place: _Place) -> Entitlement:
    adapter = place.emergency.adapter
    if not isinstance(adapter, Vouching):
        return NOT_TOLD
    try:
        return adapter.may_delete()
    except GuardianError as error:
        return Entitlement(may=None, why=error.message, fix=error.fix)
    except Exception as error:  # noqa: BLE001 (as above)
        return Entitlement(may=None, why=f"it could not be asked ({type(error).__name__})")


def _note(skew: list[int], headers: Mapping[str, str]) -> None:
    """How far our clock is ahead by an answer's own date; it says whole seconds, and was on its way for a moment."""
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        skew.append(round((datetime.now(UTC) - date).total_seconds() * 1000))
    except (ValueError, TypeError):
        return
    del skew[:-1]
