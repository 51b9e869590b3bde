"""Counting the store: over a connection of its own, in time or not at all, and one at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from guardian.daemon.census import COUNTED_WITHIN, Census
from guardian.errors import Doubt
from guardian.model import Account, Event, Part
from guardian.store import freezes, posts
from guardian.store.database import Database
from guardian.store.posts import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.duties.books import Books

NOW = 1_000_000
FOR_EVER = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
ACME = Account(name="acme", platform="mastodon", brand="acme", base_url="", identity="")


@dataclass
class Kept:
    """As much of the books as a census asks for."""

    database: Database
    accounts: tuple[Account, ...] = (ACME,)
    late_after: int = 900_000

    @staticmethod
    def clock() -> int:
        return NOW


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "guardian.db")
    with found.transaction() as tx:
        freezes.set_covers(tx, [ACME])
        for at in (NOW - 5_000, NOW + 5_000):
            part = Part(text="hello")
            posts.enter(tx, Draft(account="acme", at=at, at_text=str(at), zone=None, part=part), now=NOW, who="a test")
    yield found
    found.close()


@pytest.fixture
def census(database: Database) -> Census:
    return Census(cast("Books", Kept(database)))


def test_what_waits_and_what_is_due_is_counted(census: Census) -> None:
    count = census.take()
    assert count is not None
    assert count.posts == {("acme", "queued"): 2}
    assert (count.held, dict(count.due)) == (0, {"acme": NOW - 5_000})
    assert (dict(count.holds), dict(count.halves)) == ({}, {})


def test_holds_are_counted_while_they_stand_and_threads_while_they_are_half_live(
    database: Database, census: Census
) -> None:
    thread = Draft(
        account="acme", at=NOW, at_text="now", zone=None, part=Part(text="1 of 2"), tail=(Part(text="2 of 2"),)
    )
    with database.transaction() as tx:
        post = posts.enter(tx, thread, now=NOW, who="a test").post.id
        for number, (held, tag, lifted) in enumerate([(post, None, None), (None, '"a"', None), (None, '"b"', NOW)]):
            row = (str(number), held, tag, "why", "a test", NOW, lifted, lifted and "a test")
            tx.execute("insert into holds values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for event in (Event.CLAIM, Event.INTEND):
            posts.move(tx, post, event, now=NOW)
        posts.land(tx, post, platform_id="1", url=None, now=NOW)
    count = census.take()
    assert count is not None
    assert (dict(count.holds), dict(count.halves)) == ({"post": 1, "tag": 1}, {"acme": 1})


def test_a_counting_that_takes_too_long_is_given_up_and_the_next_one_counts(database: Database) -> None:
    began = time.monotonic()
    with pytest.raises(Doubt), database.counting(within=0.1) as tx:
        tx.execute(FOR_EVER).fetchone()
    assert time.monotonic() - began < 5
    with database.counting(within=0.1) as tx:
        assert tx.execute("select count(*) as n from posts").fetchone()["n"] == 2


def test_nobody_else_waits_for_a_counting(database: Database) -> None:
    """Were it done over the readers' one connection, a freeze could not be written down meanwhile."""
    with database.counting(within=5.0), database.transaction() as tx:
        freezes.record(tx, "all", reason="x", by="x", at=NOW, mark=None)
    with database.counting(within=5.0), database.reading() as tx:
        assert len(freezes.in_force(tx)) == 1


def test_a_store_that_does_not_answer_is_not_waited_for_and_not_asked_twice(database: Database, census: Census) -> None:
    with database.counting(within=30.0):
        before = set(threading.enumerate())
        began = time.monotonic()
        assert census.take() is None
        assert time.monotonic() - began < COUNTED_WITHIN + 1
        again = time.monotonic()
        assert [census.take() for _ in range(20)] == [None] * 20
        assert time.monotonic() - again < COUNTED_WITHIN
        assert [one.name for one in set(threading.enumerate()) - before] == ["census"]
    until = time.monotonic() + 5
    while census.take() is None:
        assert time.monotonic() < until


def test_a_store_that_is_closed_is_not_counted(database: Database, census: Census) -> None:
    assert census.take() is not None
    database.close()
    assert census.take() is None
