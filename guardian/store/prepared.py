"""Posts of an import on their way into the store: checked, complete, and not in memory. One thread has them at a time.

A database of its own, private and gone when it is closed: SQLite keeps it in its cache and, when it grows, in a
nameless file. So the transaction that enters them does nothing but insert.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Self

from guardian.errors import DiskFull
from guardian.store.queries import Q, as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PRIVATE = ""  # SQLite's name for a database that only its connection sees


class Place(NamedTuple):
    """Where in a file a ref stands first, and what its record says in one hash."""

    line: int
    digest: str


class Prepared:
    """The rows of one import. Use it in a `with`. Raises DiskFull when there is no room for them."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect(PRIVATE, isolation_level=None, check_same_thread=False)
        self._rows.row_factory = as_dict
        Q.make_prepared(self._rows)
        Q.make_prepared_refs(self._rows)
        Q.make_prepared_tags(self._rows)
        Q.make_prepared_variants(self._rows)
        self._rows.execute("begin")
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add(self, row: Mapping[str, object], tags: Iterable[Mapping[str, object]]) -> None:
        """One more post, with its tags."""
        try:
            Q.prepare(self._rows, **row)
            self._rows.executemany(Q.prepare_tags.sql, tags)
        except sqlite3.OperationalError as error:
            raise self._full() from error
        self.count += 1

    def first_with(self, account: str, ref: str, place: Place) -> Place | None:
        """Where that ref stands already in this file; else it stands here."""
        found = self.place_of(account, ref)
        if found is not None:
            return found
        try:
            Q.prepare_ref(self._rows, account=account, ref=ref, line=place.line, digest=place.digest)
        except sqlite3.OperationalError as error:
            raise self._full() from error
        return None

    def place_of(self, account: str, ref: str) -> Place | None:
        """Where a ref stands in this file."""
        found = Q.prepared_ref(self._rows, account=account, ref=ref)
        return None if found is None else Place(found["line"], found["digest"])

    def first_variant(self, *, campaign: str, account: str, at: int, line: int) -> int | None:
        """The line in which that campaign has that account at that moment already; else it stands here."""
        found = self.variant_of(campaign=campaign, account=account, at=at)
        if found is not None:
            return found
        try:
            Q.prepare_variant(self._rows, campaign=campaign, account=account, at=at, line=line)
        except sqlite3.OperationalError as error:
            raise self._full() from error
        return None

    def variant_of(self, *, campaign: str, account: str, at: int) -> int | None:
        """The line of this file that has that variant."""
        found = Q.prepared_variant(self._rows, campaign=campaign, account=account, at=at)
        return None if found is None else int(found)

    def rows(self) -> Iterator[dict[str, object]]:
        """Every post, in the order of the file."""
        yield from self._rows.execute(Q.prepared.sql)

    def tags(self) -> Iterator[dict[str, object]]:
        """Every tag of every post, in the order of the index that it goes into."""
        yield from self._rows.execute(Q.prepared_tags.sql)

    @staticmethod
    def _full() -> DiskFull:
        return DiskFull(
            "cannot prepare the import, because the disk for temporary files is full; nothing was changed",
            fix="make room in /var/tmp or /tmp, or split the file",
        )
