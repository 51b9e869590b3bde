"""Files on the disk of a bundle: whole or not at all, private, never followed out of it. Any thread may call it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from guardian.errors import DiskFull, GuardianError, Refusal, TooLarge, Unwritable
from guardian.failpoint import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import BufferedReader
    from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MOST_BYTES = 1 << 30  # of one file
MOST_FILES = 20_000  # of one bundle
PART = ".part"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_END = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextlib.contextmanager
def in_words(path: Path) -> Iterator[None]:
    """What the kernel refuses, as one of our errors. Raises DiskFull, Unwritable."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(
                f"cannot write {path}, because the disk is full", fix="make room, then take the snapshot again"
            ) from error
        raise Unwritable(
            f"cannot write {path}, because of this: {error.strerror}", fix="let the service user write there"
        ) from error


def fresh_directory(path: Path) -> None:
    """A new private directory, known to its parent's disk. Raises Unwritable when it exists."""
    with in_words(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        sync_directory(path.parent)


def write_part(root: Path, name: str, data: bytes) -> None:
    """The file's content under a preliminary name, on the disk; `settle` gives it its name."""
    write_parts(root, {name: data})


def write_parts(root: Path, pieces: Mapping[str, bytes]) -> None:
    """The same for several files: all are written, then all are brought to the disk, which is one journey, not many."""
    opened: list[tuple[int, Path]] = []
    with contextlib.ExitStack() as closing:
        try:
            for name, data in pieces.items():
                with in_words(root / name):
                    fd, part = _new_part(root, name)
                    closing.callback(os.close, fd)
                    opened.append((fd, part))
                    failpoint("evidence.opened")
                    _write_all(fd, data)
            failpoint("evidence.written")
            for fd, part in opened:
                with in_words(part):
                    os.fsync(fd)
        except GuardianError:
            for _, part in opened:
                part.unlink()
            raise


def _new_part(root: Path, name: str) -> tuple[int, Path]:
    _folders(root, name)
    part = (root / name).with_name((root / name).name + PART)
    part.unlink(missing_ok=True)  # of a try of ours that the disk refused: what a crash left was set aside
    return os.open(part, _NEW, 0o600), part


def settle(root: Path, name: str) -> None:
    """Give a file its name. Raises Refusal when there is one of that name."""
    path = root / name
    with in_words(path):
        if os.path.lexists(path):
            path.with_name(path.name + PART).unlink()
            raise Refusal(f"cannot keep {name}, because there is one already in {root.name}; it was left as it is")
        path.with_name(path.name + PART).rename(path)
    failpoint("evidence.renamed")


def append(root: Path, name: str, data: bytes, *, sync: bool = True) -> None:
    """Add to the end of a file: on the disk when this returns, or (without `sync`) once `sync_file` was called."""
    path = root / name
    with in_words(path):
        _folders(root, name)
        new = not path.exists()
        fd = os.open(path, _END, 0o600)
        try:
            _write_or_undo(fd, data, sync=sync)
        finally:
            os.close(fd)
        if new and sync:
            sync_directory(path.parent)
            sync_directory(root)
    failpoint("evidence.appended")


def sync_file(root: Path, name: str) -> None:
    """What was appended without it is on the disk."""
    with in_words(root / name):
        fd = os.open(root / name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)


def sync_directory(path: Path) -> None:
    """Names that were given are on the disk."""
    with in_words(path):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def read(root: Path, name: str, *, limit: int = MOST_BYTES) -> bytes:
    """A plain file's content. Raises TooLarge, Refusal for what cannot be read or is no plain file."""
    with _opened(root, name) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise TooLarge(f"cannot read {name} of {root.name}, because it has more than {limit} bytes")
        return file.read(limit + 1)


def sha256(root: Path, name: str) -> str:
    """The hash of a plain file's content. Raises Refusal for what cannot be read or is no plain file."""
    with _opened(root, name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _opened(root: Path, name: str) -> Iterator[BufferedReader]:
    """A plain file, neither a link nor a pipe. Raises Refusal."""
    try:
        fd = os.open(root / name, _READ)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Refusal(f"cannot read {name} of {root.name}, because it is no plain file")
        with os.fdopen(fd, "rb") as file:
            yield file
    except OSError as error:
        raise Refusal(f"cannot read {name} of {root.name}, because of this: {error.strerror}") from error


def listed(root: Path) -> list[str]:
    """Every name below the bundle that is no directory, sorted; links are named, not followed. Raises TooLarge."""
    found: list[str] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name + "/")
                else:
                    found.append(name)
        if len(found) + len(waiting) > MOST_FILES:
            raise TooLarge(f"cannot look through {root}, because it has more than {MOST_FILES} files")
    return sorted(found)


def folders(names: list[str]) -> set[str]:
    """The folders in which these files are, the bundle itself (`.`) among them."""
    return {"."} | {name[:place] for name in names for place, letter in enumerate(name) if letter == "/"}


def _folders(root: Path, name: str) -> None:
    """The folders of a name, each private (`mkdir -p` makes those in between as open as the umask allows)."""
    for folder in reversed((root / name).relative_to(root).parents[:-1]):
        (root / folder).mkdir(mode=0o700, exist_ok=True)


def _write_or_undo(fd: int, data: bytes, *, sync: bool) -> None:
    """All of it at the end of the file, on the disk; or, when the disk refuses, nothing: what follows is whole."""
    before = os.fstat(fd).st_size
    half = len(data) // 2
    try:
        _write_all(fd, data[:half])
        failpoint("evidence.appending")
        _write_all(fd, data[half:])
        if sync:
            os.fdatasync(fd)
    except OSError:
        os.ftruncate(fd, before)
        raise


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
