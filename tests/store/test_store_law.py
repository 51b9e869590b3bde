"""What the database itself refuses, whoever asks: raw SQL is given the same answers as our own functions."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Illegal, Unfound
from guardian.model import Event, State
from guardian.rules import lifecycle
from guardian.store import attempts, journal, posts

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.store.database import Database
    from tests.store.conftest import Enter

LEGAL = {(was, to) for was, _, to in lifecycle.transitions()}
WAY = {
    State.QUEUED: (),
    State.CLAIMED: (Event.CLAIM,),
    State.BLOCKED: (Event.CLAIM, Event.BLOCK),
    State.SENDING: (Event.CLAIM, Event.INTEND),
    State.UNKNOWN: (Event.CLAIM, Event.INTEND, Event.LOSE),
    State.PUBLISHED: (Event.CLAIM, Event.INTEND, Event.LANDED),
    State.REFUSED: (Event.CLAIM, Event.INTEND, Event.REFUSE),
    State.MISSED: (Event.MISS,),
    State.CANCELLED: (Event.CANCEL,),
    State.RETRACTING: (Event.CLAIM, Event.INTEND, Event.LANDED, Event.RETRACT),
    State.RETRACTED: (Event.CLAIM, Event.INTEND, Event.LANDED, Event.RETRACT, Event.GONE),
}


def lead(database: Database, post: str, state: State) -> None:
    """Walk a queued post to a state, lawfully."""
    with database.transaction() as tx:
        for event in WAY[state]:
            if event is Event.LANDED:
                posts.land(tx, post, platform_id=f"id-{post}", url=None, now=1)
            else:
                posts.move(tx, post, event, now=1)
        assert posts.get(tx, post).state is state


@pytest.mark.parametrize("state", State)
def test_the_database_refuses_every_move_that_the_law_does_not_know(
    database: Database, enter: Enter, state: State
) -> None:
    post = enter().id
    lead(database, post, state)
    outsider = sqlite3.connect(database.path, isolation_level=None)
    try:
        for target in State:
            words = "update posts set state = ?, platform_id = coalesce(platform_id, 'x') where id = ?"
            outsider.execute("begin immediate")
            if target is state or (state, target) in LEGAL:
                outsider.execute(words, (target, post))
            else:
                with pytest.raises(sqlite3.IntegrityError, match="illegal move of a post"):
                    outsider.execute(words, (target, post))
            outsider.execute("rollback")
    finally:
        outsider.close()


@pytest.mark.parametrize("state", State)
def test_our_own_functions_refuse_the_same_moves_and_change_nothing(
    database: Database, enter: Enter, state: State
) -> None:
    post = enter().id
    lead(database, post, state)
    with database.transaction() as tx:
        before = posts.get(tx, post)
        for event in set(Event) - set(lifecycle.TABLE[state]):
            with pytest.raises(Illegal):
                posts.move(tx, post, event, now=99, why="never")
            if event is Event.LANDED:
                with pytest.raises(Illegal):
                    posts.land(tx, post, platform_id="x", url=None, now=99)
            if event in (Event.RELEASE, Event.RESCHEDULE):
                with pytest.raises(Illegal):
                    posts.re_enter(tx, post, event, at=99, zone=None, now=99)
        assert posts.get(tx, post) == before


def test_a_state_that_nobody_has_heard_of_is_refused(database: Database, enter: Enter) -> None:
    post = enter().id
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        tx.execute("update posts set state = 'sent' where id = ?", (post,))


def test_published_without_the_platforms_id_is_refused_as_a_false_success(database: Database, enter: Enter) -> None:
    post = enter().id
    lead(database, post, State.SENDING)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"), database.transaction() as tx:
        tx.execute("update posts set state = 'published' where id = ?", (post,))
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"), database.transaction() as tx:
        posts.move(tx, post, Event.LANDED, now=1)


@pytest.mark.parametrize(
    "words",
    [
        "delete from posts",
        "delete from journal",
        "update journal set kind = 'forged'",
        "update journal set seq = seq + 1",
    ],
)
def test_nobody_deletes_a_post_or_rewrites_the_journal(database: Database, enter: Enter, words: str) -> None:
    enter()
    with database.transaction() as tx:
        journal.append(tx, "entered", who="a test", now=1)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        tx.execute(words)


REPLACING = [
    "insert or replace into journal select seq, at, 'forged', who, data, prev, hash from journal",
    "insert or replace into posts select * from posts",
    "update or replace posts set id = (select min(id) from posts), seq = -1",
]


@pytest.mark.parametrize("words", REPLACING)
def test_nobody_replaces_a_post_or_a_line_of_the_journal_by_another(
    database: Database, enter: Enter, words: str
) -> None:
    enter("one")
    enter("two")
    with database.transaction() as tx:
        journal.append(tx, "entered", who="a test", now=1)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        tx.execute(words)


def test_a_post_has_one_open_attempt_at_a_time(database: Database, enter: Enter) -> None:
    post = enter()
    with database.transaction() as tx:
        first = attempts.begin(tx, post, key="k", now=1)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        attempts.begin(tx, post, key="k", now=2)
    with database.transaction() as tx:
        attempts.end(tx, first, outcome="unsent", detail=None, now=3)
        attempts.begin(tx, post, key="k", now=4)
        assert [one.outcome for one in attempts.of_post(tx, post.id)] == ["unsent", None]


def test_an_attempt_is_never_ended_twice_or_with_an_outcome_of_our_invention(database: Database, enter: Enter) -> None:
    post = enter()
    with database.transaction() as tx:
        attempt = attempts.begin(tx, post, key="k", now=1)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        attempts.end(tx, attempt, outcome="probably", detail=None, now=2)
    with database.transaction() as tx:
        attempts.end(tx, attempt, outcome="landed", detail="1", now=2)
        attempts.end(tx, attempt, outcome="unsent", detail="no, not at all", now=3)
        attempts.resolve(tx, attempt, outcome="absent", detail="no")
        (kept,) = attempts.of_post(tx, post.id)
    assert (kept.outcome, kept.detail, kept.ended_at) == ("landed", "1", 2)


def test_an_attempt_of_a_post_that_does_not_exist_is_refused(database: Database, enter: Enter) -> None:
    words = "insert into attempts (id, post, account, key, started_at) values ('a-x', 'p-none', ?, 'k', 1)"
    account = enter().account
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        tx.execute(words, (account,))


def test_a_post_that_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(Unfound), database.reading() as tx:
        posts.get(tx, "p-none")


def test_a_second_door_to_the_file_obeys_the_same_triggers(enter: Enter, path: Path) -> None:
    enter()
    outsider = sqlite3.connect(path, isolation_level=None)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            outsider.execute("delete from posts")
    finally:
        outsider.close()
