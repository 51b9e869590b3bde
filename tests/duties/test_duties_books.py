"""The books follow the fence: a freeze from any door is written down, a thaw lifts what it saw and nothing newer."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.daemon.program import own
from guardian.fence import marker, passage, permits, reading
from guardian.fence.arming import Armed, Kept
from guardian.fence.permits import Permit
from guardian.model import State
from guardian.store import freezes
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.duties.conftest import Scene


def is_open(scene: Scene, account: int = 0) -> bool:
    try:
        passage.look(scene.house, scene.accounts[account].scopes)
    except passage.Stopped:
        return False
    return True


def epoch(scene: Scene, scope: str = "all") -> int:
    with scene.database.reading() as tx:
        return freezes.epoch(tx, scope) or 0


def test_a_new_house_is_armed_and_its_permits_carry_the_stores_epoch(scene: Scene) -> None:
    assert is_open(scene, 0)
    assert is_open(scene, 1)
    for scope in scene.books.scopes:
        for found in (permits.read_volatile(scene.house, scope), permits.read_durable(scene.house, scope)):
            assert isinstance(found, Permit)
            assert found.epoch == epoch(scene, scope)


def test_a_freeze_from_outside_is_adopted_with_its_reason_its_person_and_its_time(scene: Scene) -> None:
    before = scene.clock()
    mark = scene.stop("brand:acme", reason="a very bad joke", by="ann")
    assert scene.books.adopt() is True
    assert scene.books.adopt() is False, "the same freeze was written down twice"
    (freeze,) = scene.freezes()
    assert (freeze.scope, freeze.reason, freeze.by, freeze.mark) == ("brand:acme", "a very bad joke", "ann", mark)
    assert before <= freeze.at <= scene.clock()
    assert freeze.epoch == epoch(scene, "brand:acme") == 2
    (told,) = scene.journal("frozen")
    assert (told.who, told.data["reason"], told.data["epoch"]) == ("ann", "a very bad joke", 2)


def test_a_thaw_opens_with_a_higher_epoch_in_the_books_and_in_both_permits(scene: Scene) -> None:
    seen = []
    for turn in range(3):
        scene.stop("all")
        scene.books.adopt()
        assert not is_open(scene)
        done, missed = scene.books.thaw(["all"], reason="over", by="ben")
        assert (done, missed) == ([Armed("all", epoch(scene))], [])
        assert is_open(scene)
        for found in (permits.read_volatile(scene.house, "all"), permits.read_durable(scene.house, "all")):
            assert isinstance(found, Permit)
            assert found.epoch == epoch(scene)
        seen.append(epoch(scene))
        assert len(scene.journal("thawed")) == turn + 1
    assert seen == sorted(set(seen))
    assert scene.freezes() == []
    with scene.database.reading() as tx:
        assert [(one.lifted_by, one.lifted_reason) for one in freezes.history(tx)] == [("ben", "over")] * 3


def test_a_thaw_writes_down_the_freeze_that_it_lifts_even_if_nobody_had_yet(scene: Scene) -> None:
    scene.stop("all", by="ann")
    scene.books.thaw(["all"], reason="over", by="ben")
    assert [entry.who for entry in scene.journal("frozen")] == ["ann"]
    assert is_open(scene)


def test_a_narrow_thaw_leaves_a_wide_freeze_in_force(scene: Scene) -> None:
    scene.stop("all")
    scene.stop("account:acme")
    scene.books.adopt()
    scene.books.thaw(["account:acme"], reason="that one only", by="ben")
    assert not is_open(scene)
    assert [freeze.scope for freeze in scene.freezes()] == ["all"]
    scene.books.thaw(["all"], reason="all over", by="ben")
    assert is_open(scene)


def test_a_wide_thaw_leaves_a_narrow_freeze_in_force(scene: Scene) -> None:
    scene.stop("all")
    scene.stop("account:acme")
    scene.books.thaw(["all"], reason="all but one", by="ben")
    assert not is_open(scene, 0)
    assert is_open(scene, 1)
    assert [freeze.scope for freeze in scene.freezes()] == ["account:acme"]


class Meanwhile(list[str]):
    """Scopes to thaw; while they are read for the nth time, something else happens."""

    def __init__(self, scene: Scene, nth: int) -> None:
        super().__init__(["all"])
        self.scene, self.left = scene, nth

    def __iter__(self) -> Iterator[str]:
        self.left -= 1
        if self.left == 0:
            self.scene.stop("all", reason="and another one", by="cid")
        return super().__iter__()


@pytest.mark.parametrize("nth", [2, 3])
def test_a_freeze_in_the_middle_of_a_thaw_wins(scene: Scene, nth: int) -> None:
    scene.stop("all", reason="the first", by="ann")
    scene.books.adopt()
    done, _ = scene.books.thaw(Meanwhile(scene, nth), reason="over", by="ben")
    assert not is_open(scene), "a freeze that nobody lifted is gone"
    assert [type(one) for one in done] == [Kept]
    scene.books.adopt()
    assert [(freeze.reason, freeze.by) for freeze in scene.freezes()] == [("and another one", "cid")]
    assert reading.read_scope(scene.house, "all").state == reading.FROZEN


def test_a_freeze_between_reading_the_clock_and_writing_the_books_wins(scene: Scene) -> None:
    scene.stop("all", reason="the first")
    scene.books.adopt()
    struck: list[str] = []

    def clock() -> int:
        if not struck:
            struck.append(scene.stop("all", reason="and another one"))
        return scene.clock()

    scene.books.clock = clock
    (kept,) = scene.books.thaw(["all"], reason="over", by="ben")[0]
    assert kept == Kept("all", "it was frozen again meanwhile")
    assert not is_open(scene)
    assert [freeze.mark for freeze in scene.freezes()] == struck


def test_a_freeze_that_the_person_was_not_shown_is_not_lifted(scene: Scene) -> None:
    scene.stop("all", reason="the first", by="ann")
    scene.books.adopt()
    shown = [freeze.id for freeze in scene.freezes()]
    scene.stop("all", reason="and another one", by="cid")
    done, _ = scene.books.thaw(["all"], reason="over", by="ben", shown=shown)
    assert [type(one) for one in done] == [Kept]
    assert not is_open(scene)
    assert {freeze.reason for freeze in scene.freezes()} == {"the first", "and another one"}
    shown = [freeze.id for freeze in scene.freezes()]
    assert scene.books.thaw(["all"], reason="over", by="ben", shown=shown)[0] == [Armed("all", epoch(scene))]
    assert is_open(scene)


def test_a_second_thaw_after_a_freeze_that_won_opens(scene: Scene) -> None:
    scene.stop("all")
    scene.books.adopt()
    scene.books.thaw(Meanwhile(scene, 2), reason="over", by="ben")
    scene.books.thaw(["all"], reason="over at last", by="ben")
    assert is_open(scene)
    assert scene.freezes() == []


def test_thawing_what_is_open_misses_nothing(scene: Scene) -> None:
    post = scene.enter("due, and waiting for its turn")
    scene.clock.off = 5_000
    scene.books.thaw(["all"], reason="to be sure", by="ben")
    scene.books.sweep()
    assert scene.post(post).state is State.QUEUED
    assert is_open(scene)


def test_a_durable_permit_removed_by_hand_is_adopted_as_found_closed(scene: Scene) -> None:
    scene.stop("all")
    scene.books.thaw(["all"], reason="over", by="ben")
    _reboot(scene)
    Path(scene.house.durable("all")).unlink()
    scene.open_books()
    assert not is_open(scene)
    (freeze,) = scene.freezes()
    assert (freeze.scope, freeze.reason) == ("all", "the fence was found closed")
    scene.books.thaw(["all"], reason="it was me", by="ben")
    assert is_open(scene)


def _reboot(scene: Scene) -> None:
    """What lies in memory is gone."""
    for file in Path(scene.house.gates).iterdir():
        file.unlink()


def test_a_freeze_outlives_a_reboot_with_its_reason(scene: Scene) -> None:
    scene.stop("all", reason="a bad joke", by="ann")
    _reboot(scene)
    scene.open_books()
    assert not is_open(scene)
    (freeze,) = scene.freezes()
    assert (freeze.reason, freeze.by) == ("a bad joke", "ann")
    scene.open_books()
    assert len(scene.freezes()) == 1


def test_an_open_house_is_open_again_after_a_reboot(scene: Scene) -> None:
    scene.stop("all")
    scene.books.thaw(["all"], reason="over", by="ben")
    _reboot(scene)
    assert not is_open(scene)
    scene.open_books()
    assert is_open(scene)
    assert scene.freezes() == []


def test_a_freeze_in_the_books_closes_a_fence_that_stands_open(scene: Scene) -> None:
    with scene.database.transaction() as tx:
        freezes.record(tx, "brand:acme", reason="in the books only", by="ann", at=scene.clock(), mark=None)
    assert is_open(scene)
    scene.open_books()
    assert not is_open(scene)
    assert reading.read_scope(scene.house, "brand:acme").state == reading.FROZEN
    assert not isinstance(permits.read_durable(scene.house, "brand:acme"), Permit)
    assert {freeze.scope for freeze in scene.freezes()} == {"brand:acme"}
    scene.books.thaw(["brand:acme"], reason="over", by="ben")
    assert is_open(scene)


@pytest.mark.parametrize("rebooted", [True, False])
def test_a_house_that_lost_its_store_stays_closed(scene: Scene, tmp_path: Path, rebooted: bool) -> None:
    scene.stop("all")
    scene.books.thaw(["all"], reason="over", by="ben")
    if rebooted:
        _reboot(scene)
    fresh = Database(tmp_path / "elsewhere" / "guardian.db")
    try:
        scene.database = fresh
        scene.books = scene.open_books()
        assert not is_open(scene)
        assert [freeze.scope for freeze in scene.freezes()] == ["all"]
        scene.books.thaw(["all"], reason="we know, the queue is gone", by="ben")
        assert is_open(scene)
    finally:
        fresh.close()


@pytest.mark.parametrize("wreck", ["", "mark=\nat=now\n", "\0" * 50])
def test_a_marker_that_nobody_can_read_still_means_frozen(scene: Scene, wreck: str) -> None:
    Path(scene.house.marker("all")).write_text(wreck)
    assert not is_open(scene)
    scene.open_books()
    assert not is_open(scene)
    (freeze,) = scene.freezes()
    assert freeze.reason == "a marker that cannot be read"
    assert abs(freeze.at - scene.clock()) < 60_000


def test_a_thaw_that_died_half_way_leaves_the_house_closed_and_can_be_repeated(scene: Scene) -> None:
    scene.stop("all")
    scene.books.adopt()
    with scene.database.transaction() as tx:
        freezes.lift(tx, freezes.in_force(tx), "all", reason="over", by="ben", now=scene.clock())
    assert not is_open(scene)  # and here it died: the books are lifted, the fence is not
    scene.open_books()
    assert not is_open(scene)
    assert len(scene.freezes()) == 1
    scene.books.thaw(["all"], reason="again", by="ben")
    assert is_open(scene)


def test_what_fell_due_under_a_freeze_is_missed_in_one_line_of_the_journal(scene: Scene) -> None:
    due = [scene.enter(f"post {place}", at="now") for place in range(12)]
    later = scene.enter("later", at="2090-01-01T00:00:00Z")
    scene.clock.off = 1_000
    scene.stop("all")
    scene.books.adopt()
    scene.books.sweep()
    assert {scene.post(post).state for post in due} == {State.MISSED}
    assert scene.post(later).state is State.QUEUED
    (told,) = scene.journal("missed")
    assert told.data["count"] == 12
    assert told.data["posts"] == [post.id for post in due]
    assert scene.post(due[0]).why == "its time passed while a freeze covered it"


def test_a_post_that_falls_due_in_a_freeze_of_a_second_is_missed_and_one_after_it_is_not(scene: Scene) -> None:
    now = scene.clock()
    inside = scene.queue.add({"account": "acme", "at": _utc(now + 2_000), "text": "inside"}, who="x")[0].post
    after = scene.queue.add({"account": "acme", "at": _utc(now + 9_000), "text": "after"}, who="x")[0].post
    scene.clock.off = 1_000
    scene.stop("all")
    scene.books.adopt()
    scene.clock.off = 6_000
    _, missed = scene.books.thaw(["all"], reason="over", by="ben")
    assert missed == [inside.id]
    scene.clock.off = 12_000
    assert scene.books.sweep() == []
    assert scene.post(after).state is State.QUEUED


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def test_the_mark_of_a_marker_is_never_used_twice(scene: Scene) -> None:
    assert len({scene.stop("all") for _ in range(3)}) == 3
    found = marker.read(scene.house.marker("all"))
    assert found is not None


def test_a_second_freeze_after_a_reboot_is_confirmed_without_ending_the_daemon(scene: Scene) -> None:
    scene.stop("all")
    scene.books.adopt()
    shutil.rmtree(scene.house.runtime_dir)
    own_house = own(scene.house)
    try:
        scene.open_books()
        scene.stop("all", reason="and once more")
    finally:
        os.close(own_house)
    assert not is_open(scene)
