"""The machine's clocks: what the wall shows, how long the machine has been up, and whether the kernel trusts the wall.

The only place where they are read; everybody else is given them.
"""

from __future__ import annotations

import threading
import time

from guardian.fence.permits import boot_id
from guardian.machine import kept_right, kept_right_by_systemd
from guardian.rules.clock import Sight

YES_HOLDS, NO_HOLDS = 600.0, 30.0  # seconds
A_STEP = 1_000

__all__ = ["boot_time", "sight", "synchronised", "wall_clock"]


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def boot_time() -> int:
    """Milliseconds since the machine was started, suspends included. Nobody can set it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def synchronised() -> bool:
    """Whether the kernel says that somebody (NTP) keeps the wall clock right; where nobody can be asked, it is not.

    guardian.service lets no call of the clock through (ProtectClock=): then systemd's own word is asked for.
    """
    kept = kept_right()
    return _timedated.says(wall_clock() - boot_time()) if kept is None else kept


class Timedated:
    """systemd's word, which a program fetches: asked again when it is old, and when the wall clock was set meanwhile.

    Any thread; one asks at a time, and the others go by what was said before.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._said = False
        self._offset = 0
        self._until = 0.0

    def says(self, offset: int) -> bool:
        """Whether the clock is kept right. `offset`: of the wall clock from the boot-time clock, in ms."""
        if not self._turn.acquire(blocking=False):
            return self._said
        try:
            if time.monotonic() >= self._until or abs(offset - self._offset) > A_STEP:
                self._said, self._offset = kept_right_by_systemd() is True, offset
                self._until = time.monotonic() + (YES_HOLDS if self._said else NO_HOLDS)
            return self._said
        finally:
            self._turn.release()


_timedated = Timedated()


def sight() -> Sight:
    """All of them at once."""
    return Sight(wall=wall_clock(), elapsed=boot_time(), boot=boot_id(), synchronised=synchronised())
