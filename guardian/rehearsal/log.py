"""The log of requests: one entry from the first byte on, filled in as more is known; any thread may call it.

Times are monotonic nanoseconds. It keeps the newest `room` entries and counts what it let go.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, TypedDict, cast

if TYPE_CHECKING:
    from typing import Unpack

    from guardian.rehearsal.clock import Clock, Stamp

ROOM = 200_000


class Entry(TypedDict):
    """What is known of one request. Never holds the Authorization header or a token."""

    n: int
    method: str | None
    path: str | None
    account: str | None
    first_byte: int
    last_byte: int
    answered: int | None
    clock: Clock
    status: int | None
    fault: str | None
    idempotency_key: str | None
    text: str | None
    status_id: str | None
    complete: bool


class Change(TypedDict, total=False):
    """What can become known after the first byte."""

    method: str | None
    path: str | None
    account: str | None
    last_byte: int
    answered: int | None
    status: int | None
    fault: str | None
    idempotency_key: str | None
    text: str | None
    status_id: str | None
    complete: bool


class LogPage(TypedDict):
    """A stretch of the log, as `GET /rehearsal/log` answers it."""

    entries: list[Entry]
    dropped: int
    now: int


class RequestLog:
    """The entries by number, oldest first."""

    def __init__(self, *, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._count = 0
        self._dropped = 0

    def open(self, first: Stamp) -> Entry:
        """Begin the entry of a request whose first byte has arrived."""
        with self._lock:
            self._count += 1
            entry = Entry(
                n=self._count,
                method=None,
                path=None,
                account=None,
                first_byte=first.ns,
                last_byte=first.ns,
                answered=None,
                clock=first.clock,
                status=None,
                fault=None,
                idempotency_key=None,
                text=None,
                status_id=None,
                complete=False,
            )
            self._entries[entry["n"]] = entry
            if len(self._entries) > self._room:
                self._entries.popitem(last=False)
                self._dropped += 1
            return entry

    def note(self, entry: Entry, **change: Unpack[Change]) -> None:
        """Write down what has become known."""
        with self._lock:
            entry.update(cast("Entry", change))  # every key of a Change is one of an Entry

    def withdraw(self, entry: Entry) -> None:
        """Forget a request that only looked at the rehearsal itself: watching must not show up in what is watched."""
        with self._lock:
            self._entries.pop(entry["n"], None)

    def after(self, n: int = 0, *, newest: int | None = None) -> LogPage:
        """Copies of the entries numbered above `n`, oldest first; at most the `newest` of them."""
        found: list[Entry] = []
        with self._lock:
            for number in reversed(self._entries):
                if number <= n or (newest is not None and len(found) >= newest):
                    break
                found.append(self._entries[number].copy())
            dropped = self._dropped
        found.reverse()
        return LogPage(entries=found, dropped=dropped, now=time.monotonic_ns())
