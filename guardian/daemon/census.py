"""What the store says when it is counted, and no waiting for it: a disk that hangs must not keep a scrape.

Any thread may ask. The counting is done by a thread of its own, one at a time, over a connection that nobody else
uses: no freeze, no lane and no other request waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from guardian.daemon.loops import run_beside
from guardian.store import attempts, freezes, incidents, posts
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.duties.books import Books

COUNTED_WITHIN = 1.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the store said.

    `posts` are counted by account and state, `halves` (threads that are half live) by account, `holds` by kind; `due`
    is, by account, since when (ms) the oldest post that may be sent has been due. `targets` are posts that come or
    came down, by state; `incident` is when (ms) the open one was opened.
    """

    posts: Mapping[tuple[str, str], int]
    held: int
    holds: Mapping[str, int]
    halves: Mapping[str, int]
    due: Mapping[str, int]
    targets: Mapping[str, int]
    incident: int | None


class _Asking:
    """One counting, which several may wait for."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.done = threading.Event()
        self.found: Count | None = None


class Census:
    """The counts of the store, as they are now or not at all."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._lock = threading.Lock()
        self._asking: _Asking | None = None

    def take(self) -> Count | None:
        """Count; None when the store does not say so in time, or cannot be read."""
        with self._lock:
            asking = self._asking
            if asking is None or asking.done.is_set():
                asking = self._asking = _Asking()
                self._begin(asking)
        asking.done.wait(max(asking.began + COUNTED_WITHIN - time.monotonic(), 0.0))
        return asking.found

    def _begin(self, asking: _Asking) -> None:
        try:
            run_beside("census", lambda: self._run(asking))
        except RuntimeError:  # no more threads
            asking.done.set()

    def _run(self, asking: _Asking) -> None:
        try:
            asking.found = self._count()
        except Exception as error:  # noqa: BLE001 (whatever it is, the counts are not known, and that is said)
            log.warning("not counted", why=f"{type(error).__name__}: {error}")
        finally:
            asking.done.set()

    def _count(self) -> Count:
        books, now = self.books, self.books.clock()
        with books.database.counting(within=COUNTED_WITHIN) as tx:
            due = {
                account.name: posts.next_due(tx, account.name, now=now, late_after=books.late_after)
                for account in books.accounts
            }
            incident = incidents.current(tx)
            targets = Q.targets_by_state(tx, incident=None if incident is None else incident.id)
            return Count(
                targets={row["state"]: int(row["n"]) for row in targets},
                incident=None if incident is None else incident.opened_at,
                posts={(row["account"], row["state"]): int(row["n"]) for row in Q.counts_by_account(tx)},
                held=freezes.held(tx),
                holds={row["kind"]: int(row["n"]) for row in Q.holds_by_kind(tx)},
                halves=Counter(row["account"] for row in attempts.half_sent(tx)),
                due={name: at for name, at in due.items() if at is not None and at <= now},
            )
