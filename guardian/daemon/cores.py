"""No memory of this process on the disk, and none for other programs of the same user. The main thread, once, at first.

A core holds every token. `RLIMIT_CORE` alone is not enough: where `core_pattern` is a pipe (systemd-coredump, apport)
the kernel does not look at it. So the process says that it may not be dumped at all. Then its `/proc/PID/mem`,
`environ` and `fd` are root's, and nobody of our user may trace it; what the fence looks at stays open to all (`stat`,
`status`, `/proc/locks`), and signals and pidfds ask for the user alone: a stop finds and ends this process as before.
But where /proc hides what its reader may not trace (hidepid, and ProtectProc= of our units), such a process cannot be
seen at all, and the agent, who must see whether it is ending, would confirm no stop. There RLIMIT_CORE has to do:
systemd-coredump and apport heed it, and the unit lets nobody trace.
Both hold until the next `execve`; a daemon that becomes a fresh image of itself says so again.
"""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path

PR_SET_DUMPABLE = 4


def off() -> None:
    """From now on. Where the kernel refuses one of the two, the other holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if proc_hides():
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def proc_hides(mounts: str = "/proc/self/mountinfo") -> bool:
    """Whether /proc is mounted so that it hides other processes. Where that cannot be read, it is taken to."""
    try:
        lines = Path(mounts).read_text("utf-8", "replace").splitlines()
    except OSError:
        return True
    options = next((line.split(" - ")[-1] for line in reversed(lines) if line.split()[4] == "/proc"), "")
    hidden = options.rpartition("hidepid=")[2].split(",")[0] if "hidepid=" in options else "0"
    return hidden not in ("0", "off")
