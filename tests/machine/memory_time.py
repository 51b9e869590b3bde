"""Time as the machine has it: one true clock that only moves when the machine moves it, and a wall that may be wrong.

Whoever waits, moves it: `Patience` is the lanes' halt, whose wait costs no time of ours.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

BEGINNING = 1_795_000_000_000  # an instant in November 2026, in ms


@dataclass
class MemoryTime:
    """`boot` is the true time since the machine began, `off` is how far the wall clock is from the truth; both ms."""

    boot: int = 0
    off: int = 0
    synchronised: bool = False

    def wall(self) -> int:
        """What the house's clock shows."""
        return BEGINNING + self.boot + self.off

    def true(self) -> int:
        """What the platform's clock shows: it is always right."""
        return BEGINNING + self.boot

    def elapsed(self) -> int:
        """What the kernel's boot-time clock shows: nobody can set it."""
        return self.boot


class Patience(threading.Event):
    """A lane's halt: to wait for it lets the time pass."""

    def __init__(self, time: MemoryTime) -> None:
        super().__init__()
        self.time = time

    def wait(self, timeout: float | None = None) -> bool:
        """The time passes; nobody else can act meanwhile, for there is only one thread."""
        self.time.boot += round((timeout or 0.0) * 1000)
        return self.is_set()
