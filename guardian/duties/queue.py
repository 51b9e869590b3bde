"""The queue as people use it: enter one post, or import many. Called by API threads.

Each call one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.duties.records import Read, Rules, Wrong, read_lines, read_record
from guardian.errors import Mistake
from guardian.store import journal, posts
from guardian.store.posts import Entered, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.config.in_force import InForce
    from guardian.store.database import Database, Tx

MOST_NAMED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import: all or nothing, so with `wrong` nothing was entered."""

    entered: Sequence[str]
    known: int
    notes: Sequence[tuple[int, str]]
    wrong: Sequence[Wrong]


class Queue:
    """How posts come into the house."""

    def __init__(
        self,
        *,
        database: Database,
        in_force: InForce,
        clock: Callable[[], int],
    ) -> None:
        self.database = database
        self.in_force = in_force
        self.clock = clock

    @property
    def zone(self) -> str:
        """Of times that name none."""
        return self.in_force.settings.queue.zone

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what was decided about its time. Raises Mistake."""
        now = self.clock()
        read = read_record(raw, self._rules(now))
        with self.database.transaction() as tx:
            found = posts.enter(tx, read.draft, now=now, who=who)
            if isinstance(found, Entered):
                journal.append(tx, "entered", who=who, now=now, post=found.post.id, account=found.post.account)
        return found, read.note

    def take_in(self, text: str, *, who: str) -> Imported:
        """Import JSON Lines, all or nothing: one wrong line and nothing is entered."""
        now = self.clock()
        good, wrong = read_lines(text, self._rules(now))
        if wrong:
            return Imported(entered=(), known=0, notes=(), wrong=wrong)
        try:
            with self.database.transaction() as tx:
                return self._enter_all(tx, good, now=now, who=who)
        except _AnyWrong as found:
            return Imported(entered=(), known=0, notes=(), wrong=found.wrong)

    def _rules(self, now: int) -> Rules:
        settings = self.in_force.settings
        return Rules(accounts=[account.name for account in settings.accounts], zone=settings.queue.zone, now=now)

    def _enter_all(self, tx: Tx, good: Sequence[tuple[int, Read]], *, now: int, who: str) -> Imported:
        entered, known, wrong = [], 0, []
        for line, read in good:
            try:
                found = posts.enter(tx, read.draft, now=now, who=who)
            except Mistake as error:
                wrong.append(Wrong(line=line, column=1, message=str(error)))
                continue
            if isinstance(found, Entered):
                entered.append(found.post.id)
            else:
                known += 1
        if wrong:
            raise _AnyWrong(wrong)
        if entered:
            told = journal.append(tx, "imported", who=who, now=now, count=len(entered), posts=entered[:MOST_NAMED])
            journal.tells_about(tx, told, entered)
        notes = tuple((line, read.note) for line, read in good if read.note)
        return Imported(entered=entered, known=known, notes=notes, wrong=())


class _AnyWrong(Exception):
    def __init__(self, wrong: Sequence[Wrong]) -> None:
        self.wrong = wrong
        super().__init__()
