"""Changes that go to the disk together: one commit, one wait for the disk, for all lanes that wait for the writer now.

Whoever has the writer's turn and sees another lane wait leaves the transaction open for it, and sleeps until somebody
has committed it for all. So nothing is weaker than alone: each change is whole or not at all (a savepoint), sees what
was changed before it, and its block ends when it is on the disk. Whoever is last commits; so does whoever wants the
writer for himself, and whoever waited in vain. Every method but `expect` and `wait` is called with the writer's turn.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

MOST = 16
GLANCE = 0.05


@dataclass(slots=True, eq=False)
class Group:
    """Changes of one commit."""

    size: int
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class Joined(NamedTuple):
    """One change among them; the `first` has begun the transaction."""

    group: Group
    first: bool


class Together:
    """The open transaction of one writing connection, and who waits for it."""

    def __init__(self, writer: sqlite3.Connection, turn: threading.Lock) -> None:
        self._writer = writer
        self._turn = turn
        self._open: Group | None = None
        self._awaited = 0
        self._counting = threading.Lock()

    def expect(self, more: int) -> None:
        """So many more (or fewer) wait for their turn, and would share a commit."""
        with self._counting:
            self._awaited += more

    def join(self, *, shared: bool, begin: Callable[[], None]) -> Joined:
        """Begin a change."""
        if self._open is not None and (not shared or self._open.size >= MOST):
            self.commit()
        if self._open is None:
            begin()
            self._open = Group(1)
            return Joined(self._open, first=True)
        self._writer.execute("savepoint one")
        self._open.size += 1
        return Joined(self._open, first=False)

    def leave(self, joined: Joined, *, shared: bool) -> None:
        """The change is made; it is on the disk when `wait` has returned."""
        if not joined.first:
            self._writer.execute("release one")
        if not shared or not self._awaited:
            self.commit()

    def undo(self, joined: Joined) -> None:
        """Take the change back, and nothing of the others'; where SQLite took back all of it, all have failed."""
        group = joined.group
        if not self._writer.in_transaction:  # gone already after a full disk or an I/O error
            self._end(group, sys.exception())
        elif joined.first:
            self._writer.execute("rollback")
            self._end(group, None)
        else:
            self._writer.execute("rollback to one")
            self._writer.execute("release one")
            self.commit()

    def commit(self) -> None:
        """Bring the open transaction, if there is one, to the disk. What goes wrong is told to all who are in it."""
        group, error = self._open, None
        if group is None:
            return
        try:
            self._writer.execute("commit")
        except BaseException as found:  # noqa: BLE001 (whatever it is, it is raised where each of them waits)
            error = found
            if self._writer.in_transaction:
                self._writer.execute("rollback")
        self._end(group, error)

    def wait(self, joined: Joined) -> None:
        """Until it is on the disk. Raises what the commit raised. To be called without the writer's turn."""
        group = joined.group
        while not group.done.wait(GLANCE):
            if self._turn.acquire(blocking=False):  # who was expected has given up
                try:
                    if self._open is group:
                        self.commit()
                finally:
                    self._turn.release()
        if group.error is not None:
            raise group.error

    def _end(self, group: Group, error: BaseException | None) -> None:
        self._open, group.error = None, error
        group.done.set()
