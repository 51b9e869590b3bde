"""Failpoints: named places where a test may crash, stop or delay the real program, and nobody else can.

Set by GUARDIAN_FAILPOINTS="name=action,name=action" at start; actions: `crash` (SIGKILL), `stop` (SIGSTOP of the
process, at this very instruction), `sleep:SECONDS`. `name=action@N` acts at the Nth passage only. Unset, a failpoint
is one look into an empty dictionary.
"""

from __future__ import annotations

import os
import signal
import threading
import time


def _read(text: str) -> dict[str, tuple[str, int]]:
    points = {}
    for item in filter(None, text.split(",")):
        name, _, action = item.partition("=")
        deed, _, nth = action.partition("@")
        points[name] = (deed, int(nth or 1))
    return points


POINTS = _read(os.environ.get("GUARDIAN_FAILPOINTS", ""))
_passed: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Pass a named place; usually nothing happens."""
    if not POINTS or name not in POINTS:
        return
    deed, nth = POINTS[name]
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == nth:
        _do(deed)


def _do(deed: str) -> None:
    if deed == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal is on its way; nothing after this line may run
    elif deed == "stop":
        # to this thread: os.kill may stop another thread first and let this one run on (research/thread-fence, traps)
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    elif deed.startswith("sleep:"):
        time.sleep(float(deed.partition(":")[2]))
