"""Another user, really: the kernel takes this process for one for a few lines, and root's word is worth nothing."""

from __future__ import annotations

import contextlib
import os
import tempfile
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


def open_the_way(directory: Path) -> None:
    """Let others pass through it, and through all above it that belongs to this run of the tests."""
    for path in (directory, *directory.parents):
        if path == Path(tempfile.gettempdir()) or len(path.parts) <= 2:
            return
        path.chmod(0o755)


@contextlib.contextmanager
def stranger(house: House) -> Iterator[None]:
    """All ids are another's, and the way to the house is free; nothing in the house is."""
    open_the_way(Path(house.state_dir).parent)
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
