"""What the duties tell whoever counts: one call per event, from the thread that it happened in.

None of the calls raises or waits. The duties do not know who counts, nor what is made of it: `daemon/metrics.py` makes
Prometheus's counters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.duties.publish import Outcome


class Tally(Protocol):
    """Counts. Nothing that it is told is text of a post, a reason or a secret."""

    def sent(self, account: str, outcome: Outcome, *, began: int) -> None:
        """A lane has tried to send its next post, beginning at `began` (ms), and this came of it."""
        ...

    def refused(self, account: str) -> None:
        """The gate has refused a request of this account."""
        ...

    def looked(self, account: str, *, result: str) -> None:
        """The platform was asked for a lost post: `found`, `absent`, or `failed` when it could not be asked."""
        ...

    def missed(self, count: int) -> None:
        """So many posts were missed."""
        ...

    def froze(self, document: Mapping[str, object]) -> None:
        """A freeze was asked for at this daemon; the result document of the contract."""
        ...

    def booked(self, scope: str) -> None:
        """A freeze was written into the books, by whichever door it was made."""
        ...


class Uncounted:
    """Counts nothing: for whoever runs a duty alone."""

    def sent(self, account: str, outcome: Outcome, *, began: int) -> None:
        """Nothing."""

    def refused(self, account: str) -> None:
        """Nothing."""

    def looked(self, account: str, *, result: str) -> None:
        """Nothing."""

    def missed(self, count: int) -> None:
        """Nothing."""

    def froze(self, document: Mapping[str, object]) -> None:
        """Nothing."""

    def booked(self, scope: str) -> None:
        """Nothing."""


UNCOUNTED = Uncounted()
