"""The database file: one process owns it, one connection writes, one reads. Any thread may ask for a transaction.

SQLite as research/reliability 2.6 has it: WAL, `synchronous=FULL` (a commit is on the disk when it returns), writers
begin with BEGIN IMMEDIATE, the owner holds a lock file for life. A thread takes the writer for one short transaction
at a time; nobody holds it across a network call.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import threading
import time
from importlib.resources import files
from typing import TYPE_CHECKING

from guardian.errors import Broken, DiskFull, Doubt, Taken, Unwritable
from guardian.fence import gates
from guardian.rules import lifecycle
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Tx = sqlite3.Connection

OUTCOMES = ("unsent", "landed", "refused", "unknown", "absent", "cancelled")
CHECK_SECONDS = 20.0
WRITER_SECONDS = 30.0
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "trusted_schema=OFF")
MIGRATIONS = """
create table if not exists migrations (number integer primary key, name text not null, applied_at bigint not null)
"""


class Database:
    """The store's file, open and owned until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with contextlib.ExitStack() as opened:  # whatever fails, nothing stays open behind it
            opened.callback(os.close, _own(path.parent))
            try:
                _check(path)
                self._writer = _connect(path, opened)
                migrate(self._writer, now=time.time_ns() // 1_000_000)
                self._reader = _connect(path, opened)
                self._reader.execute("pragma query_only=ON")
            except sqlite3.DatabaseError as error:
                raise _broken(path, str(error)) from error
            self._opened = opened.pop_all()
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    def close(self) -> None:
        """Let go of the file and of the lock."""
        with self._writing, self._reading:
            self._opened.close()

    @contextlib.contextmanager
    def transaction(self, *, within: float = WRITER_SECONDS) -> Iterator[Tx]:
        """One change, whole or not at all; on the disk when the block ends. Raises Doubt when the writer stays busy."""
        if not self._writing.acquire(timeout=within):
            raise Doubt("cannot write to the store, because another change takes too long", fix="try again")
        try:
            self._writer.execute("begin immediate")
            try:
                yield self._writer
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:  # gone already after a full disk or an I/O error
                    self._writer.execute("rollback")
                raise
        except sqlite3.OperationalError as error:
            raise _of_the_disk(error, self.path) from error
        finally:
            self._writing.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Tx]:
        """A steady view of what is committed; never waits for a writer."""
        with self._reading:
            self._reader.execute("begin")
            try:
                yield self._reader
            finally:
                self._reader.execute("rollback")


def migrate(connection: Tx, *, now: int) -> None:
    """Bring the schema to this version by numbered steps, and write the law down for the database's own check."""
    connection.execute(MIGRATIONS)
    done = {row["number"] for row in Q.applied_migrations(connection)}
    folder = files("guardian.store").joinpath("migrations")
    steps = {int(step.name[:4]): step for step in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", step.name)}
    newer = done - set(steps)
    if newer:
        raise Broken(
            f"cannot open the store, because a newer guardian has migrated it (step {max(newer)})",
            fix="run that version, or restore the backup made before the upgrade",
        )
    for number in sorted(set(steps) - done):
        script = _filled(steps[number].read_text("utf-8"))
        _apply(connection, script, lambda n=number: Q.note_migration(connection, number=n, name=steps[n].name, now=now))
    _apply(
        connection, files("guardian.store").joinpath("sqlite.sql").read_text("utf-8"), lambda: _write_law(connection)
    )


def _apply(connection: Tx, script: str, then: object) -> None:
    """A script and what belongs to it, in one transaction."""
    connection.execute("begin immediate")
    try:
        for statement in statements(script):
            connection.execute(statement)
        then()  # type: ignore[operator]
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def statements(script: str) -> Iterator[str]:
    """The script's statements one by one (`executescript` would commit behind our back)."""
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


def _write_law(connection: Tx) -> None:
    Q.clear_transitions(connection)
    for was, event, is_now in lifecycle.transitions():
        Q.insert_transition(connection, was=was, event=event, is_now=is_now)


def _filled(script: str) -> str:
    """The states and outcomes of the law, written into the schema's checks."""
    states = ", ".join(f"'{state}'" for state in lifecycle.TABLE)
    outcomes = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    return script.replace("{states}", states).replace("{outcomes}", outcomes)


def _own(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = str(directory / "guardian.lock")
    fd = gates.lock_for_life(path)
    if fd is None:
        pid = gates.locker(path)
        raise Taken(
            f"cannot open the store in {directory}, because the guardian with pid {pid} owns it",
            fix="stop that one first",
        )
    return fd


def _connect(path: Path, opened: contextlib.ExitStack) -> Tx:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    opened.callback(connection.close)
    connection.row_factory = _as_dict
    for pragma in PRAGMAS:
        connection.execute(f"pragma {pragma}")
    path.chmod(0o600)
    return connection


def _as_dict(cursor: sqlite3.Cursor, values: tuple[object, ...]) -> dict[str, object]:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _check(path: Path) -> None:
    """Look whether the file is whole, for a limited time: a huge one is believed after that.

    Read-only, because closing a writable connection would write what is left in the log into a damaged file.
    """
    if not path.exists():
        return  # a new house
    cut = _cut_off(path)
    if cut:
        raise _broken(path, cut)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
    connection.row_factory = _as_dict
    try:
        _look(connection, path)
    finally:
        connection.close()


def _cut_off(path: Path) -> str:
    """What SQLite itself takes for a new or a whole database: an empty file, and one whose last page is not whole.

    A half page beside a log is what a crash while checkpointing leaves, and the log mends it.
    """
    size, log = path.stat().st_size, path.with_name(f"{path.name}-wal")
    if size == 0:
        return "it is empty"
    with path.open("rb") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
    half = size % (65536 if page == 1 else page or 1)
    return "its last page is cut off" if half and not (log.exists() and log.stat().st_size) else ""


def _look(connection: Tx, path: Path) -> None:
    until = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        found = connection.execute("pragma quick_check(1)").fetchone()["quick_check"]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        found = "ok"
    if found != "ok":
        raise _broken(path, found)


def _of_the_disk(error: sqlite3.OperationalError, path: Path) -> Exception:
    """What a transaction failed of, said as the project says it; an error that is not the disk's, as it is."""
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
    return error


def _broken(path: Path, why: str) -> Broken:
    return Broken(
        f"cannot open the store {path}, because it is damaged ({why})",
        fix="restore it from a backup; the file was left as it is, and nothing is sent meanwhile",
    )
