"""The journal's chain, followed: whole at start, a little further every second, its end before every thaw and release.

A journal that does not hold keeps people from starting anything, and never from stopping (invariant I12). Any thread
may call.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from guardian.errors import Broken
from guardian.rules import chain
from guardian.rules.chain import Torn
from guardian.store import journal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx

PAGE = 500
LAST = 500
BEFORE_A_START = 1.0
FIX = "stop the guardian, keep its store for whoever looks into this, and start again: it says how to restore a backup"


class Audit:
    """How far the chain was followed, and whether it held."""

    def __init__(self) -> None:
        self.seq = 0
        self.head = chain.START
        self.torn: Torn | None = None
        self._lock = threading.Lock()

    def follow(self, tx: Tx, *, within: float) -> Torn | None:
        """Go on from where it was left, for so many seconds; where it breaks, once that was found."""
        with self._lock:
            return self._follow(tx, time.monotonic() + within)

    def must_hold(self, tx: Tx, what: str) -> None:
        """Raises Broken, which says that `what` cannot be done, unless the chain holds, its last lines once more.

        To be called before anything is written in the transaction: what is rolled back must not be remembered.
        """
        with self._lock:
            torn = self.torn or _end(tx, self.seq, self.head) or self._follow(tx, time.monotonic() + BEFORE_A_START)
            self.torn = torn
        if torn is not None:
            raise Broken(f"cannot {what}, because the journal breaks at line {torn.seq} ({torn.why})", fix=FIX)

    def _follow(self, tx: Tx, until: float) -> Torn | None:
        more = self.torn is None
        while more and time.monotonic() < until:
            before = self.seq
            found = _verified(tx, self.seq, self.head, PAGE)
            if isinstance(found, Torn):
                self.torn = found
                break
            self.seq, self.head = found.lines, found.head
            more = self.seq == before + PAGE
        return self.torn


def _verified(tx: Tx, seq: int, head: str, limit: int) -> chain.Whole | Torn:
    """The lines after `seq`; what cannot even be read is torn too."""
    try:
        return chain.verify(journal.after(tx, seq, limit=limit), head=head, seq=seq)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) is not None:  # a matter of the file, not of a line's words
            raise
    except (ValueError, TypeError):
        pass
    return Torn(seq=seq + 1, why="its words, or those of a line after it, cannot be read")


def _end(tx: Tx, seq: int, head: str) -> Torn | None:
    """The last lines again, and whether the line that was followed last is still there: nobody has cut the end off."""
    last = Q.journal_head(tx)
    if (0 if last is None else last["seq"]) < seq:
        return Torn(seq=seq, why="it was there, and is gone")
    if last is None:
        return None
    if seq and _hash(tx, seq) != head:
        return Torn(seq=seq, why="it is not the line that was here before")
    first = max(last["seq"] - LAST, 0)
    found = _verified(tx, first, _hash(tx, first) if first else chain.START, LAST)
    return found if isinstance(found, Torn) else None


def _hash(tx: Tx, seq: int) -> str:
    rows = list(Q.journal_after(tx, after=seq - 1, limit=1))
    return str(rows[0]["hash"]) if rows and rows[0]["seq"] == seq else ""
