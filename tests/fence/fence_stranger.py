"""Another user, really: the kernel takes this process for one for a few lines, and root's word is worth nothing."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House

STRANGER = 65533


@contextlib.contextmanager
def threads() -> Iterator[None]:
    """A program with threads, as the daemon is: whatever has a time limit is done in a thread, and no fork is made."""
    end = threading.Event()
    parked = threading.Thread(target=end.wait, args=(60,))
    parked.start()
    try:
        yield
    finally:
        end.set()
        parked.join()


@contextlib.contextmanager
def stranger(house: House) -> Iterator[None]:
    """All ids are another's, and the way to the house is free; nothing in the house is."""
    for path in list(Path(house.state_dir).parents)[:3]:
        path.chmod(0o755)
    with threads():
        os.setresuid(STRANGER, STRANGER, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)


def give_away(*directories: str) -> None:
    """Let directories, and what lies in them, belong to the stranger."""
    for directory in directories:
        os.chown(directory, STRANGER, STRANGER)
        for name in os.listdir(directory):
            os.chown(f"{directory}/{name}", STRANGER, STRANGER)
