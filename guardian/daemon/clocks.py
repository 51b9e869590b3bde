"""The machine's clocks: what the wall shows, how long the machine has been up, and whether the kernel trusts the wall.

The only place where they are read; everybody else is given them.
"""

from __future__ import annotations

import time

from guardian.fence.permits import boot_id
from guardian.machine import synchronised
from guardian.rules.clock import Sight

__all__ = ["boot_time", "sight", "synchronised", "wall_clock"]


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def boot_time() -> int:
    """Milliseconds since the machine was started, suspends included. Nobody can set it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def sight() -> Sight:
    """All of them at once."""
    return Sight(wall=wall_clock(), elapsed=boot_time(), boot=boot_id(), synchronised=synchronised())
