"""Do a thing on a disk that may hang, and come back in time whatever the disk does."""

from __future__ import annotations

import os
import select
import time

from guardian.fence.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOO_LONG = "the disk did not answer in time"


def in_a_child(action: Callable[[], str], limit: float, *, closing: Iterable[int] = ()) -> str:
    """Run `action` in a forked child for at most `limit` seconds; its text, or why there is none.

    For programs with one thread. The child closes `closing` first (gate descriptors: a hung child must not keep locks).
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(action, writer, closing)
    os.close(writer)
    try:
        ready = select.select([reader], [], [], limit)[0]
        answer = os.read(reader, 4096).decode("utf-8", "replace") if ready else TOO_LONG
    finally:
        os.close(reader)
    _reap(child, wait=bool(ready))
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
    thread.start()
    thread.join(limit)
    return answer[0] if answer else TOO_LONG


def _be_the_child(action: Callable[[], str], writer: int, closing: Iterable[int]) -> None:
    """Never returns: what follows a fork must not run the parent's clean-up."""
    code = 1
    try:
        for fd in closing:
            os.close(fd)
        os.write(writer, b"=" + action().encode("utf-8", "replace")[:4000])
        code = 0
    finally:
        os._exit(code)


def _reap(child: int, *, wait: bool) -> None:
    """Collect the child if it has ended; one that hangs on a disk is left to the kernel."""
    until = time.monotonic() + (1.0 if wait else 0.0)
    while os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < until:
        time.sleep(0.0005)
