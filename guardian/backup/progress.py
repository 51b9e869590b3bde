"""How far long work is: a line on stderr every few seconds, and an end to what takes for ever. One thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from guardian.errors import Doubt

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 3.0
LONGEST = 12 * 3600.0
MIB = 1 << 20


class Progress:
    """Told of every piece; tells people now and then."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._began = self._told = time.monotonic()
        self._step = ""
        self._done = self._all = 0

    def expect(self, size: int) -> None:
        """So many bytes in all, about."""
        self._all = size

    def step(self, name: str) -> None:
        """The next part of the work."""
        self._step = name
        self._now_and_then("")

    def heed(self, size: int) -> None:
        """So many more bytes are done. Raises Doubt when it takes longer than anybody would wait."""
        self._done += size
        of = f" of about {self._all // MIB}" if self._all else ""
        self._now_and_then(f": {self._done // MIB}{of} MiB")

    def pages(self, done: int, of: int) -> None:
        """So many pages of the store are copied."""
        self._now_and_then(f": {done} of {of} pages")

    def _now_and_then(self, words: str) -> None:
        now = time.monotonic()
        if now - self._began > LONGEST:
            raise Doubt("cannot go on, because it has taken more than 12 hours", fix="look at the disk, try again")
        if now - self._told >= EVERY:
            self._told = now
            self._tell(f"  {self._step}{words}")
