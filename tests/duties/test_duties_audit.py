"""The journal guards what starts and never what stops: a chain that does not hold keeps thaws and releases away."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken
from guardian.fence import reading
from guardian.model import Event, State
from guardian.store import journal, posts
from guardian.store.audit import LAST, PAGE, Audit
from guardian.store.listing import Filter

if TYPE_CHECKING:
    from tests.duties.conftest import Scene


def tamper(scene: Scene, *words: str) -> None:
    """What somebody with another program does to the store while the daemon runs."""
    connection = sqlite3.connect(scene.database.path, isolation_level=None)
    for trigger in ("journal_never_changed", "journal_never_deleted", "journal_only_grows"):
        connection.execute(f"drop trigger if exists {trigger}")
    for one in words:
        connection.execute(one)
    connection.close()


def fill(scene: Scene, lines: int) -> None:
    with scene.database.transaction() as tx:
        for count in range(lines):
            journal.append(tx, "x", who="a test", now=count)


TAMPERED = {
    "changed words": ("update journal set who = 'nobody' where seq = (select max(seq) - 1 from journal)",),
    "a line taken out": ("delete from journal where seq = (select max(seq) - 1 from journal)",),
    "the end cut off": ("delete from journal where seq > (select max(seq) - 2 from journal)",),
    "a line put in": (
        "insert into journal select max(seq) + 1, 1, 'x', 'nobody', '{}', hash, hash from journal",
    ),
    "all gone": ("delete from journal",),
    "unreadable": ("update journal set data = '{' where seq = (select max(seq) from journal)",),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_a_broken_journal_refuses_a_thaw_and_a_freeze_still_works(scene: Scene, how: str) -> None:
    fill(scene, 20)
    scene.stop("all")
    scene.books.adopt()
    scene.books.follow_the_journal()
    tamper(scene, *TAMPERED[how])
    with pytest.raises(Broken, match="cannot thaw, because the journal breaks at line"):
        scene.books.thaw(["all"], reason="all is well", by="somebody")
    assert reading.read_scope(scene.house, "all").state == reading.FROZEN
    assert [freeze.scope for freeze in scene.freezes()] == ["all"]
    scene.stop("brand:acme", reason="and this one")  # raises unless it is confirmed and durable
    assert scene.books.adopt()


@pytest.mark.parametrize("how", TAMPERED)
def test_a_broken_journal_refuses_a_release_and_the_post_stays_missed(scene: Scene, how: str) -> None:
    fill(scene, 20)
    post = scene.enter()
    with scene.database.transaction() as tx:
        posts.move(tx, post.id, Event.MISS, now=1)
    scene.books.follow_the_journal()
    tamper(scene, *TAMPERED[how])
    with pytest.raises(Broken, match="cannot release anything, because the journal breaks at line"):
        scene.deciding.release(Filter(), gap=0, who="somebody")
    assert scene.post(post).state is State.MISSED


def test_an_old_line_that_was_changed_while_the_daemon_runs_is_found_by_following(scene: Scene) -> None:
    fill(scene, LAST + PAGE)
    tamper(scene, "update journal set who = 'nobody' where seq = 7")
    scene.database.audit = Audit()  # as after a start that had no time to follow it
    for _ in range(50):
        scene.books.follow_the_journal()
    assert scene.database.audit.torn is not None
    assert scene.database.audit.torn.seq == 7
    with pytest.raises(Broken, match="line 7"):
        scene.books.thaw(["all"], reason="all is well", by="somebody")


def test_a_long_journal_that_holds_lets_a_thaw_through_and_is_followed_to_its_end(scene: Scene) -> None:
    fill(scene, 2 * PAGE)
    scene.stop("all")
    done, _ = scene.books.thaw(["all"], reason="all is well", by="somebody")
    assert [one.scope for one in done] == ["all"]
    assert reading.read_scope(scene.house, "all").state == reading.OPEN
    scene.books.follow_the_journal()
    with scene.database.reading() as tx:
        assert scene.database.audit.seq == len(journal.after(tx, 0, limit=100_000))


def test_what_a_refused_thaw_rolled_back_is_not_remembered_as_a_line_that_vanished(scene: Scene) -> None:
    scene.stop("all")
    scene.books.adopt()

    class Interrupted(Exception):
        pass

    def enter_and_break_off() -> None:
        with scene.database.transaction() as tx:
            scene.database.audit.must_hold(tx, "thaw")
            journal.append(tx, "x", who="a test", now=1)
            raise Interrupted

    with pytest.raises(Interrupted):
        enter_and_break_off()
    done, _ = scene.books.thaw(["all"], reason="all is well", by="somebody")
    assert [one.scope for one in done] == ["all"]
