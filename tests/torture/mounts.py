"""File systems for a house to stand on: a small one in memory, a small one on a loop device, one in user space.

For root only. Each is a context manager that unmounts what it mounted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.torture.daemon import ROOT, NotInTimeError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTED_WITHIN = 10.0
GLANCE = 0.02
CHUNK = 4096


@contextlib.contextmanager
def in_memory(place: str, size: str = "4m") -> Iterator[None]:
    """A tmpfs of so many bytes."""
    Path(place).mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", place)
    try:
        yield
    finally:
        _unmount(place)


class SmallDisk:
    """A small ext4 on a loop device, which turns read-only at its first error, as a server's disk does."""

    def __init__(self, place: str, megabytes: int = 8) -> None:
        self.place = place
        Path(place).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix="torture-", suffix=".ext4", delete=False) as image:
            image.truncate(megabytes << 20)
            self._image = Path(image.name)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", image.name)
        self._mount()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _unmount(self.place)
        self._image.unlink()

    def fail(self) -> None:
        """An error inside the file system: it is read-only from here on, whoever has files open on it."""
        device = Path(self.place).stat().st_dev
        name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("the torture\n", "ascii")

    def mend(self) -> None:
        """Check it and mount it again; nobody may use it meanwhile."""
        _run("umount", self.place)
        subprocess.run(["e2fsck", "-f", "-y", str(self._image)], check=False, capture_output=True, timeout=60)
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), self.place)


def fill(place: str, *, leave: int = 0) -> Path:
    """Write until nothing fits any more, not even one byte; the file that takes all the room."""
    stuff = Path(place) / "somebody-elses-file"
    with stuff.open("ab", buffering=0) as file:
        for chunk in (1 << 20, CHUNK, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * chunk):
                    pass
        if leave:
            file.truncate(max(0, stuff.stat().st_size - leave))
        os.fsync(file.fileno())
    return stuff


class Passthrough:
    """A directory seen through a file system in user space that does as it is told: well, hang, or fail to sync."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._beside = Path(tempfile.mkdtemp(prefix="torture-fuse-"))
        (self._beside / "under").mkdir(mode=0o700)
        Path(place).mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "tests.torture.hanging_disk", str(self._beside), place]
        self._process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)  # libfuse talks of its threads
        until = time.monotonic() + MOUNTED_WITHIN
        while not os.path.ismount(place):
            if time.monotonic() > until or self._process.poll() is not None:
                self._process.kill()
                raise NotInTimeError("the file system in user space was not mounted")
            time.sleep(GLANCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process: the kernel aborts the connection, and every hung call ends with an error. Then unmount."""
        self._process.kill()
        self._process.wait(MOUNTED_WITHIN)
        subprocess.run(["umount", "-l", self.place], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self._beside, ignore_errors=True)

    def hang(self) -> None:
        """From now on no call comes back."""
        (self._beside / "hang").touch()

    def recover(self) -> None:
        """As if nothing had been."""
        (self._beside / "hang").unlink(missing_ok=True)
        (self._beside / "broken").unlink(missing_ok=True)

    def fail_to_sync(self) -> None:
        """From now on fsync says EIO."""
        (self._beside / "broken").touch()


def _unmount(place: str) -> None:
    if subprocess.run(["umount", place], check=False, stderr=subprocess.DEVNULL).returncode:
        _run("umount", "-l", place)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60)
