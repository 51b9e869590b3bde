"""Is the store whole? Looked at before it is opened, for a limited time, without changing a byte of any of its files.

Closing a writable connection would write what is left in the log into a damaged file, and even a reading one would make
the index anew, which is the witness of what the log must hold. A file that takes longer to look at is believed.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from guardian.errors import Broken, Busy, DiskFull, Doubt, GuardianError, Unwritable
from guardian.store import posts, wal
from guardian.store.audit import Audit
from guardian.store.queries import Q

if TYPE_CHECKING:
    from pathlib import Path

QUICK_SECONDS, WHOLE_SECONDS, POSTS_SECONDS, JOURNAL_SECONDS = 20.0, 10.0, 5.0, 5.0
STEPS = 100_000
DAMAGED = frozenset(
    {
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)  # fmt: skip
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
CLOSED = {
    sqlite3.SQLITE_FULL: "make room",
    sqlite3.SQLITE_IOERR: "look at the disk: is it full, or failing?",
    sqlite3.SQLITE_READONLY: "make its directory writable",
    sqlite3.SQLITE_CANTOPEN: "let the service user into its directory",
    sqlite3.SQLITE_PERM: "let the service user into its directory",
}
FIX = (
    "stop the guardian, move {path} with its -wal and -shm aside, put the backup in its place, start again:"
    " it comes up frozen; the damaged file was left as it is"
)


def must_be_whole(path: Path) -> Audit:
    """How far its journal was followed. Raises Broken with what is wrong; where there is no store yet, nothing is."""
    lost, seen = wal.missing(path), Audit()
    if not path.exists():
        log = wal.beside(path, "wal")
        if lost or (log.exists() and log.stat().st_size):
            raise broken(path, "it is not there, and its log is" if not lost else f"it is not there, and {lost}")
        return seen
    lost = lost or _cut_off(path)
    if lost:
        raise broken(path, lost)
    connection = _look_at(path)
    try:
        _look(connection, path, seen)
    finally:
        connection.close()
    return seen


def broken(path: Path, why: str) -> Broken:
    """The error for a damaged store."""
    return Broken(f"cannot use the store {path}, because it is damaged ({why})", fix=fix(path))


def fix(path: Path) -> str:
    """How a damaged store is restored."""
    return FIX.format(path=path)


def in_words(error: sqlite3.Error, path: Path) -> GuardianError | None:
    """What SQLite says as one of ours; None when it is no word about the file but about what was asked of it."""
    extended = getattr(error, "sqlite_errorcode", 0)
    if {extended, extended & 0xFF} & DAMAGED:
        return broken(path, str(error))
    if extended & 0xFF in LOCKED:
        return locked(path)
    return None


def locked(path: Path) -> Busy:
    """The error for a store that a foreign process has locked."""
    return Busy(
        f"cannot write to the store {path}, because it is locked by another process",
        fix=f"find that process (fuser {path} names it) and end it, then try again; a freeze needs no store",
    )


def at_start(error: sqlite3.Error, path: Path) -> GuardianError:
    """The same where the store is being opened: there, everything that is no matter of room or rights is damage."""
    named = in_words(error, path)
    mend = CLOSED.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if named is None and mend is not None:
        return GuardianError(f"cannot open the store {path}, because of this: {error}", fix=mend)
    return named or broken(path, str(error))


def of_the_disk(error: sqlite3.Error, path: Path) -> GuardianError | None:
    """What a change failed of: a disk that is full, closed or failing; None when it is something else."""
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return DiskFull(
            "cannot write to the store, because the disk is full; nothing was changed",
            fix=f"make room in {path.parent}, then try again",
        )
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return Unwritable(
            f"cannot write to the store, because the disk refuses to be written ({error}); nothing was changed",
            fix=f"make {path.parent} writable again, then try again",
        )
    if kind == sqlite3.SQLITE_IOERR:
        return Doubt(
            f"cannot say whether it was written, because the disk of {path.parent} reports an error ({error})",
            fix="look into the kernel's log (dmesg), then look whether it is there",
        )
    return None


def _cut_off(path: Path) -> str:
    """What SQLite itself takes for a new or a whole database: an empty file, and one whose last page is not whole.

    A half page beside a log is what a crash while checkpointing leaves, and the log mends it.
    """
    size, log = path.stat().st_size, wal.beside(path, "wal")
    if size == 0:
        return "it is empty"
    with path.open("rb") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
    half = size % (65536 if page == 1 else page or 1)
    return "its last page is cut off" if half and not (log.exists() and log.stat().st_size) else ""


def _look_at(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing: not even the index, if there is one."""
    log = wal.beside(path, "wal")
    if not log.exists() or not log.stat().st_size:
        how = "immutable=1"
    else:
        how = "mode=ro&readonly_shm=1" if wal.beside(path, "shm").exists() else "mode=ro"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=5)
    connection.row_factory = as_dict
    return connection


def as_dict(cursor: sqlite3.Cursor, values: tuple[object, ...]) -> dict[str, object]:
    """A row by its names."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _look(connection: sqlite3.Connection, path: Path, seen: Audit) -> None:
    """The pages, then what the indexes say of the rows, then the posts' seals, then the journal's chain."""
    for pragma, seconds in (("quick_check", QUICK_SECONDS), ("integrity_check", WHOLE_SECONDS)):
        found = _asked(connection, pragma, seconds)
        if found != "ok":
            raise broken(path, found.splitlines()[-1])
    connection.set_progress_handler(None, STEPS)
    if connection.execute("select 1 from pragma_table_info('posts') where name = 'seal'").fetchone():
        _compare_seals(connection, path)
    if connection.execute("select 1 from sqlite_master where name = 'journal'").fetchone():
        torn = seen.follow(connection, within=JOURNAL_SECONDS)
        if torn is not None:
            raise broken(path, f"its journal breaks at line {torn.seq}: {torn.why}")


def _compare_seals(connection: sqlite3.Connection, path: Path) -> None:
    until = time.monotonic() + POSTS_SECONDS
    for row in Q.sealed_posts(connection):
        if row["seal"] != posts.seal(row):
            raise broken(path, f"the content of {row['id']} is not what was entered")
        if time.monotonic() > until:
            return


def _asked(connection: sqlite3.Connection, pragma: str, seconds: float) -> str:
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        return str(connection.execute(f"pragma {pragma}(1)").fetchone()[pragma])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
        return "ok"
