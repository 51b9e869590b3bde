"""The look at a large store that the start had no time for: gone on with behind the lanes until all of it was seen.

Nothing waits for it. Every send looks at its own post again anyway, and SQLite at every page that it reads; this finds
what nobody would touch for months. Called by one thread, on a connection of its own that changes nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from guardian.errors import Garbled
from guardian.store import posts
from guardian.store.queries import Q, as_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardian.store.audit import Audit
    from guardian.store.database import Tx

STEPS = 100_000
PAGE = 250
A_MOMENT = 0.005


class Inspection:
    """How far it is: the journal that was there at the start, then the pages and indexes, then the posts' seals."""

    def __init__(self, path: Path, audit: Audit) -> None:
        self.path = path
        self.audit = audit
        self.journal = False
        self.indexes = False
        self.seq: int | None = 0  # of the last post whose seal was compared; None: all were

    @property
    def done(self) -> bool:
        """Whether everything was seen."""
        return self.journal and self.indexes and self.seq is None

    def go_on(self, *, stop: Callable[[], bool]) -> bool:
        """One step further, of some ms but for the indexes, which end early when `stop` says so; whether all is seen.

        Raises Garbled with what is wrong, in half a sentence.
        """
        if self.done:
            return True
        with contextlib.closing(connect(self.path)) as connection:
            if not self.journal:
                self.follow(connection, within=A_MOMENT)
            elif not self.indexes:
                self.compare_indexes(connection, stop=stop)
            else:
                self.compare_seals(connection, stop=lambda: True)
        return self.done

    def follow(self, tx: Tx, *, within: float) -> None:
        """The journal's chain. Raises Garbled."""
        torn = self.audit.follow(tx, within=within)
        if torn is not None:
            raise Garbled(f"its journal breaks at line {torn.seq}: {torn.why}")
        head = Q.journal_head(tx)
        self.journal = head is None or self.audit.seq >= head["seq"]

    def compare_indexes(self, tx: Tx, *, stop: Callable[[], bool]) -> None:
        """What the indexes say of the rows. From its beginning when it was stopped. Raises Garbled."""
        found = asked(tx, "integrity_check", stop=stop)
        if found not in (None, "ok"):
            raise Garbled(str(found).splitlines()[-1])
        self.indexes = found is not None

    def compare_seals(self, tx: Tx, *, stop: Callable[[], bool]) -> None:
        """What the posts say, a page at least. Raises Garbled."""
        while self.seq is not None:
            rows = list(Q.sealed_posts_after(tx, after=self.seq, limit=PAGE))
            for row in rows:
                if row["seal"] != posts.seal(row):
                    raise Garbled(f"the content of {row['id']} is not what was entered")
            self.seq = rows[-1]["seq"] if len(rows) == PAGE else None
            if stop():
                return


def asked(tx: Tx, pragma: str, *, stop: Callable[[], bool]) -> str | None:
    """What one of SQLite's own checks says; None when it was stopped before its end."""
    tx.set_progress_handler(stop, STEPS)
    try:
        return str(tx.execute(f"pragma {pragma}(1)").fetchone()[pragma])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        tx.set_progress_handler(None, STEPS)


def connect(path: Path) -> Tx:
    """A connection that changes nothing; close it."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=1)
    connection.row_factory = as_dict
    return connection
