"""The processes that a stop has to reckon with: watched by pidfd, ended by pidfd, and never taken for dead too early.

A lock that is granted proves nothing about a holder that is just dying: the kernel may release its locks before it has
purged its sockets (research/thread-fence, correction 2). So whoever was seen is watched until it is either gone or
plainly not going.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # built in; `signal` around it brings `enum`, 2 ms on the way to the stop
import os
import select
import time

from guardian.fence.light import NamedTuple

PF_EXITING = 0x4
SIGKILL = 9
SIGKILL_BIT = 1 << (SIGKILL - 1)
GLANCE = 0.001


class Watched(NamedTuple):
    """A process that we hold by its pidfd: the number cannot come to mean another one."""

    pid: int
    pidfd: int

    def gone(self) -> bool:
        """Whether the whole process has ended, sockets and all."""
        return bool(select.select([self.pidfd], [], [], 0)[0])


class Watch:
    """Everybody seen near the gates during one stop."""

    def __init__(self) -> None:
        self.seen: dict[int, Watched] = {}

    def add(self, pid: int) -> None:
        """Hold a process by its pidfd; nothing happens for ourselves, for one already held or already gone."""
        if pid in self.seen or pid in (0, os.getpid()):
            return
        try:
            self.seen[pid] = Watched(pid, os.pidfd_open(pid))
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Let go of every pidfd."""
        for watched in self.seen.values():
            os.close(watched.pidfd)
        self.seen.clear()

    def dying(self) -> list[int]:
        """Who has begun to end but has not ended."""
        return [one.pid for one in self.seen.values() if not one.gone() and is_dying(one.pid) and not one.gone()]

    def wait_for_the_dying(self, until: float) -> list[int]:
        """Wait until nobody is half dead; who still is at `until` (monotonic) is returned."""
        while True:
            left = self.dying()
            if not left or time.monotonic() >= until:
                return left
            time.sleep(GLANCE)

    def kill(self, pid: int) -> str:
        """SIGKILL one that is held; empty on success, else why it could not be done."""
        self.add(pid)
        one = self.seen.get(pid)
        if one is None:
            return ""
        try:
            _signal.pidfd_send_signal(one.pidfd, SIGKILL)
        except ProcessLookupError:
            return ""
        except PermissionError:
            return f"this user may not end process {pid}"
        return ""

    def wait_gone(self, pid: int, until: float) -> bool:
        """Wait for the end of one that is held."""
        one = self.seen.get(pid)
        return one is None or bool(select.select([one.pidfd], [], [], max(0.0, until - time.monotonic()))[0])


def is_dying(pid: int) -> bool:
    """Whether any thread of the process is exiting or has a SIGKILL pending. Unreadable counts as dying."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return True
    return any(_thread_is_dying(f"/proc/{pid}/task/{thread}") for thread in threads)


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped (SIGSTOP): it would not answer.

    One that is traced is not: under strace it stands still at every call, and goes on.
    """
    try:
        return _stat(f"/proc/{pid}/task/{pid}")[0] == "T"
    except OSError:
        return False


def is_hidden(pid: int, *, proc: str = "/proc") -> bool:
    """Whether it is there, but /proc does not show other people's processes (hidepid): then nothing is known of it."""
    if os.path.exists(f"{proc}/{pid}"):
        return False
    try:
        os.close(os.pidfd_open(pid))  # asks for no right, and sees what is hidden
    except OSError:
        return False
    return True


def _thread_is_dying(place: str) -> bool:
    try:
        state, flags = _stat(place)
        pending = _pending(place)
    except OSError:
        return False  # this thread has ended; the process is judged by its others and by its pidfd
    return state in ("Z", "X") or bool(flags & PF_EXITING) or bool(pending & SIGKILL_BIT)


def _stat(place: str) -> tuple[str, int]:
    """State and kernel flags of a thread. The name in between may hold anything, so we read from its last bracket."""
    with open(f"{place}/stat", "rb") as file:
        fields = file.read(4096).rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[6])


def _pending(place: str) -> int:
    """Signals pending for a thread or for its whole process, as a bit mask."""
    mask = 0
    with open(f"{place}/status", "rb") as file:
        for line in file.read(8192).splitlines():
            if line.startswith((b"SigPnd:", b"ShdPnd:")):
                mask |= int(line.split()[1], 16)
    return mask
