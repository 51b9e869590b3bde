"""Keeping files and sweeping them out: what a post shows stays for ever, what nobody uses goes after a week."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from guardian.duties import spooling as module
from guardian.duties.spooling import SWEEP_AFTER, SWEEP_EVERY, UNUSED_FOR, Handed, Spooling
from guardian.errors import Doubt, Mistake, Unfound
from guardian.model import Event, Part
from guardian.store import media, posts
from tests.duties import darkroom

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from guardian.store.database import Tx
    from tests.duties.conftest import Scene

WEEK = UNUSED_FOR + 1


@pytest.fixture
def spooling(scene: Scene) -> Spooling:
    return Spooling(database=scene.database, spool=scene.spool, clock=scene.clock, clock_is_right=lambda: True)


def hand_over(spooling: Spooling, data: bytes) -> Handed:
    with spooling.receiving() as incoming:
        incoming.write(data)
        return spooling.settle(incoming, who="a test")


def known(scene: Scene, sha256: str) -> bool:
    with scene.database.reading() as tx:
        return media.find(tx, sha256) is not None


def lies(scene: Scene, sha256: str) -> bool:
    return scene.spool.path_of(sha256).exists()


def test_what_nobody_uses_goes_after_a_week_and_the_journal_says_so(scene: Scene, spooling: Spooling) -> None:
    found = [hand_over(spooling, darkroom.picture("PNG", width=width)).media for width in (20, 21)]
    assert spooling.sweep(scene.clock() + UNUSED_FOR - 60_000) == 0
    assert spooling.sweep(scene.clock() + WEEK) == 2
    assert not any(known(scene, one.sha256) or lies(scene, one.sha256) for one in found)
    (entry,) = scene.journal("media removed")
    assert entry.who == "guardian"
    assert entry.data == {"count": 2, "sha256": sorted(one.sha256 for one in found)}
    assert spooling.sweep(scene.clock() + WEEK) == 0


@pytest.mark.parametrize("event", [None, Event.CANCEL, Event.MISS])
def test_what_a_post_of_any_state_shows_is_kept_as_evidence(
    scene: Scene, spooling: Spooling, event: Event | None
) -> None:
    first, later = (hand_over(spooling, darkroom.picture("PNG", width=width)).media for width in (22, 23))
    post = scene.enter_parts(Part(text="one", media=(first,)), Part(text="two", media=(later,)))
    if event is not None:
        with scene.database.transaction() as tx:
            posts.move(tx, post.id, event, now=scene.clock())
    assert spooling.sweep(scene.clock() + 100 * WEEK) == 0
    assert all(known(scene, one.sha256) and lies(scene, one.sha256) for one in (first, later))


def test_handing_it_over_again_makes_it_young_again(scene: Scene, spooling: Spooling) -> None:
    data = darkroom.picture("PNG", width=24)
    assert hand_over(spooling, data).known is False
    scene.clock.off += WEEK
    assert hand_over(spooling, data).known is True
    assert spooling.sweep(scene.clock()) == 0
    assert len(scene.journal("handed over")) == 1


def test_a_file_that_a_crash_left_without_a_row_goes_too(scene: Scene, spooling: Spooling) -> None:
    kept = scene.spool.take_in([b"left by a crash"])
    assert spooling.sweep(scene.clock()) == 0
    long_ago = (scene.clock() - WEEK) / 1000
    os.utime(scene.spool.path_of(kept.sha256), (long_ago, long_ago))
    assert spooling.sweep(scene.clock()) == 1
    assert not lies(scene, kept.sha256)


def test_a_post_that_is_entered_while_the_broom_sweeps_keeps_its_picture(
    scene: Scene, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look through the posts and the removal: the last moment at which it can go wrong."""
    found = hand_over(spooling, darkroom.picture("PNG", width=25)).media
    other = hand_over(spooling, darkroom.picture("PNG", width=26)).media
    through = spooling._withdraw_shown

    def and_then(old: set[str]) -> int:
        seen = through(old)
        scene.enter_parts(Part(text="just now", media=(found,)))
        return seen

    monkeypatch.setattr(spooling, "_withdraw_shown", and_then)
    assert spooling.sweep(scene.clock() + WEEK) == 1
    assert known(scene, found.sha256)
    assert lies(scene, found.sha256)
    assert not lies(scene, other.sha256)


def test_posts_are_looked_through_to_the_last_one(
    scene: Scene, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "STRETCH", 2)
    pictures = [hand_over(spooling, darkroom.picture("PNG", width=30 + number)).media for number in range(7)]
    for place, one in enumerate(pictures[:6]):
        scene.enter_parts(Part(text=f"post {place}", media=(one,)))
    monkeypatch.setattr(module, "BATCH", 1)
    assert spooling.sweep(scene.clock() + WEEK) == 1
    assert [lies(scene, one.sha256) for one in pictures] == [True] * 6 + [False]


def test_one_sweep_removes_no_more_than_its_share(
    scene: Scene, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    for width in (40, 41, 42):
        hand_over(spooling, darkroom.picture("PNG", width=width))
    assert [spooling.sweep(scene.clock() + WEEK) for _ in range(3)] == [2, 1, 0]


def test_a_clock_that_is_in_doubt_removes_nothing(scene: Scene, spooling: Spooling) -> None:
    hand_over(spooling, darkroom.picture("PNG", width=43))
    right = False
    spooling.clock_is_right = lambda: right
    start = scene.clock()
    assert spooling.poll(start) == start + SWEEP_AFTER
    for late in (SWEEP_AFTER, WEEK, 2 * WEEK):
        assert (spooling.poll(start + late) or 0) > start + late  # and does not spin meanwhile
    assert scene.journal("media removed") == []
    right = True
    now = start + 2 * WEEK
    assert spooling.poll(now) == now + SWEEP_EVERY
    assert len(scene.journal("media removed")) == 1


def test_a_clock_that_was_set_back_by_years_still_sweeps_some_day(scene: Scene, spooling: Spooling) -> None:
    now = scene.clock()
    spooling.poll(now)
    back = now - 500 * UNUSED_FOR
    assert spooling.poll(back) == back + SWEEP_AFTER


def test_what_the_store_cannot_write_down_does_not_stay_in_the_spool(
    scene: Scene, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(**_: object) -> AbstractContextManager[Tx]:
        raise Doubt("cannot write to the store, because a test says so")

    with monkeypatch.context() as changed:
        changed.setattr(scene.database, "transaction", refuses)
        with pytest.raises(Doubt):
            hand_over(spooling, darkroom.picture("PNG", width=44))
    assert list(scene.spool.lying()) == []


def test_a_known_picture_is_not_looked_at_again_and_is_put_back_where_it_is_missing(
    scene: Scene, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = darkroom.picture("PNG", width=46), darkroom.mp4(5000)
    first = [hand_over(spooling, data) for data in pictures]
    scene.spool.remove(first[0].media.sha256)
    monkeypatch.setattr(module, "look", lambda _: pytest.fail("it was looked at again"))
    again = [hand_over(spooling, data) for data in pictures]
    assert [one.media for one in again] == [one.media for one in first]
    assert [(one.known, one.frames) for one in again] == [(True, None), (True, None)]
    assert again[1].notes == first[1].notes != ()
    assert lies(scene, first[0].media.sha256)


def test_what_is_not_fit_never_gets_a_name(scene: Scene, spooling: Spooling) -> None:
    data = darkroom.picture("JPEG")
    with pytest.raises(Mistake, match="because it is cut off or damaged"):
        hand_over(spooling, data[:3000])
    assert list(scene.spool.lying()) == []
    assert scene.journal("handed over") == []


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (darkroom.mp4(), "it begins like video/mp4; its content was not checked"),
        (darkroom.picture("GIF") + b"12345", "it has 5 bytes after its end, which are kept and sent as they are"),
    ],
)
def test_what_was_not_checked_is_said(spooling: Spooling, data: bytes, note: str) -> None:
    assert hand_over(spooling, data).notes == (note,)


def test_a_post_can_show_only_what_is_in_the_spool(scene: Scene, spooling: Spooling) -> None:
    found = hand_over(spooling, darkroom.picture("WEBP", width=45)).media
    with scene.database.reading() as tx:
        assert media.get(tx, found.sha256) == found
        with pytest.raises(Unfound, match="hand the file over again"):
            media.get(tx, "0" * 64)
