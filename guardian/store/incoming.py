"""One file on its way into the spool: written under a name of its own, hashed on the way, given its name in the end.

One thread at a time has it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple, Self

from guardian.errors import Rotten, TooLarge, Unfound
from guardian.failpoint import failpoint

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.store.spool import Spool

INCOMING = "incoming"
BLOCK = 4096
CHUNK = 1 << 20


class Kept(NamedTuple):
    """What lies in the spool now; `fresh` is False when it lay there already."""

    sha256: str
    size: int
    fresh: bool = True


class Incoming:
    """Write, finish, look at it if you like, keep. `fd` reads it, from its beginning, once it is finished."""

    def __init__(self, spool: Spool, limit: int) -> None:
        self.spool = spool
        self.limit = limit
        self.size = 0
        self._hash = hashlib.sha256()
        self._reserved = 0
        self._unchecked = CHUNK  # written since the disk was last asked for room
        self._kept = False
        folder = spool.path / INCOMING
        self.path = folder / os.urandom(16).hex()
        try:
            for place in (spool.path, folder):
                place.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self.fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise spool.in_words(error) from error

    @property
    def sha256(self) -> str:
        """The hash of what has come so far."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """The next bytes. Raises TooLarge, SpoolFull, DiskFull, Unwritable."""
        self.size += len(chunk)
        if self.size > self.limit:
            raise TooLarge(
                f"cannot take in a file of more than {self.limit} bytes, because that is the limit",
                fix="make it smaller",
            )
        self._reserve(rounded(self.size))
        self._unchecked += len(chunk)
        try:
            if self._unchecked >= CHUNK:
                self._unchecked = 0
                self.spool.must_have_room()
            left = memoryview(chunk)
            while left:
                left = left[os.write(self.fd, left) :]
        except OSError as error:
            raise self.spool.in_words(error) from error
        self._hash.update(chunk)

    def finish(self) -> None:
        """All has come: on the disk, still under a name of its own."""
        try:
            os.fsync(self.fd)
            readable = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            os.close(self.fd)  # nobody writes any more, and whoever looks at it gets no way to
            self.fd = readable
        except OSError as error:
            raise self.spool.in_words(error) from error

    def keep(self) -> Kept:
        """Give it its name, for good. What lies there already under that name is the same, unless it has rotted."""
        with self.spool.turn:
            failpoint("spool.written")
            fresh = not self._lies_there()
            if fresh:
                try:
                    self._name()
                except OSError as error:
                    raise self.spool.in_words(error) from error
            failpoint("spool.kept")
        return Kept(self.sha256, self.size, fresh)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        if not self._kept:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.spool.give_back(self._reserved)

    def _reserve(self, size: int) -> None:
        if size > self._reserved:
            self.spool.reserve(size - self._reserved)
            self._reserved = size

    def _lies_there(self) -> bool:
        try:
            self.spool.checked(self.sha256).close()
        except Rotten:  # its place is taken by what it should have been
            with contextlib.suppress(OSError):
                self.spool.give_back(rounded(self.spool.path_of(self.sha256).stat().st_size))
            return False
        except Unfound:
            return False
        return True

    def _name(self) -> None:
        path = self.spool.path_of(self.sha256)
        made = not path.parent.is_dir()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.replace(path)
        self._kept = True
        failpoint("spool.renamed")
        _sync(path.parent)
        if made:
            _sync(self.spool.path)


def rounded(size: int) -> int:
    """What a file of that size takes of a disk."""
    return -(-max(size, 1) // BLOCK) * BLOCK


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
