"""The database file: one process owns it, one connection writes, one reads, one counts.

Any thread may ask for a transaction.

SQLite as research/reliability 2.6 has it: WAL, `synchronous=FULL` (a commit is on the disk when it returns), writers
begin with BEGIN IMMEDIATE, the owner holds a lock file for life. A thread takes the writer for one short transaction
at a time; nobody holds it across a network call.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from guardian.errors import Broken, Busy, Doubt, Garbled, Taken
from guardian.fence import gates
from guardian.store import check, upgrading
from guardian.store.queries import as_dict
from guardian.store.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Tx = sqlite3.Connection

STORE = "guardian.db"
WRITER_SECONDS = 30.0
FILE_SECONDS = 5.0
GLANCE = 0.1
STEPS = 10_000  # of SQLite's machine, between two looks at the clock: less than a millisecond
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF")


class Database:
    """The store's file, open and owned until `close`."""

    def __init__(self, path: Path, *, working: Callable[[], object] | None = None) -> None:
        """`working` is called again and again while the start's long changes go on, until `settle`."""
        self.path = path
        with contextlib.ExitStack() as opened:  # whatever fails, nothing stays open behind it
            opened.callback(os.close, _own(path.parent))
            try:
                upgrading.must_be_ours(path)
                self.inspection = check.must_be_whole(path)
                self.audit = self.inspection.audit
                self._writer = _connect(path, opened)
                if working is not None:
                    self._writer.set_progress_handler(lambda: _go_on(working), STEPS)
                upgrading.migrate(self._writer, path, now=time.time_ns() // 1_000_000)
                self._reader = _connect(path, opened)
                self._reader.execute("pragma query_only=ON")
                self._counter = _connect(path, opened)
                self._counter.execute("pragma query_only=ON")
            except sqlite3.DatabaseError as error:
                raise check.at_start(error, path) from error
            self._opened = opened.pop_all()
        self.on_damage: Callable[[Broken], None] = _on
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._counting = threading.Lock()
        self._locked_at = 0.0
        self._together = Together(self._writer, self._writing)

    def settle(self) -> None:
        """The start is over: nobody has to be told any more that a long change goes on."""
        with self._writing:
            self._writer.set_progress_handler(None, STEPS)

    def close(self) -> None:
        """Let go of the file and of the lock."""
        with self._writing, self._reading, self._counting:
            self._together.commit()
            self._opened.close()

    @contextlib.contextmanager
    def transaction(self, *, within: float = WRITER_SECONDS, shared: bool = False) -> Iterator[Tx]:
        """One change, whole or not at all; on the disk when the block ends.

        `shared` is for the lanes' short ones: those that wait for the writer at the same time go to the disk together
        (`together.py`). Raises Doubt when the writer stays busy, Busy when another process has locked the file, Broken
        when it turns out to be damaged.
        """
        with self._told(changing=True):
            with self._turn(within, shared=shared):
                joined = self._together.join(shared=shared, begin=lambda: self._begin(within))
                try:
                    yield self._writer
                    self._together.leave(joined, shared=shared)
                except BaseException:
                    self._together.undo(joined)
                    raise
            self._together.wait(joined)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Tx]:
        """A steady view of what is committed; never waits for a writer. Raises Broken when the file is damaged."""
        with self._told(), self._reading:
            self._reader.execute("begin")
            try:
                yield self._reader
            finally:
                self._reader.execute("rollback")

    def inspect(self, *, stop: Callable[[], bool]) -> bool:
        """Go on with the look that the start had no time for, a step; whether all was seen. Raises Broken.

        For one thread, which holds up nobody: it has a connection of its own.
        """
        with self._told():
            try:
                return self.inspection.go_on(stop=stop)
            except Garbled as found:
                raise Garbled(check.broken(self.path, found.message).message) from found

    @contextlib.contextmanager
    def counting(self, *, within: float) -> Iterator[Tx]:
        """The same for whoever only counts: over a connection of its own, so that nobody ever waits for it.

        Raises Doubt when it would take longer than `within` seconds.
        """
        until = time.monotonic() + within
        with self._told(), self._counting:
            self._counter.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            self._counter.execute("begin")
            try:
                yield self._counter
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
                    raise
                raise Doubt("cannot count, because it takes too long", fix="try again") from error
            finally:
                self._counter.set_progress_handler(None, STEPS)
                self._counter.execute("rollback")

    @contextlib.contextmanager
    def _turn(self, within: float, *, shared: bool) -> Iterator[None]:
        """The writer, for one thread.

        Whoever waits while another one finds the file locked by a foreign process has waited for the same thing: it is
        told at once, so that ten threads do not wait ten times as long.
        """
        began = time.monotonic()
        self._together.expect(shared)
        try:
            self._wait_for_the_writer(began, within)
        finally:
            self._together.expect(-shared)
        try:
            if self._locked_at > began:
                raise check.locked(self.path)
            yield
        finally:
            self._writing.release()

    def _wait_for_the_writer(self, began: float, within: float) -> None:
        while not self._writing.acquire(timeout=min(GLANCE, within)):
            if self._locked_at > began:
                raise check.locked(self.path)
            if time.monotonic() - began >= within:
                raise Doubt("cannot write to the store, because another change takes too long", fix="try again")

    def _begin(self, within: float) -> None:
        self._writer.execute(f"pragma busy_timeout={round(min(within, FILE_SECONDS) * 1000)}")
        try:
            self._writer.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if isinstance(check.in_words(error, self.path), Busy):
                self._locked_at = time.monotonic()
            raise

    @contextlib.contextmanager
    def _told(self, *, changing: bool = False) -> Iterator[None]:
        """What SQLite says of the file, in words; damage is also told to whoever can stop the house."""
        try:
            yield
        except Garbled as error:
            damage = Broken(error.message, fix=check.fix(self.path))
            self.on_damage(damage)
            raise damage from error
        except sqlite3.DatabaseError as error:
            named = check.in_words(error, self.path) or (check.of_the_disk(error, self.path) if changing else None)
            if named is None:
                raise
            if isinstance(named, Broken):
                self.on_damage(named)
            raise named from error


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
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=FILE_SECONDS)
    opened.callback(connection.close)
    connection.row_factory = as_dict
    for pragma in PRAGMAS:
        connection.execute(f"pragma {pragma}")
    path.chmod(0o600)
    return connection


def _go_on(working: Callable[[], object]) -> int:
    """Tell, and do not interrupt."""
    working()
    return 0


def _on(_: Broken) -> None:
    """Nobody listens: the error alone tells."""
