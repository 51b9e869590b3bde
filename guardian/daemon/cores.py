"""No memory of this process on the disk, and none for other programs of the same user. The main thread, once, at first.

A core holds every token. `RLIMIT_CORE` alone is not enough: where `core_pattern` is a pipe (systemd-coredump, apport)
the kernel does not look at it. So the process says that it may not be dumped at all. Then its `/proc/PID/mem`,
`environ` and `fd` are root's, and nobody of our user may trace it; what the fence looks at stays open to all (`stat`,
`status`, `/proc/locks`), and signals and pidfds ask for the user alone: a stop finds and ends this process as before.
Both hold until the next `execve`; a daemon that becomes a fresh image of itself says so again.
"""

from __future__ import annotations

import ctypes
import resource

PR_SET_DUMPABLE = 4


def off() -> None:
    """From now on. Where the kernel refuses one of the two, the other holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
