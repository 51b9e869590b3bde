"""Do a thing on a disk that may hang, and come back in time whatever the disk does."""

from __future__ import annotations

import os
import select
import time

from guardian.fence.light import TYPE_CHECKING
from guardian.fence.processes import SIGKILL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOO_LONG = "the disk did not answer in time"
AT_ITS_END = 0.2
MOST_DESCRIPTORS = 1 << 16


def within(action: Callable[[], str], limit: float) -> str:
    """Whichever way fits the program that asks: a child where there is one thread, a thread where there are more."""
    alone = len(os.listdir("/proc/self/task")) == 1  # the kernel's word; `threading` need not even be imported
    return in_a_child(action, limit) if alone else in_a_thread(action, limit)


def in_a_child(action: Callable[[], str], limit: float, *, closing: Iterable[int] = ()) -> str:
    """Run `action` in a forked child for at most `limit` seconds; its text, or why there is none.

    For programs with one thread. The child closes everything that it was born with, `closing` first: a hung one must
    keep neither the locks of the gates nor the caller's output, whose reader would wait for it. One that is late is
    killed: it would finish when the disk comes back, perhaps after a thaw.
    """
    try:
        reader, writer = os.pipe()
    except OSError as error:
        return _not_started(error)
    try:
        child = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        return _not_started(error)
    if child == 0:
        _be_the_child(action, writer, closing)
    os.close(writer)
    try:
        ready = select.select([reader], [], [], limit)[0]
        answer = os.read(reader, 4096).decode("utf-8", "replace") if ready else TOO_LONG
    finally:
        os.close(reader)
    if not ready:
        os.kill(child, SIGKILL)
    reap(child, 1.0 if ready else AT_ITS_END)
    return answer[1:] if answer.startswith("=") else answer or "the child that should do it died"


def in_a_thread(action: Callable[[], str], limit: float) -> str:
    """The same for a program with threads, where a fork would copy locks and connections.

    A thread that may stay behind.
    """
    import threading  # on the way to CONFIRMED nobody needs it, and it costs 1 ms and more

    answer: list[str] = []

    def run() -> None:
        try:
            answer.append(action())
        except OSError as error:
            answer.append(str(error))

    thread = threading.Thread(target=run, name="durable", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # no more threads
        return _not_started(error)
    thread.join(limit)
    return answer[0] if answer else TOO_LONG


def _be_the_child(action: Callable[[], str], writer: int, closing: Iterable[int]) -> None:
    """Never returns: what follows a fork must not run the parent's clean-up."""
    code = 1
    try:
        for fd in closing:
            os.close(fd)
        os.closerange(0, writer)
        os.closerange(writer + 1, MOST_DESCRIPTORS)
        os.write(writer, b"=" + action().encode("utf-8", "replace")[:4000])
        code = 0
    finally:
        os._exit(code)


def reap(child: int, seconds: float) -> None:
    """Collect the child when it has ended; one that hangs in the kernel is left to the kernel."""
    until = time.monotonic() + seconds
    try:
        while os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < until:
            time.sleep(0.0005)
    except ChildProcessError:
        return  # our caller ignores its children's ends, and so do we (SIGCHLD is inherited)


def _not_started(error: Exception) -> str:
    """Out of processes, threads or descriptors: better said than done without a limit."""
    return f"nobody could be started to do it ({getattr(error, 'strerror', None) or error})"
