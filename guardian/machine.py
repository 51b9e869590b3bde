"""What the machine says of itself: whether somebody keeps its wall clock right. Any thread."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

TIME_ERROR = 5
STA_UNSYNC = 0x40
SIZE_OF_TIMEX = 512  # more than the kernel's struct has on any machine
STATUS_AT = ctypes.sizeof(ctypes.c_long) * 5  # after `modes` (padded), offset, freq, maxerror, esterror
ASKED_WITHIN = 2.0
_libc = ctypes.CDLL(None, use_errno=True)


def kept_right() -> bool | None:
    """Whether the kernel says that somebody (NTP) keeps the wall clock right.

    None where it may not be asked: guardian.service lets no call of the clock through (ProtectClock=).
    """
    timex = ctypes.create_string_buffer(SIZE_OF_TIMEX)  # modes 0: only asks
    state = _libc.adjtimex(timex)
    status = int.from_bytes(timex.raw[STATUS_AT : STATUS_AT + 4], "little")
    return None if state < 0 else state < TIME_ERROR and not status & STA_UNSYNC


def kept_right_by_systemd() -> bool | None:
    """What systemd says of it, which a program fetches; None where there is none, or no answer."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    words = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(  # noqa: S603 (systemd's own, by its own path)
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASKED_WITHIN, check=False, env={}
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {b"yes": True, b"no": False}.get(done.stdout.strip()) if done.returncode == 0 else None
