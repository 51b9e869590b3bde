"""The spool: files that posts show, each under the SHA-256 of its content, never changed. Any thread may call it.

`STATE_DIR/spool/ab/abcd...`, 0600 in directories of 0700. A file is written to `spool/incoming/` while its hash is
computed, fsynced, and only then renamed to its name; whoever reads it computes the hash again, so that what rotted on
the disk is never published. The process that owns the store owns the spool.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import threading
from typing import TYPE_CHECKING, NamedTuple

from guardian.errors import DiskFull, Rotten, SpoolFull, TooLarge, Unfound, Unwritable
from guardian.rules.media import MOST_BYTES
from guardian.store.incoming import INCOMING, Incoming, Kept, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader
    from pathlib import Path

SPOOL = "spool"
MOST = 8 << 30  # all files together, rounded up to blocks
SPARE, SPARE_SHARE = 256 << 20, 20  # of the disk stays free for the store: this much, or a 20th of a small one
SHA256 = re.compile(r"[0-9a-f]{64}")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
AGAIN = "hand the file over again"


class Lying(NamedTuple):
    """A file of the spool as a directory tells of it; `at` is when it was written, in milliseconds."""

    sha256: str
    size: int
    at: int


class Spool:
    """The files. `turn` is held over the keeping of a file with its row, and over the removing of both."""

    def __init__(self, path: Path, *, most: int = MOST, spare: int = SPARE) -> None:
        """Makes nothing: a full disk is no reason not to start."""
        self.path = path
        self.most = most
        self.spare = spare
        self.turn = threading.RLock()
        self._counting = threading.Lock()
        self._used: int | None = None  # counted when the first file comes in

    def recover(self) -> None:
        """Remove what a crash left half-written. Once, at the start, before anything comes in."""
        with contextlib.suppress(OSError):
            for left in (self.path / INCOMING).iterdir():
                left.unlink()

    def path_of(self, sha256: str) -> Path:
        """Where that content lies, if it does. Raises Unfound for what is no hash."""
        if SHA256.fullmatch(sha256) is None:
            raise Unfound(f"cannot find the file {sha256[:80]!r}, because that is no SHA-256", fix=AGAIN)
        return self.path / sha256[:2] / sha256

    def take_in(self, chunks: Iterable[bytes], *, limit: int = MOST_BYTES) -> Kept:
        """Keep what comes, at most `limit` bytes. Raises TooLarge, SpoolFull, DiskFull, Unwritable: nothing is left."""
        with self.receiving(limit=limit) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            incoming.finish()
            return incoming.keep()

    def receiving(self, *, limit: int = MOST_BYTES) -> Incoming:
        """A file that is about to come in, in a `with`: what is not kept in the end is gone."""
        return Incoming(self, limit)

    def read(self, sha256: str, *, limit: int = MOST_BYTES) -> bytes:
        """The content, whose hash was computed again. Raises Unfound, TooLarge, and Rotten when it is another one."""
        with self._file(sha256) as file:
            if os.fstat(file.fileno()).st_size > limit:
                raise TooLarge(f"cannot read the file {sha256}, because it has more than {limit} bytes")
            with _read_errors(sha256):
                found = file.read(limit + 1)
        if hashlib.sha256(found).hexdigest() != sha256:
            raise rotten(sha256)
        return found

    def checked(self, sha256: str) -> BufferedReader:
        """The file, open, after its hash was computed again; the caller closes it. Raises Unfound, Rotten."""
        with contextlib.ExitStack() as opened:
            file = opened.enter_context(self._file(sha256))
            with _read_errors(sha256):
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise rotten(sha256)
            file.seek(0)
            opened.pop_all()
            return file

    def remove(self, sha256: str) -> int:
        """Forget a file; how many bytes that were, 0 when it was gone already. Call it in your `turn`."""
        path = self.path_of(sha256)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        self.give_back(rounded(size))
        return size

    def lying(self) -> Iterator[Lying]:
        """Every file that lies here, folder by folder."""
        for place in range(256):
            with contextlib.suppress(FileNotFoundError), os.scandir(self.path / f"{place:02x}") as folder:
                for entry in folder:
                    if SHA256.fullmatch(entry.name):
                        seen = entry.stat(follow_symlinks=False)
                        yield Lying(entry.name, seen.st_size, seen.st_mtime_ns // 1_000_000)

    def reserve(self, size: int) -> None:
        """Room for so many more bytes. Raises SpoolFull, or DiskFull while the disk has only the store's spare left."""
        with self._counting:
            if self._used is None:
                self._used = sum(rounded(one.size) for one in self.lying())
            if self._used + size > self.most:
                raise SpoolFull(
                    f"cannot keep the file, because the spool {self.path} may hold {self.most >> 20} MiB and is full",
                    fix="cancel posts with large files, or wait until files that no post refers to are removed",
                )
            self._used += size

    def give_back(self, size: int) -> None:
        """So many bytes are not needed after all, or gone."""
        with self._counting:
            if self._used is not None:
                self._used -= size

    def must_have_room(self) -> None:
        """Raise DiskFull while the disk has only left what the store may need to write down what it sends."""
        disk = os.statvfs(self.path)
        if disk.f_bavail * disk.f_frsize < min(self.spare, disk.f_blocks * disk.f_frsize // SPARE_SHARE):
            raise self.full()

    def full(self) -> DiskFull:
        """The error for a disk without room."""
        return DiskFull(
            f"cannot keep the file, because the disk of {self.path} is full; nothing was changed",
            fix="make room, then hand it over again",
        )

    def in_words(self, error: OSError) -> Unwritable:
        """What the kernel says of a write, as one of ours."""
        if error.errno in FULL:
            return self.full()
        return Unwritable(
            f"cannot keep the file, because {self.path} cannot be written ({error.strerror}); nothing was changed",
            fix="let the service user write there, or look into the kernel's log (dmesg)",
        )

    def _file(self, sha256: str) -> BufferedReader:
        try:
            fd = os.open(self.path_of(sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Unfound(f"cannot find the file {sha256}, because it is not in the spool", fix=AGAIN) from error
        except OSError as error:
            raise _unreadable(sha256, error) from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise rotten(sha256)
        return os.fdopen(fd, "rb")


def rotten(sha256: str) -> Rotten:
    """The error for content that is not what its name says."""
    return Rotten(
        f"cannot use the file {sha256}, because its content is not what was handed over: it has rotted on the disk",
        fix="hand the same file over again: it takes the place of the rotten one; and look at the disk",
    )


def _unreadable(sha256: str, error: OSError) -> Rotten:
    return Rotten(
        f"cannot read the file {sha256} of the spool, because of this: {error.strerror}",
        fix="look into the kernel's log (dmesg), then hand the same file over again",
    )


@contextlib.contextmanager
def _read_errors(sha256: str) -> Iterator[None]:
    """A disk that cannot be read has lost the content as well."""
    try:
        yield
    except OSError as error:
        raise _unreadable(sha256, error) from error
