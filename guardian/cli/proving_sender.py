"""The child that plays a sender in the self-test: passes a private gate as a lane does. Standard library only.

`--send`: reads scopes from its input, one a line, and sends under each until the gate closes; when its parent has gone
it takes away what the parent may have left. `--hold SCOPE`: goes inside and stops itself there, to be ended.
"""

import ctypes
import os
import select
import signal
import sys
import time

from guardian.fence.house import House
from guardian.fence.passage import Crossing, Stopped, look

WENT, SENT, STOPPED, HELD = b"w", b"s", b"x", b"h"
PR_SET_PDEATHSIG = 1
PAUSE = 0.001
LONGEST = 60.0


def main(words: list[str]) -> int:
    """Play the one or the other."""
    house = House(words[0], words[1])
    if words[2] == "--hold":
        return hold(house, words[3])
    os.write(1, WENT)
    try:
        while scope := _next_line():
            send(house, scope)
    except BrokenPipeError:
        pass  # our parent has died in the middle
    from guardian.cli.proving import clear

    clear(house)
    return 0


def send(house: House, scope: str) -> None:
    """Send under a scope until its gate is closed, which is said, too."""
    until = time.monotonic() + LONGEST
    try:
        while time.monotonic() < until:
            with Crossing(look(house, [scope])):
                os.write(1, SENT)
            time.sleep(PAUSE)
    except Stopped:
        os.write(1, STOPPED)


def hold(house: House, scope: str) -> int:
    """Be inside, and stopped there. Dies with its parent."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with Crossing(look(house, [scope])):
        os.write(1, HELD)
        os.kill(os.getpid(), signal.SIGSTOP)
    return 0


def _next_line() -> str:
    """The next scope; empty when our parent has closed our input, or died."""
    found = b""
    while not found.endswith(b"\n"):
        select.select([0], [], [])
        byte = os.read(0, 1)
        if not byte:
            return ""
        found += byte
    return found.decode("ascii").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
