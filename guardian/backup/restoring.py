"""Restoring: a house from a backup, all of it checked before it counts, and frozen when it does.

What the backup does not know is what was sent after it. So nothing of it leaves by itself: the house is frozen; what
was being sent is asked for at the platform; what fell due is missed; and everything that waited is on hold until a
person has looked (a post planned for tomorrow may have been moved and sent since). One thread, under both locks.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from guardian.backup import archive, closing, contents, placing
from guardian.backup.archive import Manifest, Sink
from guardian.errors import DiskFull, Garbled, Refusal, Taken, Unfound
from guardian.evidence import keyring, names, signing
from guardian.failpoint import failpoint
from guardian.fence import gates, scopes
from guardian.store import copying, freezes, journal, proving, upgrading
from guardian.store import holds as waiting
from guardian.store.database import STORE, Database
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.backup.progress import Progress
    from guardian.fence.house import House

SPARE = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A house that was restored, and stands frozen. `younger` bundles of evidence are not in the backup, and kept."""

    house: House
    manifest: Manifest
    at: int
    held: int
    aside: Path | None
    younger: int
    finished: str | None


def check_only(file: Path, progress: Progress) -> Manifest:
    """Whether a restore of this backup would begin; what it says of itself. Raises Refusal, Broken, Newer."""
    _must_be_there(file)
    with tempfile.TemporaryDirectory(prefix="guardian-check-") as directory:
        keeping = _TheStore(Path(directory))
        manifest = archive.read(file, keeping, progress.heed)
        _prove(Path(directory) / STORE, manifest, progress)
    return manifest


def restore(house: House, file: Path, *, replace: bool, holds: bool, by: str, progress: Progress) -> Restored:
    """Put the backup in the place of what is in this house. Raises Refusal (Taken while a daemon runs it), DiskFull.

    Until the last step nothing of the house has changed, but that it may be frozen.
    """
    _must_be_there(file)
    state = Path(house.state_dir)
    with _alone(house):
        finished = placing.finish(state)
        placing.clear(state)
        if contents.is_lived_in(state) and not replace:
            raise Refusal(
                f"cannot restore into {state}, because a house stands there",
                fix="say --replace: it is moved aside, and nothing of it is deleted; or name another place: --to DIR",
            )
        placing.movable(state)
        _must_have_room(state, file)
        now = time.time_ns() // 1_000_000
        stage = state / f"{placing.STAGE}{os.getpid()}"
        stage.mkdir(mode=0o700)
        try:
            return _restore(house, file, stage, holds=holds, by=by, progress=progress, now=now, finished=finished)
        finally:
            if not os.path.lexists(state / contents.RESTORING):
                shutil.rmtree(stage, ignore_errors=True)


def _restore(
    house: House, file: Path, stage: Path, *, holds: bool, by: str, progress: Progress, now: int, finished: str | None
) -> Restored:
    state = Path(house.state_dir)
    progress.step("checking and unpacking")
    manifest = archive.read(file, _Unpacking(stage), progress.heed)
    _prove(stage / STORE, manifest, progress)
    progress.step("preparing")
    held, known, frozen = _prepare(
        stage, manifest, file.name, epochs=closing.epochs(house), holds=holds, by=by, now=now
    )
    _keep_what_is_newer(state, stage)
    younger = _keep_younger_evidence(state, stage)
    _make_ours(state, stage)
    os.sync()  # every file of it, before it counts
    failpoint("restore.staged")
    closing.close(house, reason=reason_of(manifest), by=by)
    failpoint("restore.frozen")
    closing.settle(house, known, frozen)
    aside = _aside(state, now)
    placing.place(state, stage, aside)
    return Restored(
        house=house,
        manifest=manifest,
        at=now,
        held=held,
        aside=aside if aside.exists() else None,
        younger=younger,
        finished=finished,
    )


def reason_of(manifest: Manifest) -> str:
    """What everybody reads who asks why the house is frozen."""
    return f"restored from a backup of {_when(manifest)}: look at the platforms before you thaw"


def _aside(state: Path, now: int) -> Path:
    """Where what lies here goes: a directory that is not there yet."""
    base = time.strftime(f"{placing.ASIDE}%Y%m%dT%H%M%SZ", time.gmtime(now / 1000))
    return next(path for n in itertools.count() if not (path := state / (f"{base}-{n}" if n else base)).exists())


def held_because(manifest: Manifest) -> str:
    """What stands at each post that waits."""
    return f"it may have been sent after the backup of {_when(manifest)}"


def _when(manifest: Manifest) -> str:
    return datetime.fromtimestamp(manifest.at / 1000, UTC).isoformat(timespec="seconds")


class _TheStore(Sink):
    """Keeps the store alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: BinaryIO | None = None

    def begin(self, name: str) -> None:
        if name == STORE:
            self._file = _new(self._directory / STORE)

    def write(self, piece: bytes) -> None:
        if self._file is not None:
            self._file.write(piece)

    def end(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


class _Unpacking(Sink):
    """Keeps everything, below a directory of its own."""

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self._file: BinaryIO | None = None

    def begin(self, name: str) -> None:
        path = self._stage
        for part in name.split("/")[:-1]:
            path /= part
            path.mkdir(mode=0o700, exist_ok=True)
        try:
            self._file = _new(self._stage / name)
        except FileExistsError:
            raise Refusal(f"cannot use the backup, because {name} comes twice in it") from None

    def write(self, piece: bytes) -> None:
        assert self._file is not None  # noqa: S101 (it has begun)
        self._file.write(piece)

    def end(self) -> None:
        if self._file is not None:
            self._file.close()


def _new(path: Path) -> BinaryIO:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    return os.fdopen(fd, "wb")


def _must_be_there(file: Path) -> None:
    if not file.is_file():
        raise Unfound(f"cannot restore {file}, because there is no such file", fix="name a backup")


@contextlib.contextmanager
def _alone(house: House) -> Iterator[None]:
    """Nobody else runs this house meanwhile: both locks of a daemon are ours. Raises Taken, Unfound."""
    if not os.path.isdir(house.state_dir):  # noqa: PTH112 (the house speaks in plain paths)
        raise Unfound(f"cannot restore into {house.state_dir}, because it is not there", fix="make it: guardian init")
    for path, make in (
        (house.permits, scopes.make_private),
        (house.runtime_dir, scopes.make_passable),
        (house.gates, scopes.make_private),
    ):
        make(path)
    with contextlib.ExitStack() as held:
        for path in (house.daemon_lock, house.store_lock):
            lock = gates.lock_for_life(path)
            if lock is None:
                raise Taken(
                    f"cannot restore into {house.state_dir}, because process {gates.locker(path)} uses it",
                    fix="stop the guardian first: systemctl stop guardian",
                )
            held.callback(os.close, lock)
        yield


def _must_have_room(state: Path, file: Path) -> None:
    wanted, free = 2 * file.stat().st_size, shutil.disk_usage(state).free
    if free < wanted + SPARE:
        raise DiskFull(
            f"cannot restore into {state}, because {wanted >> 20} MiB are wanted there and {free >> 20} are free",
            fix="make room; nothing was changed",
        )


def _prove(store: Path, manifest: Manifest, progress: Progress) -> None:
    """The store of a backup, to its end. Raises Refusal, Broken, Newer."""
    if not store.exists():
        raise Refusal("cannot use the backup, because there is no store in it", fix="use another one")
    progress.step("checking the store")
    upgrading.must_be_ours(store)
    try:
        with copying.opened(store) as tx:
            facts = proving.prove(tx)
    except Garbled as found:
        why = f"cannot use the backup, because its store is damaged ({found.message})"
        raise Refusal(why, fix="use another one; nothing was changed") from found
    said = (manifest.schema, manifest.posts, manifest.lines, manifest.head)
    if said != (facts.schema, facts.posts, facts.lines, facts.head):
        raise Refusal("cannot use the backup, because its store is not the one that it tells of", fix="use another one")


def _prepare(
    stage: Path, manifest: Manifest, name: str, *, epochs: Mapping[str, int], holds: bool, by: str, now: int
) -> tuple[int, dict[str, int], frozenset[str]]:
    """The store as it will be: of this version, no epoch behind the fence's, what waits on hold, and a line of it all.

    How many were put on hold, the scopes with their epochs, and those that are frozen.
    """
    database = Database(stage / STORE)
    try:
        with database.transaction() as tx:
            for scope, epoch in epochs.items():
                freezes.note_epoch(tx, scope, epoch)
            held = waiting.hold_what_waits(tx, reason=held_because(manifest), now=now) if holds else 0
            told = {"backup_at": manifest.at, "lines": manifest.lines, "head": manifest.head, "file": name}
            journal.append(tx, "restored", who=by, now=now, held=held, in_flight=manifest.in_flight, **told)
            known = {str(row["scope"]): int(row["epoch"]) for row in Q.scope_epochs(tx)}
            frozen = frozenset(freeze.scope for freeze in freezes.in_force(tx))
    finally:
        database.close()
    for left in (*stage.glob("before-*.db"), stage / "guardian.lock"):  # the backup itself is that copy
        left.unlink(missing_ok=True)
    return held, known, frozen


def _keep_what_is_newer(state: Path, stage: Path) -> None:
    """Logins that are good for one use, and sealing keys: those that lie here are newer than the backup's, and stay."""
    for path in (state / contents.SESSIONS).glob(f"*{contents.SEALED}"):
        scopes.make_private(str(stage / contents.SESSIONS))
        shutil.copyfile(path, stage / contents.SESSIONS / path.name, follow_symlinks=False)
    here, there = (one / keyring.EVIDENCE / keyring.KEYS for one in (state, stage))
    if here.is_dir() and _keys(there) and _keys(there) <= _keys(here):
        shutil.rmtree(there)
        shutil.copytree(here, there)


def _keys(directory: Path) -> frozenset[bytes]:
    try:
        return frozenset(one.public for one in signing.known((directory / keyring.LIST).read_text("ascii")))
    except (OSError, ValueError):
        return frozenset()


def _keep_younger_evidence(state: Path, stage: Path) -> int:
    """Bundles that are not in the backup stay where they are looked for, though its store does not know them."""
    shelf, new = state / keyring.EVIDENCE, stage / keyring.EVIDENCE
    found = 0
    for path in shelf.iterdir() if shelf.is_dir() else ():
        if names.is_bundle(path.name) and path.is_dir() and not path.is_symlink() and not (new / path.name).exists():
            scopes.make_private(str(new))
            shutil.copytree(path, new / path.name, copy_function=os.link, symlinks=True)
            found += 1
    return found


def _make_ours(state: Path, stage: Path) -> None:
    """What root unpacks belongs to the service user; directories are entered by nobody else."""
    owner = state.stat()
    for root, directories, files in os.walk(stage):
        for name in (*directories, *files):
            path = os.path.join(root, name)  # noqa: PTH118 (many of them)
            if os.geteuid() == 0:
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
            if name in directories:
                os.chmod(path, 0o700)  # noqa: PTH101 (many of them)
