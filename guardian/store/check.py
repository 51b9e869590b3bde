"""Is the store whole? Looked at before it is opened, for a limited time, without changing a byte of any of its files.

Closing a writable connection would write what is left in the log into a damaged file, and even a reading one would make
the index anew, which is the witness of what the log must hold. What there is no time for in a large file is looked at
behind the lanes (`inspection.py`).
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from guardian.errors import Broken, Busy, DiskFull, Doubt, Garbled, GuardianError, Unwritable
from guardian.store import wal
from guardian.store.audit import Audit
from guardian.store.inspection import Inspection, asked
from guardian.store.queries import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGES_SECONDS = 2.0  # 3 GB a second are looked at where the file is in memory
THE_REST_SECONDS = 0.1  # for each of the journal, the indexes and the seals
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
    "stop the guardian, then: guardian restore BACKUP --replace, and start again: it comes up frozen;"
    " {path} was left as it is, and is moved aside then"
)


def must_be_whole(path: Path) -> Inspection:
    """How far it was seen, for whoever goes on with that. Raises Broken with what is wrong.

    Where there is no store yet, nothing is.
    """
    lost, seen = wal.missing(path), Inspection(path, Audit())
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
        _look(connection, seen)
    except Garbled as found:
        raise broken(path, found.message) from found
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


def _look(connection: sqlite3.Connection, seen: Inspection) -> None:
    """The pages; then, as far as there is time, the journal's chain, what the indexes say of the rows, the seals."""
    large = _after(THE_REST_SECONDS)
    found = asked(connection, "quick_check", stop=_after(PAGES_SECONDS))
    if found not in (None, "ok"):
        raise Garbled(str(found).splitlines()[-1])
    is_large = large()
    if connection.execute("select 1 from sqlite_master where name = 'journal'").fetchone():
        seen.follow(connection, within=THE_REST_SECONDS)
    if not is_large:  # it would not come to its end, and could not go on from there
        seen.compare_indexes(connection, stop=_after(THE_REST_SECONDS))
    if connection.execute("select 1 from pragma_table_info('posts') where name = 'seal'").fetchone():
        seen.compare_seals(connection, stop=_after(THE_REST_SECONDS))


def _after(seconds: float) -> Callable[[], bool]:
    """Whether so much time has passed since now."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until
