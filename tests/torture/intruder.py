"""Another program that has the store's file open and locked, and is stopped: it will not let go by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("begin immediate")
connection.execute("insert into counts values ('nobody', 'queued', 1)")
print("holds", flush=True)
time.sleep(600)
"""


class Intruder:
    """Use it in a `with`: inside, the store is locked; when it ends, the process is killed and the kernel unlocks."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-c", WRITER, str(self._store)], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"holds\n"
        self._process.send_signal(signal.SIGSTOP)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
