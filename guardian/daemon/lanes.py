"""The lanes that run, and the bell that wakes them. Any thread may ring; the reload alone replaces.

A lane is built from one account and a few numbers, and keeps them: where any of that changes, another lane takes its
place. The old one finishes what it is sending, and the new one begins when it has.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.daemon.loops import Loop
    from guardian.duties.lane import Lane


@dataclass(frozen=True, slots=True)
class Running:
    """A lane, and the loop that polls it."""

    lane: Lane
    loop: Loop

    @property
    def name(self) -> str:
        """The account's."""
        return self.lane.account.name

    def leave(self) -> None:
        """Finish what is being sent, and end."""
        self.lane.leave()
        self.loop.end()


class Bell:
    """Wakes every lane; `halt` also ends their waits at once (a freeze, the end)."""

    def __init__(self) -> None:
        self.running: tuple[Running, ...] = ()
        self.leaving: tuple[Running, ...] = ()
        self._others: list[threading.Event] = []

    @property
    def lanes(self) -> Sequence[Lane]:
        """Of the accounts in force."""
        return [one.lane for one in self.running]

    @property
    def loops(self) -> Sequence[Loop]:
        """Of everything that may still send."""
        return [one.loop for one in (*self.running, *self.leaving)]

    def ring(self) -> None:
        """Something changed: poll."""
        for loop in self.loops:
            loop.wake()

    def halt(self) -> None:
        """Stop waiting, whatever for."""
        for one in (*self.running, *self.leaving):
            one.lane.halt.set()
        for halt in self._others:
            halt.set()
        self.ring()

    def halt_of_another(self) -> threading.Event:
        """Set with every halt, for a long step of somebody who is no lane."""
        halt = threading.Event()
        self._others.append(halt)
        return halt

    def replace(self, running: Sequence[Running]) -> None:
        """From now on these run, in this order; whoever is not among them leaves."""
        staying = {id(one) for one in running}
        going = tuple(one for one in self.running if id(one) not in staying)
        self.leaving, self.running = (*self.leaving, *going), tuple(running)
        for one in going:
            one.leave()

    def all_have_left(self) -> bool:
        """Whether nobody is on the way out any more."""
        self.leaving = tuple(one for one in self.leaving if not one.loop.join(0))
        return not self.leaving
