"""The watch: notices within half a second that the fence was closed from outside, or the clock set.

It also misses what must be missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.duties.landing import note_landed

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.books import Books
    from guardian.duties.orders import Orders
    from guardian.duties.zones import Zones

FENCE_EVERY = 500
SWEEP_EVERY = 1_000
ZONES_EVERY = 10 * 60_000


class Watch:
    """Polled by a loop of its own."""

    def __init__(self, books: Books, *, zones: Zones, ring: Callable[[], None], orders: Orders | None = None) -> None:
        self.books = books
        self.orders = orders
        self.zones = zones
        self.ring = ring
        self._sweep_at = 0
        self._zones_at = 0
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
            self._follow_the_zones(now)
            self.books.sweep()
            note_landed(self.books.database, now=self.books.clock())
            if self.orders is not None:
                self.orders.pick_up()
        return now + FENCE_EVERY

    def _follow_the_zones(self, now: int) -> None:
        """Now and then: somebody may have brought new rules for a zone while we run."""
        if now < self._zones_at <= now + ZONES_EVERY:
            return
        self._zones_at = now + ZONES_EVERY
        if self.zones.follow():
            self.ring()
