"""A post's content is sealed when it is entered: a byte that rots in it is never published."""

from __future__ import annotations

import re
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken
from guardian.store import posts
from guardian.store.database import Database
from guardian.store.posts import SEALED
from guardian.store.upgrading import MIGRATIONS, statements

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Enter


def rot(database: Database, post_id: str, column: str) -> None:
    connection = sqlite3.connect(database.path, isolation_level=None)
    connection.execute("drop trigger if exists posts_keep_their_names")
    connection.execute(f"update posts set {column} = 'rotten' where id = ?", (post_id,))  # noqa: S608 (from our own list)
    connection.close()


@pytest.mark.parametrize("column", [name for name in SEALED if name not in ("id", "account")])
def test_a_post_that_is_not_what_was_entered_is_not_claimed_and_the_damage_is_told(
    database: Database, enter: Enter, column: str
) -> None:
    post = enter("hello")
    told: list[Broken] = []
    database.on_damage = told.append
    rot(database, post.id, column)
    with pytest.raises(Broken, match="not what was entered"), database.transaction() as tx:
        posts.claim(tx, "acme-m", now=1, late_after=1000)
    assert len(told) == 1
    with database.reading() as tx:
        assert [row["state"] for row in tx.execute("select state from posts")] == ["queued"]


def test_a_rotten_post_is_found_at_the_next_start(database: Database, enter: Enter, path: Path) -> None:
    enter("a sound one")
    rot(database, enter("hello").id, "text")
    database.close()
    with pytest.raises(Broken, match="not what was entered"):
        Database(path)


def test_a_store_from_before_there_were_seals_is_migrated_and_its_posts_are_sent(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(MIGRATIONS)
    script = files("guardian.store").joinpath("migrations/0001_house.sql").read_text("utf-8")
    for statement in statements(re.sub(r"check \((state|outcome) in \(\{\w+\}\)\)", "", script)):
        connection.execute(statement)
    connection.execute("insert into migrations values (1, '0001_house.sql', 1)")
    connection.execute(
        "insert into posts (id, seq, account, state, at, entered_at, text, tags, digest, created_at, created_by,"
        " changed_at) values ('p-old', 1, 'acme-m', 'queued', 5, 1, 'old words', '[]', 'd', 1, 'me', 1)"
    )
    connection.execute("insert into counts (account, state, n) values ('acme-m', 'queued', 1)")  # a trigger's work
    connection.close()
    database = Database(path)
    try:
        with database.transaction() as tx:
            found = posts.claim(tx, "acme-m", now=6, late_after=1000)
        assert found is not None
        assert found.part.text == "old words"
    finally:
        database.close()
