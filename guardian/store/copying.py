"""A copy of the store as it is at one moment: made in steps while the daemon writes, which it never holds up.

The copy is read over a connection that can write nothing, not even the log's index. What it sees is one moment, however
long it takes: a reader in WAL mode keeps nobody from writing. Called by a program of its own, or by the owner.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from guardian.errors import Busy, Doubt, GuardianError
from guardian.failpoint import failpoint
from guardian.fence import scopes
from guardian.store import check, wal
from guardian.store.queries import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardian.store.database import Tx

    Progress = Callable[[int, int], None]

PAGES = 512  # of one step: 2 MB
NOT_YET_SECONDS = 5.0
NAP = 0.05
NOT_READY = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY})


def take(source: Path, target: Path, *, alone: bool, progress: Progress) -> int:
    """Copy the store to `target`, a new file of one piece; the moment (ms) that it shows: all before it is in it.

    `alone`: nobody else has the store open, and nobody may open it meanwhile. `progress` is told how many pages are
    done, of how many. Raises Broken, Doubt, and OSError.
    """
    if alone:
        check.must_be_whole(source)
    with _looking_at(source, alone=alone) as tx:
        at = time.time_ns() // 1_000_000
        _begin(tx)
        failpoint("backup.copying")
        try:
            write(tx, target, progress=progress)
        finally:
            tx.execute("rollback")
    return at


def write(tx: Tx, target: Path, *, progress: Progress = lambda _done, _all: None) -> None:
    """Write what this connection sees to `target`, durably. Raises FileExistsError; leaves nothing half-written."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("pragma synchronous=OFF")  # it counts when it is whole, and is made durable then
            tx.backup(copy, pages=PAGES, progress=lambda _status, left, pages: progress(pages - left, pages))
            copy.execute("pragma journal_mode=DELETE")  # one file, without a log beside it
        make_durable(target)
    except BaseException:
        for path in (target, wal.beside(target, "wal"), wal.beside(target, "shm"), wal.beside(target, "journal")):
            path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Tx]:
    """A store that nobody writes, to be looked at; no byte of it or beside it is changed. Raises Broken."""
    try:
        uri = f"{path.absolute().as_uri()}?immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            connection.row_factory = as_dict
            yield connection
    except sqlite3.DatabaseError as error:
        raise check.broken(path, str(error)) from error


def make_durable(path: Path) -> None:
    """The file's content, and its name in its directory."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    scopes.sync_directory(str(path.parent))


@contextlib.contextmanager
def _looking_at(path: Path, *, alone: bool) -> Iterator[Tx]:
    """As `check` looks at it. The index is the witness of what the log must hold: a reader must not make it anew."""
    has_log = wal.beside(path, "wal").exists() and wal.beside(path, "wal").stat().st_size
    how = "immutable=1" if alone and not has_log else "mode=ro&readonly_shm=1"
    if alone and has_log and not wal.beside(path, "shm").exists():
        how = "mode=ro"
    try:
        uri = f"{path.absolute().as_uri()}?{how}"
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as connection:
            connection.row_factory = as_dict
            yield connection
    except sqlite3.DatabaseError as error:
        named = check.in_words(error, path)
        if isinstance(named, Busy) or named is None:
            raise Doubt(f"cannot copy the store {path}, because of this: {error}", fix="try again") from error
        raise named from error


def _begin(tx: Tx) -> None:
    """Hold on to one moment. A daemon that is just starting has no index to read by yet: a few more tries."""
    until = time.monotonic() + NOT_YET_SECONDS
    while True:
        try:
            tx.execute("begin")
            tx.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if tx.in_transaction:
                tx.execute("rollback")
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in NOT_READY:
                raise
            if time.monotonic() > until:
                why = f"cannot copy the store, because it cannot be read at the moment ({error})"
                raise GuardianError(why, fix="try again in a minute") from error
            time.sleep(NAP)
        else:
            return
