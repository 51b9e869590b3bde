"""A large store is not believed: what the start has no time for is looked at behind the lanes, to its end."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken
from guardian.store import check, inspection, journal
from guardian.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Enter

POSTS = 60


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every store is a large one: the start has time for nothing but a page of posts."""
    monkeypatch.setattr(check, "PAGES_SECONDS", -1.0)
    monkeypatch.setattr(check, "THE_REST_SECONDS", -1.0)
    monkeypatch.setattr(inspection, "STEPS", 1)
    monkeypatch.setattr(inspection, "PAGE", 10)


@pytest.fixture
def closed(database: Database, enter: Enter) -> Path:
    for place in range(POSTS):
        enter(f"post {place}", ref=f"ref-{place}")
    for place in range(POSTS):
        with database.transaction() as tx:
            journal.append(tx, "x", who="a test", now=place)
    database.close()
    return database.path


def spoil(path: Path, words: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute(words)


def look_to_the_end(path: Path) -> list[Broken]:
    """What a daemon with this store is told, once it runs."""
    database = Database(path)
    told: list[Broken] = []
    database.on_damage = told.append
    steps = 0
    with contextlib.suppress(Broken):
        while not database.inspect(stop=lambda: False):
            steps += 1
            assert steps < 1000, "it has no end"
    database.close()
    return told


def test_a_whole_store_is_found_whole_step_by_step(closed: Path) -> None:
    assert look_to_the_end(closed) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("update posts set text = 'rotten' where seq = 55", "is not what was entered"),
        ("update journal set who = 'nobody' where seq = 55", "its journal breaks at line 55"),
        ("delete from journal where seq = 3", "its journal breaks at line 4"),
    ],
)
def test_what_the_start_had_no_time_to_find_is_found_behind_it_and_told(closed: Path, words: str, why: str) -> None:
    spoil(closed, words)
    (found,) = look_to_the_end(closed)
    assert why in found.message
    assert found.message.startswith(f"cannot use the store {closed}, because it is damaged (")
    assert "guardian restore BACKUP --replace" in found.fix


def test_an_index_that_knows_nothing_of_a_post_is_found_behind_the_start(closed: Path) -> None:
    schema = "update sqlite_master set sql = replace(sql, 'live > {}', 'live > {}') where name = 'posts_half_sent'"
    post = "update posts set live = 1, parts = 3 where seq = 9"
    for words in (schema.format(0, 5), post, schema.format(5, 0)):  # each by somebody who reads the schema anew
        with contextlib.closing(sqlite3.connect(closed, isolation_level=None)) as connection:
            connection.execute("pragma writable_schema=on")
            connection.execute(words)
    (found,) = look_to_the_end(closed)
    assert "posts_half_sent" in found.message


def test_a_long_step_that_was_stopped_begins_again(closed: Path) -> None:
    database = Database(closed)
    try:
        while not database.inspection.journal:
            assert not database.inspect(stop=lambda: False)
        for _ in range(3):
            assert not database.inspect(stop=lambda: True)
            assert not database.inspection.indexes
        database.inspect(stop=lambda: False)
        assert database.inspection.indexes
    finally:
        database.close()


def test_looking_changes_nothing_and_holds_up_no_change(closed: Path) -> None:
    database = Database(closed)
    try:
        with database.transaction() as tx:
            journal.append(tx, "x", who="a lane", now=0)
            while not database.inspect(stop=lambda: False):
                pass
        before = closed.stat().st_mtime_ns
        assert database.inspect(stop=lambda: False)
        assert closed.stat().st_mtime_ns == before
    finally:
        database.close()
