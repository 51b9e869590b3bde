"""From a receipt to a verdict: what may be concluded from what the transport saw, and nothing more. Pure.

The table of research/platforms 1.5: only what is proven not to have been accepted may be tried again; a time-out, a
reset after the first byte, a 5xx (a proxy in front of Mastodon answers 504 to posts that were made) is uncertain. So
is every answer that is no plain no: an early hint (the library takes 103 for the answer), a *see other* (which is how
a form says that it was done), a class that HTTP does not have. And what is said of the idempotency key and not of the
post: that an earlier request with it is being worked on (409: Pleroma, and the draft of that header), or was seen (400:
Pixelfed). That earlier request was ours.

Where a platform says more in words than by the status, its adapter reads them (`Maker.reads`); but what proves nothing
stays uncertain whatever an adapter reads in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.adapter import Meaning
from guardian.gate.intents import Fate

if TYPE_CHECKING:
    from guardian.adapter import Reading
    from guardian.gate.intents import Receipt, Trace

SAYS_NO = frozenset({301, 307, 308, *range(400, 500)}) - {408, 409}
BAD_REQUEST = 400
GONE = frozenset({404, 410})
ELSEWHERE = frozenset(range(300, 400))
PAGES = frozenset({"text/html", "application/xhtml+xml"})
OF_THE_KEY = "idempotency"
THROTTLED_STATUS = 429


@dataclass(frozen=True, slots=True)
class Stopped:
    """The fence, or the gate, refused it: surely nothing left."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely nothing left: no name, no connection, no TLS."""

    why: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """The platform said: not now, and made nothing. `after` is in seconds from now, if it said when."""

    why: str
    after: float | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform said no."""

    why: str
    status: int


@dataclass(frozen=True, slots=True)
class Shut(Rejected):
    """The platform said no to the account, and not to the post: nothing will be made until a person has acted."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have happened: ask the platform, never send again."""

    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform answered that it was made."""

    status: int


@dataclass(frozen=True, slots=True)
class NotFound:
    """The platform answered that what was to be taken down is not there (any more)."""

    status: int


Verdict = Stopped | NotSent | Throttled | Rejected | Uncertain | Accepted
Retraction = Verdict | NotFound


def verdict(receipt: Receipt) -> Verdict:
    """What the receipt of a publishing intent proves."""
    return _of(receipt.publishing, "publishing")


def verdict_of_upload(receipt: Receipt) -> Verdict:
    """What the receipt of an uploading intent proves; where it is uncertain, another upload does no harm."""
    return _of(receipt.uploading, "uploading")


def verdict_of_retract(receipt: Receipt) -> Retraction:
    """What the receipt of a retracting intent proves; whether the post is gone, only a look at the platform does.

    A page for people, or a way to one, is no answer of an API: a login page comes with 200.
    """
    trace = receipt.retracting
    if trace is None or trace.fate is not Fate.ANSWERED or trace.status is None:
        return _of(trace, "retracting")
    if trace.status in GONE and not trace.reading:
        return NotFound(trace.status)
    if trace.status in ELSEWHERE or (trace.status < BAD_REQUEST and trace.type in PAGES):
        return Uncertain(f"the platform answered {trace.status} {trace.type}, which is no answer of an API")
    return _answered(trace, trace.status)


def _of(trace: Trace | None, what: str) -> Verdict:
    if trace is None:
        return NotSent(f"the adapter made no {what} request")
    if trace.fate is Fate.STOPPED:
        return Stopped(trace.why)
    if trace.fate is Fate.UNSENT:
        return NotSent(trace.why or "no connection")
    if trace.fate is Fate.MAYBE or trace.status is None:
        return Uncertain(trace.why or "no whole answer came")
    return _answered(trace, trace.status)


def _answered(trace: Trace, status: int) -> Verdict:
    if trace.reading is not None and (status in SAYS_NO or 200 <= status < 300):  # noqa: PLR2004 (HTTP's own classes)
        return _as_read(trace.reading, status)
    if status == THROTTLED_STATUS:
        return Throttled("the platform answered 429, too many requests", trace.retry_after)
    if 200 <= status < 300:  # noqa: PLR2004 (HTTP's own classes)
        return Accepted(status)
    if status not in SAYS_NO or (status == BAD_REQUEST and OF_THE_KEY in trace.why.lower()):
        return Uncertain(f"the platform answered {status}")
    return Rejected(f"the platform answered {status}{': ' if trace.why else ''}{trace.why}", status)


def _as_read(said: Reading, status: int) -> Verdict:
    if said.meaning is Meaning.REFUSED:
        return Rejected(said.why, status)
    if said.meaning is Meaning.SHUT:
        return Shut(said.why, status)
    return Throttled(said.why, said.after) if said.meaning is Meaning.LATER else Uncertain(said.why)
