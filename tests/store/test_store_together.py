"""Lanes that go to the disk together: each change is whole or not at all, and on the disk when its lane goes on."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from guardian.store import journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.store.database import Database, Tx

LANES = 4
WITHIN = 20.0


def write(tx: Tx, who: str) -> None:
    journal.append(tx, "x", who=who, now=0)


def committed(database: Database) -> list[str]:
    """What another process would find on the disk."""
    with closing(sqlite3.connect(database.path)) as connection:
        return [row[0] for row in connection.execute("select who from journal order by seq")]


class Lanes:
    """Threads that all wait for the writer, and what became of each; `seen` is what was on the disk when it went on."""

    def __init__(self, database: Database, change: Callable[[Tx, str], None] = write) -> None:
        self.database = database
        self.change = change
        self.errors: dict[str, BaseException] = {}
        self.seen: dict[str, list[str]] = {}
        self.threads = [threading.Thread(target=self._run, args=(f"lane {place}",)) for place in range(LANES)]

    def all_at_once(self) -> int:
        """Let them queue behind a change of somebody else; how many commits there were for them."""
        commits: list[str] = []
        with self.database.transaction() as tx:
            for thread in self.threads:
                thread.start()
            until = time.monotonic() + WITHIN
            while self.database._together._awaited < LANES:
                assert time.monotonic() < until
                time.sleep(0.001)
            tx.set_trace_callback(lambda words: commits.append(words) if words.lower() == "commit" else None)
        for thread in self.threads:
            thread.join(WITHIN)
        self.database._writer.set_trace_callback(None)
        return len(commits) - 1  # the first is that of the change before them

    def _run(self, name: str) -> None:
        try:
            with self.database.transaction(shared=True) as tx:
                self.change(tx, name)
        except Exception as error:  # noqa: BLE001 (it is looked at by the test)
            self.errors[name] = error
        self.seen[name] = committed(self.database)


def test_lanes_that_wait_together_share_a_commit_and_find_their_change_on_the_disk(database: Database) -> None:
    lanes = Lanes(database)
    assert lanes.all_at_once() < LANES
    assert not lanes.errors
    assert len(lanes.seen) == LANES
    assert all(name in seen for name, seen in lanes.seen.items())


def test_a_change_that_fails_takes_nothing_of_the_other_lanes_with_it_and_leaves_nothing_of_itself(
    database: Database,
) -> None:
    def change(tx: Tx, who: str) -> None:
        write(tx, who)
        if who in ("lane 1", "lane 2"):
            raise ValueError(who)

    lanes = Lanes(database, change)
    lanes.all_at_once()
    assert {name: str(error) for name, error in lanes.errors.items()} == {"lane 1": "lane 1", "lane 2": "lane 2"}
    assert sorted(committed(database)) == ["lane 0", "lane 3"]


def test_a_commit_that_fails_is_told_to_every_lane_in_it_and_to_no_other(database: Database) -> None:
    def change(tx: Tx, who: str) -> None:
        write(tx, who)
        if who == "lane 2":  # found wrong at the commit, and not before
            tx.execute("pragma defer_foreign_keys=on")
            tx.execute("insert into attempts (id, post, account, key, started_at) values ('a', 'no post', 'a', 'k', 0)")

    lanes = Lanes(database, change)
    lanes.all_at_once()
    assert "lane 2" in lanes.errors
    assert all(isinstance(error, sqlite3.IntegrityError) for error in lanes.errors.values())
    assert sorted(committed(database)) == sorted({f"lane {place}" for place in range(LANES)} - set(lanes.errors))


def test_a_lane_that_waits_for_one_that_has_given_up_goes_on_by_itself(database: Database) -> None:
    database._together.expect(1)  # somebody who will never come
    with database.transaction(shared=True) as tx:
        write(tx, "lane 0")
    assert committed(database) == ["lane 0"]


def test_whoever_wants_the_writer_alone_first_brings_to_the_disk_what_the_lanes_left(database: Database) -> None:
    database._together.expect(1)
    lanes = Lanes(database)
    lane = threading.Thread(target=lanes._run, args=("lane 0",))
    lane.start()
    until = time.monotonic() + WITHIN
    while database._together._open is None and committed(database) == []:
        assert time.monotonic() < until
    with database.transaction() as tx:
        write(tx, "a freeze")
    lane.join(WITHIN)
    assert committed(database) == ["lane 0", "a freeze"]
    assert not lanes.errors
