"""What somebody is about to do, and the truth about what came of it.

An intent is declared by a duty around a call into an adapter, and lives in a context variable of that thread: HTTP
verbs do not tell a post from a deletion, so a changing request without an intent is refused. The receipt is written by
the transport alone. Nothing is ever concluded from a library's exception: the libraries disguise what happened
(research/platforms 0).
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from guardian.adapter import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.adapter import Reading
    from guardian.fence.passage import Pass
    from guardian.model import Account


class Fate(StrEnum):
    """How far one request got."""

    STOPPED = "stopped at the gate"
    UNSENT = "not sent"
    MAYBE = "sent, no whole answer"
    ANSWERED = "answered"


@dataclass(slots=True)
class Trace:
    """One request as the transport saw it."""

    kind: Kind
    method: str
    path: str
    fate: Fate = Fate.UNSENT
    status: int | None = None
    retry_after: float | None = None
    why: str = ""
    type: str = ""  # the media type of the answer
    reading: Reading | None = None  # what the platform's own words say, where the status does not


@dataclass(slots=True)
class Receipt:
    """Every request that was made under one intent, in order."""

    traces: list[Trace] = field(default_factory=list)

    @property
    def publishing(self) -> Trace | None:
        """The one publishing request that the intent was good for; None when it was never begun."""
        return next((trace for trace in self.traces if trace.kind in (Kind.PUBLISH, Kind.MANAGE)), None)

    @property
    def retracting(self) -> Trace | None:
        """The one retracting request that the intent was good for; None when it was never begun."""
        return next((trace for trace in self.traces if trace.kind is Kind.RETRACT), None)

    @property
    def uploading(self) -> Trace | None:
        """The last upload that was made; None when none was begun."""
        return next((trace for trace in reversed(self.traces) if trace.kind is Kind.UPLOAD), None)


@dataclass(slots=True)
class Intent:
    """Permission to make one publishing request (or, of the kind UPLOAD, none), for one account, through one pass.

    An intent of the kind RETRACT has no pass, because it passes while frozen. It is permission to take down `target`
    and nothing else, by one request that carries no value but those of `says`.
    """

    kind: Kind
    account: str
    ticket: Pass | None = None
    target: str | None = None
    says: frozenset[str] = frozenset()
    receipt: Receipt = field(default_factory=Receipt)
    spent: bool = False


def retracting(account: Account, target: str, says: frozenset[str] = frozenset()) -> Intent:
    """An intent to take `target` (the platform's id) down; passes while frozen."""
    return Intent(Kind.RETRACT, account.name, target=target, says=says)


def managing(account: Account, ticket: Pass) -> Intent:
    """An intent to change what is live in one request (to undo an act); needs the fence as a post does."""
    return Intent(Kind.MANAGE, account.name, ticket)


_current: ContextVar[Intent | None] = ContextVar("intent", default=None)


@contextlib.contextmanager
def declare(intent: Intent) -> Iterator[Receipt]:
    """Everything that this thread requests inside the block is done under `intent`."""
    token = _current.set(intent)
    try:
        yield intent.receipt
    finally:
        _current.reset(token)


def current() -> Intent | None:
    """The intent under which this thread acts now."""
    return _current.get()
