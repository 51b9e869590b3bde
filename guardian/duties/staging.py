"""Files on their way into an import: handed over first, imported by their id after that. Called by API threads.

A staged file has no name on the disk any more: it is gone when it is closed, and with the process in any case.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from guardian.duties.import_check import Progress
from guardian.errors import Doubt, Unfound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.store.incoming import Incoming

MOST = 8
KEPT_FOR = 15 * 60_000
AGAIN = "hand the file over again: POST /v1/imports"


@dataclass(slots=True)
class Staged:
    """One file, open; `taken` while it is imported."""

    fd: int
    size: int
    at: int
    progress: Progress = field(default_factory=Progress)
    taken: bool = False


class Staging:
    """Everything that was handed over to be imported and was not yet."""

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._staged: dict[str, Staged] = {}
        self._turn = threading.Lock()

    def settle(self, incoming: Incoming) -> str:
        """It has come whole; the id to import it by. Raises Doubt when too many wait already."""
        incoming.finish()
        now = self.clock()
        with self._turn:
            self._forget_old(now)
            if len(self._staged) >= MOST:
                raise Doubt("cannot take the file, because too many others wait to be imported", fix="try again later")
            name = f"i-{os.urandom(10).hex()}"
            self._staged[name] = Staged(os.dup(incoming.fd), incoming.size, now)
        return name

    @contextlib.contextmanager
    def taken(self, name: str) -> Iterator[tuple[BinaryIO, Staged]]:
        """The file, to be read once; it is gone after that. Raises Unfound."""
        with self._turn:
            staged = self._get(name)
            if staged.taken:
                raise Unfound(f"cannot import {name!r}, because it is being imported already", fix=AGAIN)
            staged.taken = True
        try:
            with os.fdopen(staged.fd, "rb") as file:
                file.seek(0)
                yield file, staged
        finally:
            with self._turn:
                self._staged.pop(name, None)

    def progress(self, name: str) -> Progress:
        """How far it is. Raises Unfound when it is not there any more."""
        with self._turn:
            return self._get(name).progress

    def _get(self, name: str) -> Staged:
        if name not in self._staged:
            raise Unfound(f"cannot find the import {name[:80]!r}, because no file waits under that id", fix=AGAIN)
        return self._staged[name]

    def _forget_old(self, now: int) -> None:
        """What nobody imported in a quarter of an hour, by a clock that may have jumped."""
        for name, staged in list(self._staged.items()):
            if not staged.taken and not 0 <= now - staged.at < KEPT_FOR:
                os.close(self._staged.pop(name).fd)
