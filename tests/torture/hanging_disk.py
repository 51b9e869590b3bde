"""`python -m tests.torture.hanging_disk BESIDE PLACE`: the directory BESIDE/under, shown at PLACE, until told to hang.

While the file BESIDE/hang lies there, every call blocks, as on a network disk whose server is gone; while BESIDE/broken
lies there, every sync fails with EIO, as on a disk that dies.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfusepy  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

GLANCE = 0.01
TIMES = ("st_atime", "st_mtime", "st_ctime")
KEYS = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_blocks", "st_ino")


def obedient(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that first looks at what was ordered."""

    @functools.wraps(operation)
    def ordered(self: Disk, *words: Any) -> Any:  # noqa: ANN401 (whatever the operation takes and gives)
        while self.hang.exists():
            time.sleep(GLANCE)
        return operation(self, *words)

    return ordered


class Disk(mfusepy.Operations):  # type: ignore[misc]  # (the library ships no types)
    """Every call goes through to the directory under it."""

    use_ns = True

    def __init__(self, beside: Path) -> None:
        self.under = beside / "under"
        self.hang = beside / "hang"
        self.broken = beside / "broken"

    def _at(self, path: str) -> Path:
        return self.under / path.lstrip("/")

    @obedient
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = os.fstat(fh) if fh else self._at(path).lstat()
        return {key: getattr(found, key) for key in KEYS} | {key: getattr(found, f"{key}_ns") for key in TIMES}

    @obedient
    def readdir(self, path: str, _: int) -> list[str]:
        return [".", "..", *(one.name for one in self._at(path).iterdir())]

    @obedient
    def create(self, path: str, mode: int, _: Any = None) -> int:  # noqa: ANN401 (the library's own signature)
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)

    @obedient
    def open(self, path: str, _: int) -> int:
        return os.open(self._at(path), os.O_RDWR)

    @obedient
    def read(self, _: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    @obedient
    def write(self, _: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    @obedient
    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(fh or self._at(path), length)
        return 0

    @obedient
    def release(self, _: str, fh: int) -> int:
        os.close(fh)
        return 0

    @obedient
    def fsync(self, _: str, __: int, fh: int) -> int:
        if self.broken.exists():
            raise mfusepy.FuseOSError(errno.EIO)
        os.fsync(fh)
        return 0

    @obedient
    def fsyncdir(self, *_: object) -> int:
        if self.broken.exists():
            raise mfusepy.FuseOSError(errno.EIO)
        return 0

    @obedient
    def unlink(self, path: str) -> int:
        self._at(path).unlink()
        return 0

    @obedient
    def rename(self, old: str, new: str) -> int:
        self._at(old).rename(self._at(new))
        return 0

    @obedient
    def mkdir(self, path: str, mode: int) -> int:
        self._at(path).mkdir(mode)
        return 0

    @obedient
    def rmdir(self, path: str) -> int:
        self._at(path).rmdir()
        return 0

    @obedient
    def chmod(self, path: str, mode: int) -> int:
        self._at(path).chmod(mode)
        return 0

    @obedient
    def chown(self, path: str, uid: int, gid: int) -> int:
        os.chown(self._at(path), uid, gid)
        return 0

    @obedient
    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        os.utime(self._at(path), ns=times or (time.time_ns(),) * 2)
        return 0


if __name__ == "__main__":
    mfusepy.FUSE(Disk(Path(sys.argv[1])), sys.argv[2], foreground=True, attr_timeout=0, entry_timeout=0)
