"""A house on a memory file system and the daemon in it: the real parts, wired by the real `build`, polled by hand."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from guardian.config import load
from guardian.daemon import build as build_
from guardian.daemon.program import own
from guardian.duties.deciding import Deciding
from guardian.duties.freeze import Freezing
from guardian.duties.queue import Queue
from guardian.duties.recover import recover
from guardian.fence import gates, permits
from guardian.gate import accounts, connection
from guardian.rules.clock import Sight
from guardian.store import freezes, journal
from tests import canaries
from tests.machine.memory_fate import Died, Fate, installed
from tests.machine.memory_platform import HOST, TOKEN, URL, Arrival, Platform
from tests.machine.memory_time import MemoryTime, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.daemon.build import Daemon
    from guardian.duties.lane import Lane
    from guardian.model import Account

MEMORY = Path("/dev/shm")  # noqa: S108 (a fresh directory is made in it)
ACCOUNTS = ("acme", "beta")
LATE = 15 * 60_000
OVER = 120_000


class Household:
    """The directories, the platform, and the daemon while it lives."""

    def __init__(self, witness: Callable[[Arrival], None]) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="machine-", dir=MEMORY if MEMORY.is_dir() else None))
        self.time = MemoryTime()
        self.fate = Fate()
        self.platform = Platform(self.time, self.fate, witness)
        self._patches = installed(self.fate)
        self._patches.__enter__()
        self._more: list[Any] = [
            mock.patch.object(connection, "dial", self.platform.dial),
            mock.patch.object(build_, "application", return_value=None),  # slow to make, and nobody calls
            mock.patch.object(build_, "run_beside"),  # no threads: what a freeze lists at the platforms
        ]
        for patch in self._more:
            patch.start()
        self._boot = list(permits._boot)
        self.makers = accounts.makers()
        self.settings = load(self._write_configuration(), known=accounts.known_secrets(self.makers))
        self.house = self.settings.house
        self.daemon: Daemon | None = None
        self.queue: Queue
        self.freezing: Freezing
        self.lock = -1

    def _write_configuration(self) -> Path:
        lines = [f'state_dir = "{self.directory}/state"', f'runtime_dir = "{self.directory}/run"']
        lines += ["[reconcile]", "looks = 3", f'over = "{OVER // 1000}s"']
        for name in ACCOUNTS:
            secret = self.directory / f"{name}.token"
            secret.touch(0o600)
            secret.write_text(f"{TOKEN}{name}\n", "utf-8")
            lines += [f"[accounts.{name}]", 'platform = "mastodon"', f'brand = "{name}"', f'base_url = "{URL}"']
            lines += [f'identity = "@{name}@{HOST}"', f"[accounts.{name}.secrets]", f'token = "file:{secret}"']
        path = self.directory / "guardian.toml"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    @property
    def accounts(self) -> tuple[Account, ...]:
        """As the configuration has them."""
        return self.settings.accounts

    @property
    def lanes(self) -> list[Lane]:
        """Of the daemon that lives."""
        assert self.daemon is not None
        return list(self.daemon.bell.lanes)

    def start(self) -> None:
        """A new life, begun as `program.run` begins it."""
        self.lock = own(self.house)
        self.daemon = build_.build(self.settings, self.makers, look=self.look)
        books = self.daemon.books
        recover(self.daemon.database, now=self.time.wall())
        books.open_the_house()
        books.sweep()
        for lane in self.lanes:
            lane.halt = Patience(self.time)
        self.freezing = Freezing(books, ring=self.daemon.bell.halt)
        self.queue = Queue(
            database=self.daemon.database,
            in_force=self.daemon.books.in_force,
            clock=self.time.wall,
        )
        self.deciding = Deciding(
            database=self.daemon.database,
            in_force=self.daemon.books.in_force,
            clock=self.time.wall,
        )

    def look(self) -> Sight:
        """The clocks of this machine."""
        boot = permits.boot_id()
        return Sight(wall=self.time.wall(), elapsed=self.time.boot, boot=boot, synchronised=self.time.synchronised)

    def poll(self, *, watch_first: bool) -> None:
        """Every loop once, in one order or the other. An error in one would be logged in a daemon; here it is found."""
        assert self.daemon is not None
        loops = self.daemon.loops if watch_first else self.daemon.loops[::-1]
        for loop in loops:
            loop.polled.poll(self.time.wall())

    def drop(self) -> None:
        """The daemon is gone, as far as the kernel is concerned: its locks and its files are closed, no more."""
        if self.daemon is not None:
            self.daemon.database._opened.close()
        self.daemon = None
        if self.lock >= 0:
            os.close(self.lock)
        self.lock = -1

    def lives(self, action: Callable[[], object]) -> bool:
        """Do something that the daemon may not survive; whether it did."""
        try:
            action()
        except Died:
            self.drop()
            return False
        return True

    def reboot(self) -> None:
        """Memory forgets everything, and the kernel has another name for this boot."""
        assert self.daemon is None
        shutil.rmtree(self.house.runtime_dir, ignore_errors=True)
        permits._boot[:] = [f"boot after {self.time.boot}"]

    def end(self) -> None:
        """Give everything back."""
        self.fate.forget()
        self.drop()
        canaries.must_hold_none(self.directory)
        for patch in self._more:
            patch.stop()
        self._patches.__exit__(None, None, None)
        permits._boot[:] = self._boot
        shutil.rmtree(self.directory, ignore_errors=True)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the store holds, by a connection that is not the daemon's; nothing while there is no store yet."""
        path = self.settings.state_dir / "guardian.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query)]
        finally:
            connection.close()

    def in_force(self) -> list[tuple[str, str, str | None]]:
        """The freezes in the books: id, scope and mark."""
        assert self.daemon is not None
        with self.daemon.database.reading() as tx:
            return [(freeze.id, freeze.scope, freeze.mark) for freeze in freezes.in_force(tx)]

    def journal(self, kind: str) -> int:
        """How many lines of this kind the journal has."""
        assert self.daemon is not None
        with self.daemon.database.reading() as tx:
            return sum(entry.kind == kind for entry in journal.after(tx, 0))

    def gates_free(self, wanted: Sequence[str]) -> bool:
        """Whether nobody is inside: the only thread there is cannot wait for itself."""
        return all(self._free(scope) for scope in wanted)

    def gates_there(self, wanted: Sequence[str]) -> bool:
        """Whether every gate has been made."""
        return all(os.path.lexists(self.house.gate(scope)) for scope in wanted)

    def _free(self, scope: str) -> bool:
        try:
            fd = os.open(self.house.gate(scope), os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            return gates.try_exclusive(fd)
        finally:
            os.close(fd)
