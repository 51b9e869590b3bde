"""The machine's clocks: what the wall shows, how long the machine has been up, and whether the kernel trusts the wall.

The only place where they are read; everybody else is given them.
"""

from __future__ import annotations

import ctypes
import time

from guardian.fence.permits import boot_id
from guardian.rules.clock import Sight

TIME_ERROR = 5
STA_UNSYNC = 0x40
SIZE_OF_TIMEX = 512  # more than the kernel's struct has on any machine
STATUS_AT = ctypes.sizeof(ctypes.c_long) * 5  # after `modes` (padded), offset, freq, maxerror, esterror
_libc = ctypes.CDLL(None, use_errno=True)


def wall_clock() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def boot_time() -> int:
    """Milliseconds since the machine was started, suspends included. Nobody can set it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def synchronised() -> bool:
    """Whether the kernel says that somebody (NTP) keeps the wall clock right; where it may not be asked, it is not."""
    timex = ctypes.create_string_buffer(SIZE_OF_TIMEX)  # modes 0: only asks
    state = _libc.adjtimex(timex)
    status = int.from_bytes(timex.raw[STATUS_AT : STATUS_AT + 4], "little")
    return 0 <= state < TIME_ERROR and not status & STA_UNSYNC


def sight() -> Sight:
    """All of them at once."""
    return Sight(wall=wall_clock(), elapsed=boot_time(), boot=boot_id(), synchronised=synchronised())
