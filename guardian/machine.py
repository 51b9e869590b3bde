"""What the machine says of itself, asked of the kernel: whether somebody keeps its wall clock right. Any thread."""

from __future__ import annotations

import ctypes

TIME_ERROR = 5
STA_UNSYNC = 0x40
SIZE_OF_TIMEX = 512  # more than the kernel's struct has on any machine
STATUS_AT = ctypes.sizeof(ctypes.c_long) * 5  # after `modes` (padded), offset, freq, maxerror, esterror
_libc = ctypes.CDLL(None, use_errno=True)


def synchronised() -> bool:
    """Whether the kernel says that somebody (NTP) keeps the wall clock right; where it may not be asked, it is not."""
    return kept_right() is True


def kept_right() -> bool | None:
    """The same; None where the kernel may not be asked: ProtectClock= of a unit forbids the question, too."""
    timex = ctypes.create_string_buffer(SIZE_OF_TIMEX)  # modes 0: only asks
    state = _libc.adjtimex(timex)
    status = int.from_bytes(timex.raw[STATUS_AT : STATUS_AT + 4], "little")
    return None if state < 0 else state < TIME_ERROR and not status & STA_UNSYNC
