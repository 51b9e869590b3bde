"""Freezing from inside the daemon, and saying what was on the wire. Called by API threads.

The fence is closed by the same code as from the command line; only that the daemon never ends itself: where a lane of
its own is hung, it answers *not confirmed* and names the other door. Bookkeeping comes after, and its trouble changes
nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from guardian.duties.landing import note_landed
from guardian.duties.scheduled import LIST
from guardian.duties.tally import UNCOUNTED
from guardian.errors import Doubt
from guardian.fence import limited, permits, reading, report
from guardian.fence.stopping import Stopping
from guardian.store import attempts, freezes, incidents, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.duties.books import Books
    from guardian.duties.outside import Outside
    from guardian.duties.tally import Tally
    from guardian.fence.house import House
    from guardian.fence.stopping import Order

LOOK_EVERY = 0.02
CONFIRMED, NOT_CONFIRMED = "freeze confirmed", "freeze not confirmed"
BOOKS_WITHIN = 2.0  # the freeze stands: whoever asked for it does not wait for a locked store
log = structlog.get_logger()


class Freezing:
    """One door to the stop."""

    def __init__(
        self, books: Books, *, ring: Callable[[], None], tally: Tally = UNCOUNTED, outside: Outside | None = None
    ) -> None:
        """`outside` asks the platforms for what a freeze does not reach; without it nobody does."""
        self.books = books
        self.outside = outside
        self.ring = ring
        self.tally = tally

    def freeze(self, order: Order, *, wait: float, told: bool, native: str = LIST) -> dict[str, object]:
        """Stop, write it down, wait for what was on the wire; the result document of the contract.

        `told` means that another door has already stopped: if the fence agrees, only the books are left to do. `native`
        is what becomes of posts that the platforms themselves would publish: list, hold, delete.
        """
        began = self.books.clock()
        document = close(self.books.house, order, told=told)
        self.ring()
        self.tally.froze(document)
        try:
            self._write_down(document, order, since=began, wait=wait, native=native)
        except Exception as error:
            log.exception("not written down", error=type(error).__name__)
        return document

    def _write_down(self, document: dict[str, object], order: Order, *, since: int, wait: float, native: str) -> None:
        until, asked = time.monotonic() + wait, None
        marked = [reading.read_scope(self.books.house, scope).at for scope in order.scopes]
        since = min([since, *(at for at in marked if at)])
        try:
            self.books.adopt(within=BOOKS_WITHIN)
        except Doubt as error:  # the watch will do it; until then nobody knows what waits behind this freeze
            log.warning("not written down yet", why=str(error))
        else:
            with self.books.database.reading() as tx:
                standing = freezes.in_force(tx)
                document["held"] = freezes.held(tx)
            document["epoch"] = max((one.epoch for one in standing if one.scope in order.scopes), default=None)
            incident = document["incident"] = self._attach(document, order, ordered_at=since)
            if self.outside is not None:
                asked = self.outside.begin(incident, order.scopes, wanted=native)
        document["in_flight"] = self._outcomes(order.scopes, since=since, wait=wait)
        if document["incident"] is not None:
            note_landed(self.books.database, now=self.books.clock(), within=BOOKS_WITHIN)
        if self.outside is not None and asked is not None:
            document["native"], document["not_covered"] = self.outside.collect(asked, until=until)

    def _attach(self, document: dict[str, object], order: Order, *, ordered_at: int) -> str:
        """What the fence said of this order, as a line of the incident; its id.

        A freeze that stood already opens one as well, if the one before was closed: somebody has stopped again.
        """
        now = self.books.clock()
        facts = {key: document[key] for key in ("scopes", "door", "durable", "elapsed_ms", "held", "unconfirmed")}
        kind = CONFIRMED if document["confirmed"] else NOT_CONFIRMED
        with self.books.database.transaction(within=BOOKS_WITHIN) as tx:
            incident, _ = incidents.open_or_join(tx, reason=order.reason, by=order.by, cause="freeze", now=now)
            journal.append(tx, kind, who=order.by, now=now, incident=incident.id, ordered_at=ordered_at, **facts)
        return incident.id

    def _outcomes(self, scopes: Sequence[str], *, since: int, wait: float) -> list[dict[str, Any]]:
        """What had left, or may have, when the freeze began; waits until every one is known, or for `wait` seconds.

        With it every thread that is live by half: its rest stays here.
        """
        with self.books.database.reading() as tx:  # the store knows: whoever left the configuration may be sending yet
            covered = freezes.covered_by(tx, scopes)
        until = time.monotonic() + wait
        while True:
            with self.books.database.reading() as tx:
                rows = [row for row in attempts.in_flight(tx, since=since) if row["account"] in covered]
                told = {row["post"] for row in rows}
                halves = [row for row in attempts.half_sent(tx) if row["account"] in covered]
            if time.monotonic() >= until or all(row["outcome"] is not None for row in rows):
                return [in_flight(row) for row in (*rows, *(one for one in halves if one["post"] not in told))]
            time.sleep(LOOK_EVERY)


def close(house: House, order: Order, *, told: bool) -> dict[str, object]:
    """Stop, needing nothing but the fence; the result document. With `told`, what the fence shows of it already."""
    document = _already(house, order) if told else None
    if document is None:
        with Stopping(house, order, may_kill=False) as stop:
            stop.confirm()
            stop.settle(limited.in_a_thread)
            document = report.document(stop, "control", report.NOT_COVERED)
    return document


def _already(house: House, order: Order) -> dict[str, object] | None:
    """What the fence shows of a freeze that another door has confirmed; None when it shows none."""
    seen = [reading.read_scope(house, scope) for scope in order.scopes]
    if any(one.state != reading.FROZEN or one.mark is None for one in seen):
        return None
    return {
        "state": "frozen",
        "confirmed": True,
        "durable": all(isinstance(permits.read_durable(house, scope), permits.Flaw) for scope in order.scopes),
        "scopes": list(order.scopes),
        "elapsed_ms": None,
        "door": "direct",
        "daemon_killed": False,
        "epoch": None,
        "incident": None,
        "held": None,
        "in_flight": None,
        "not_covered": list(report.NOT_COVERED),
        "unconfirmed": [],
        "native": None,
        "takedown": [],
    }


def in_flight(row: Any) -> dict[str, Any]:  # noqa: ANN401 (a row of the database)
    """One attempt that was on the wire, in the words of the contract."""
    words = {
        None: "awaiting",
        "landed": "published",
        "refused": "refused",
        "unknown": "unknown",
        "cancelled": "unknown",  # a person ended the asking: it may be live
    }
    return {
        "post": row["post"],
        "account": row["account"],
        "state": words.get(row["outcome"], "unsent"),
        "url": row["url"],
        **({"live": row["live"], "parts": row["parts"]} if row["parts"] > 1 else {}),
    }
