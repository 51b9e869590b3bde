"""Making a backup, with the daemon running or not: the store as it is at one moment first, then the files beside it.

In this order, because files come before the rows that name them: whatever the store's copy names lies there, and what
came later does no harm. Written beside, checked to its end, and only then given its name. No freeze and no lane ever
waits for it: it reads, and takes no lock that they take.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from guardian import __version__
from guardian.backup import archive, contents, placing
from guardian.backup.archive import Manifest
from guardian.errors import DiskFull, Garbled, GuardianError, Mistake, Refusal, Unfound, Unwritable
from guardian.evidence import names
from guardian.fence import gates, scopes
from guardian.store import check, copying, proving, wal
from guardian.store.database import STORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.backup.progress import Progress
    from guardian.fence.house import House
    from guardian.store.proving import Facts

BACKUPS = "backups"
NAMED = re.compile(r"guardian-\d{8}T\d{6}Z\.tar")
LEFT = re.compile(r"\.guardian-backup-(\d+)\.(tar|db)")
SPARE = 16 << 20
HEADER = 2048  # bytes that a file costs beside its own, at the most usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that is whole. `rotten` are files of posts whose content is not what their name says."""

    path: Path
    size: int
    sha256: str
    manifest: Manifest
    rotten: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def make(house: House, wanted: Path | None, *, keep: int | None, progress: Progress) -> Made:
    """A backup at `wanted` (a new file, or a directory for one), or in STATE_DIR/backups.

    Of those in the directory only the last `keep` stay. Writes down what came of it, for `guardian doctor`. Raises
    Mistake, Refusal (Broken where the store is), DiskFull, Unwritable: then nothing is left.
    """
    state = Path(house.state_dir)
    placing.must_be_at_rest(state)
    if not (state / STORE).exists():
        raise Unfound(f"cannot back up {state}, because no store is there yet", fix="start the guardian once")
    target = _target(state, wanted)
    try:
        made = _make(house, target, progress)
    except GuardianError as error:
        note(state, path=target, posts=0, why=error.message)
        raise
    except OSError as error:
        note(state, path=target, posts=0, why=str(error))
        raise Unwritable(
            f"cannot write the backup, because of this: {error.filename or target}: {error.strerror}",
            fix="mend that, then try again; nothing was left behind",
        ) from error
    note(state, path=made.path, posts=made.manifest.posts, why="", at=made.manifest.at)
    if keep is not None and NAMED.fullmatch(target.name):
        made.removed.extend(_let_go(target.parent, keep))
    return made


def note(state: Path, *, path: Path, posts: int, why: str, at: int | None = None) -> None:
    """`last-backup.json`: what became of the last one. A disk that cannot take it has been told of already."""
    words = {"at": at or time.time_ns() // 1_000_000, "path": str(path), "posts": posts, "ok": not why}
    beside = state / f".{contents.LAST}.{os.getpid()}"
    with contextlib.suppress(OSError):
        with _new(beside, owned_as=state) as file:
            file.write(json.dumps(words | ({"why": why} if why else {})).encode())
        beside.replace(state / contents.LAST)


def _target(state: Path, wanted: Path | None) -> Path:
    if wanted is None:
        wanted = state / BACKUPS
        scopes.make_private(str(wanted))
    path = wanted.absolute()
    if path.is_dir():
        path /= time.strftime("guardian-%Y%m%dT%H%M%SZ.tar", time.gmtime())
    if os.path.lexists(path):
        raise Refusal(f"cannot write the backup {path}, because it is there already", fix="name another file")
    if not path.parent.is_dir():
        raise Mistake(f"cannot write the backup {path}, because {path.parent} is no directory", fix="make it first")
    if any(path.is_relative_to(state / one) for one in contents.DIRECTORIES):
        raise Mistake(f"cannot write the backup {path}, because it would become part of the next", fix="name another")
    return path


def _make(house: House, target: Path, progress: Progress) -> Made:
    state = Path(house.state_dir)
    _clear(target.parent)
    _must_have_room(state, target, progress)
    copy, beside = (target.with_name(f".guardian-backup-{os.getpid()}.{kind}") for kind in ("db", "tar"))
    try:
        at, facts = _copy_the_store(house, copy, progress)
        manifest, rotten = _write(house, beside, copy, progress, at=at, facts=facts)
        progress.step("checking")
        if archive.read(beside, archive.Sink(), progress.heed) != manifest:
            raise Unwritable("cannot make the backup, because what was written is not what is read back")
        size, sha256 = beside.stat().st_size, _sha256(beside)
        _give_name(beside, target)
    finally:
        for path in (copy, beside):
            path.unlink(missing_ok=True)
    return Made(path=target, size=size, sha256=sha256, manifest=manifest, rotten=rotten)


def _copy_the_store(house: House, copy: Path, progress: Progress) -> tuple[int, Facts]:
    """While nobody owns the store, be its owner for as long as that takes: a daemon that starts waits its turn."""
    progress.step("copying the store")
    store = Path(house.state_dir) / STORE
    lock = gates.lock_for_life(house.store_lock)
    try:
        at = copying.take(store, copy, alone=lock is not None, progress=progress.pages)
    finally:
        if lock is not None:
            os.close(lock)
    progress.step("checking the store's copy")
    try:
        with copying.opened(copy) as tx:
            return at, proving.prove(tx)
    except Garbled as found:
        raise check.broken(store, found.message) from found


def _write(
    house: House, beside: Path, copy: Path, progress: Progress, *, at: int, facts: Facts
) -> tuple[Manifest, list[str]]:
    state, rotten, bundles = Path(house.state_dir), [], set()
    progress.step("writing")
    with _new(beside, owned_as=state if beside.is_relative_to(state) else None) as file:
        writing = archive.Writing(file, progress.heed)
        writing.add(STORE, copy)
        for name, path in _files(state):
            added = writing.add(name, path)
            if added is not None and name.startswith("spool/") and added.sha256 != path.name:
                rotten.append(name)
            if name.startswith("evidence/") and names.is_bundle(name.split("/")[1]):
                bundles.add(name.split("/")[1])
        manifest = Manifest(
            at=at,
            version=__version__,
            host=socket.gethostname(),
            schema=facts.schema,
            posts=facts.posts,
            states=facts.states,
            in_flight=facts.in_flight,
            freezes=list(facts.freezes),
            lines=facts.lines,
            head=facts.head,
            bundles=len(bundles),
            left_out=contents.left_out(state, house.runtime_dir),
            files=writing.files,
        )
        writing.finish(manifest)
    return manifest, rotten


def _files(state: Path) -> Iterator[tuple[str, Path]]:
    try:
        yield from contents.files_of(state)
    except ValueError as error:
        raise Refusal(
            f"cannot make the backup, because {str(error)[:200]!r} is no name that it could have",
            fix=f"find out who put it into {state}, and move it away",
        ) from error


@contextlib.contextmanager
def _new(path: Path, *, owned_as: Path | None) -> Iterator[BinaryIO]:
    """A new private file, on the disk when the block ends. `owned_as`: it belongs to whom this directory belongs to."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        if owned_as is not None:
            scopes.give_to_owner(fd, str(owned_as))
        yield file
        file.flush()
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # what is read back comes from the disk


def _give_name(beside: Path, target: Path) -> None:
    """Never over anything that is there."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise Refusal(
            f"cannot write the backup {target}, because it is there already", fix="name another file"
        ) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise
        beside.rename(target)
    scopes.sync_directory(str(target.parent))


def _must_have_room(state: Path, target: Path, progress: Progress) -> None:
    """Twice the store, for its copy lies beside the backup meanwhile, and all files."""
    store = sum(one.stat().st_size for one in (state / STORE, wal.beside(state / STORE, "wal")) if one.exists())
    rest = 0
    for _, path in _files(state):
        with contextlib.suppress(FileNotFoundError):
            rest += path.stat().st_size + HEADER
    wanted, free = 2 * store + rest, shutil.disk_usage(target.parent).free
    if free < wanted + SPARE:
        raise DiskFull(
            f"cannot make the backup, because {target.parent} has {free >> 20} MiB free, and {wanted >> 20} are wanted",
            fix="make room there, or name another place",
        )
    progress.expect(2 * (store + rest))


def _clear(directory: Path) -> None:
    """What a backup that was killed has left here."""
    for path in directory.iterdir():
        found = LEFT.match(path.name)
        if found is not None and not os.path.exists(f"/proc/{found[1]}"):  # noqa: PTH110 (no path of ours)
            path.unlink(missing_ok=True)


def _let_go(directory: Path, keep: int) -> list[str]:
    old = sorted((one for one in directory.iterdir() if NAMED.fullmatch(one.name)), reverse=True)[keep:]
    for path in old:
        path.unlink(missing_ok=True)
    return [path.name for path in old]


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
