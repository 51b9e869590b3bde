"""The watch: notices within half a second that the fence was closed from outside, or the clock set.

It also misses what must be missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.books import Books

FENCE_EVERY = 500
SWEEP_EVERY = 1_000


class Watch:
    """Polled by a loop of its own."""

    def __init__(self, books: Books, *, ring: Callable[[], None]) -> None:
        self.books = books
        self.ring = ring
        self._sweep_at = 0
        self._right = True

    def poll(self, now: int) -> int | None:
        """Adopt what the fence shows; once a second follow the journal and sweep. Wants to be called again soon."""
        right = self.books.clock_is_right()
        if self.books.adopt() or right is not self._right:
            self.ring()
        self._right = right
        if not now < self._sweep_at <= now + SWEEP_EVERY:  # later still: the clock has gone back since
            self._sweep_at = now + SWEEP_EVERY
            self.books.follow_the_journal()
            self.books.sweep()
        return now + FENCE_EVERY
