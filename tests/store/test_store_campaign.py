"""Campaigns in the store: old stores keep their seals, and nobody holds or cancels a campaign by a mistyped name."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken, Mistake
from guardian.model import Event, Part
from guardian.store import listing, posts
from guardian.store.database import Database
from guardian.store.listing import Filter
from guardian.store.posts import Draft
from guardian.store.upgrading import MIGRATIONS, NAMES, released, statements

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Enter

BEFORE = 6  # the last step that knew of no campaigns
COLUMNS = (
    *("id", "seq", "account", "state", "at", "entered_at", "text", "tags", "ref", "digest"),
    *("created_at", "created_by", "changed_at", "seal"),
)


def store_of(step: int, path: Path) -> sqlite3.Connection:
    """A store as the guardian of that step left it, with its triggers."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(MIGRATIONS)
    for number, script in sorted(released().items()):
        if number <= step:
            for statement in statements(script):
                connection.execute(statement)
            connection.execute("insert into migrations values (?, ?, 1)", (number, NAMES[number]))
    for statement in statements(files("guardian.store").joinpath("sqlite.sql").read_text("utf-8")):
        connection.execute(statement)
    return connection


def sha256_of(content: list[object]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def old_post(connection: sqlite3.Connection, name: str, seq: int, *, ref: str | None, account: str = "acme-m") -> None:
    """A sealed post, digest and seal as they were made before there were campaigns."""
    digest = sha256_of(["5", None, "old words", None, None, None, []])
    seal = sha256_of([name, account, "old words", None, None, None, "[]", ref, digest, 1, "me"])
    values = (name, seq, account, "queued", 5, 1, "old words", "[]", ref, digest, 1, "me", 1, seal)
    marks = ", ".join("?" * len(COLUMNS))
    connection.execute(f"insert into posts ({', '.join(COLUMNS)}) values ({marks})", values)  # noqa: S608 (our own names)


def test_posts_of_a_store_from_before_there_were_campaigns_keep_their_seals_and_are_sent(path: Path) -> None:
    connection = store_of(BEFORE, path)
    old_post(connection, "p-old", 1, ref=None)
    old_post(connection, "p-older", 2, ref="r-1", account="beta-m")
    connection.close()
    database = Database(path)  # looks at every seal
    try:
        again = Draft(account="beta-m", at=5, at_text="5", zone=None, part=Part(text="old words"), ref="r-1")
        new = Draft(account="beta-m", at=5, at_text="5", zone=None, part=Part(text="new"), campaign="launch")
        with database.transaction() as tx:
            assert posts.enter(tx, again, now=6, who="me").post.id == "p-older"  # known, not a second one
            found = posts.claim(tx, "acme-m", now=6, late_after=1000)
            entered = posts.enter(tx, new, now=6, who="me").post
        assert found is not None
        assert (found.id, found.part.text, found.campaign) == ("p-old", "old words", None)
        assert entered.campaign == "launch"
    finally:
        database.close()


def test_a_post_whose_campaign_is_not_what_was_entered_is_not_sent(database: Database, enter: Enter) -> None:
    post = enter("hello", campaign="launch")
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("update posts set campaign = 'lunch' where id = ?", (post.id,))
    other.close()
    with pytest.raises(Broken, match="not what was entered"), database.transaction() as tx:
        posts.claim(tx, "acme-m", now=1, late_after=1000)


def test_the_campaign_is_part_of_the_content_only_where_there_is_one() -> None:
    drafts = [
        Draft(account="a", at=1, at_text="1", zone=None, part=Part(text="x"), campaign=name)
        for name in (None, "launch", "lunch")
    ]
    digests = [one.digest() for one in drafts]
    assert len(set(digests)) == len(digests)
    assert digests[0] == sha256_of(["1", None, "x", None, None, None, []])


def test_the_variants_of_a_campaign_are_listed_page_by_page_in_the_order_of_their_time(
    database: Database, enter: Enter
) -> None:
    for nr in range(7):
        enter(
            f"{nr}",
            at=100 - nr,
            account=("acme-m", "beta-m")[nr % 2],
            campaign="launch",
            tags=("even",) * (nr % 2 == 0),
        )
        enter("of another", at=50, campaign=f"launch {nr}")
        enter("of none", at=50)
    found, cursor = [], None
    with database.reading() as tx:
        for _ in range(4):
            rows, cursor = listing.page(tx, Filter(campaign="launch"), cursor=cursor, limit=2)
            found += [row["text"] for row in rows]
        assert cursor is None
        assert found == ["6", "5", "4", "3", "2", "1", "0"]
        rows, _ = listing.page(tx, Filter(campaign="launch", account="beta-m"), cursor=None, limit=9)
        assert [row["text"] for row in rows] == ["5", "3", "1"]
        rows, _ = listing.page(tx, Filter(campaign="launch", tag="even", before=97), cursor=None, limit=9)
        assert [row["text"] for row in rows] == ["6", "4"]


def test_what_is_held_of_a_campaign_is_told_from_what_else_is_held(database: Database, enter: Enter) -> None:
    kept, free = enter("kept", at=9, campaign="launch"), enter("free", at=8, campaign="launch")
    other = enter("other", at=7)
    with database.transaction() as tx:
        for nr, post in enumerate((kept, other)):
            tx.execute(
                "insert into holds (id, post, reason, by_whom, at) values (?, ?, '', 'me', 1)", (f"h-{nr}", post.id)
            )
        held = [row["id"] for row in listing.stream(tx, Filter(campaign="launch", held=True))]
        own = [row["id"] for row in listing.stream(tx, Filter(campaign="launch", own_hold=True))]
    assert held == own == [kept.id]
    assert free.id not in held


def test_a_mistyped_campaign_is_no_empty_one(database: Database, enter: Enter) -> None:
    enter("hello", campaign="launch")
    with database.reading() as tx:
        with pytest.raises(Mistake, match="cannot find the campaign 'lauch'") as caught:
            listing.page(tx, Filter(campaign="lauch"), cursor=None, limit=9)
        assert caught.value.fix == "use 'launch'"


def test_an_account_has_one_variant_of_a_campaign_at_a_time(database: Database, enter: Enter) -> None:
    first = enter("hello", at=5, campaign="launch")
    with pytest.raises(Mistake, match=f"a second one of campaign 'launch', because {first.id} is its variant"):
        enter("hello again", at=5, campaign="launch")
    enter("hello", at=5, campaign="launch", account="beta-m")
    enter("and a reminder", at=6, campaign="launch")
    enter("of another campaign", at=5, campaign="autumn")
    enter("of none", at=5)
    with database.transaction() as tx:
        posts.move(tx, first.id, Event.CANCEL, now=2)
    enter("corrected", at=5, campaign="launch")
