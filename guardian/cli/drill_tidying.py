"""Takes a drill's house away when the drill was killed: a child that waits for its parent's end. Standard library only.

It keeps the lock of the drills until it is done, so that whoever drills next finds nothing half taken away.
"""

import os
import shutil
import sys
import time

from guardian.cli.proving import clear
from guardian.fence.house import House

NAME = "drill"
DONE = b"d"
AGAIN_AFTER = 0.3


def places(house: House) -> tuple[str, str]:
    """Where a drill's own house stands: beside the real one, on the same file systems."""
    return f"{house.state_dir}/{NAME}", f"{house.runtime_dir}/{NAME}"


def tidy(house: House) -> list[str]:
    """Take away what a drill has left; what there was. Only under the lock."""
    found = [path for path in places(house) if os.path.lexists(path)]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return [*found, *clear(house)]


def main(words: list[str]) -> int:
    """Wait; a parent that says nothing before its end was killed."""
    house = House(words[0], words[1])
    if os.read(0, 1) != DONE:
        tidy(house)
        time.sleep(AGAIN_AFTER)  # the drill's daemon dies at the same moment, and may have written once more
        tidy(house)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
