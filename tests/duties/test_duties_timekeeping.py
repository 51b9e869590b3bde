"""A clock that jumps holds back what it could send or miss, and only until it is right again or somebody says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from guardian.duties.timekeeping import Timekeeping
from guardian.model import State
from guardian.rules.clock import Sight

if TYPE_CHECKING:
    from guardian.duties.lane import Lane
    from guardian.model import Post
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Clock, Scene

HOUR, YEAR = 3_600_000, 365 * 86_400_000
JUMPS = [HOUR, -HOUR, 5 * YEAR, -5 * YEAR]


@dataclass
class Clocks:
    """The scene's wall clock beside a boot-time clock that nobody sets."""

    wall: Clock
    boot: str = "b1"
    synchronised: bool = False

    def __call__(self) -> Sight:
        truth = self.wall() - self.wall.off
        return Sight(wall=self.wall(), elapsed=truth, boot=self.boot, synchronised=self.synchronised)


@pytest.fixture
def clocks(scene: Scene) -> Clocks:
    return Clocks(scene.clock)


def start(scene: Scene, clocks: Clocks) -> Lane:
    """What a new life of the daemon makes: it knows only what the journal says."""
    scene.books.timekeeping = Timekeeping(database=scene.database, look=clocks)
    lane = scene.lane()
    lane.publishing.clock_is_right = scene.books.clock_is_right
    scene.books.sweep()
    return lane


@pytest.mark.parametrize("by", JUMPS)
@pytest.mark.parametrize("between_lives", [False, True])
def test_a_clock_that_jumps_sends_nothing_and_misses_nothing_until_it_is_back(
    scene: Scene, clocks: Clocks, platform: RehearsalPlatform, by: int, between_lives: bool
) -> None:
    lane = start(scene, clocks)
    due, to_come = scene.enter("due"), scene.enter("to come", at="2027-06-01T09:00:00+00:00")
    scene.clock.off = by
    lane = start(scene, clocks) if between_lives else lane
    for _ in range(3):
        lane.poll(scene.clock())
        scene.books.sweep()
    assert not scene.books.clock_is_right()
    assert [scene.post(post).state for post in (due, to_come)] == [State.QUEUED, State.QUEUED]
    assert platform.posts() == []
    assert len(scene.journal("clock_doubted")) == 1, "one line for one doubt"
    scene.clock.off = 0
    scene.poll_until(lane, lambda: scene.post(due).state is State.PUBLISHED)
    assert scene.post(to_come).state is State.QUEUED
    assert len(platform.posts()) == 1


@pytest.mark.parametrize("by", JUMPS)
def test_a_thaw_confirms_the_clock_and_everything_goes_on_by_it(scene: Scene, clocks: Clocks, by: int) -> None:
    lane = start(scene, clocks)
    post = scene.enter("due")
    scene.clock.off = by
    lane.poll(scene.clock())
    assert scene.post(post).state is State.QUEUED
    scene.books.thaw(["all"], reason="the clock is right", by="ann")
    (trusted,) = [line for line in scene.journal("clock_trusted") if line.who == "ann"]
    assert trusted.data["why"] == "a person confirmed it"
    lane.poll(scene.clock())
    assert scene.post(post).state is (State.MISSED if by > 0 else State.QUEUED)
    fresh = scene.enter("now")
    scene.poll_until(lane, lambda: scene.post(fresh).state is State.PUBLISHED)
    lane = start(scene, clocks)
    assert scene.books.clock_is_right(), "the next life does not know that it was confirmed"


def test_a_clock_that_was_never_set_at_boot_holds_from_the_start_until_the_kernel_vouches_for_it(
    scene: Scene, clocks: Clocks, platform: RehearsalPlatform
) -> None:
    start(scene, clocks)
    post = scene.enter("due")
    clocks.boot, scene.clock.off = "b2", -scene.clock()
    lane = start(scene, clocks)
    lane.poll(scene.clock())
    assert (scene.post(post).state, platform.posts()) == (State.QUEUED, [])
    scene.clock.off = 0
    clocks.synchronised = True
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(platform.posts()) == 1


def test_a_crash_in_the_middle_of_a_doubt_does_not_make_the_wrong_time_the_last_one_written(
    scene: Scene, clocks: Clocks
) -> None:
    start(scene, clocks)
    scene.clock.off = 5 * YEAR
    start(scene, clocks)
    scene.enter("written five years ahead")
    scene.clock.off, clocks.boot = 0, "b2"
    start(scene, clocks)
    assert scene.books.clock_is_right(), "the right clock is held against a wrong one"


def test_a_doubt_that_cannot_be_written_down_holds_all_the_same(scene: Scene, clocks: Clocks) -> None:
    start(scene, clocks)
    assert scene.books.timekeeping is not None
    scene.clock.off = HOUR
    with scene.database.transaction() as tx:
        tx.execute("create trigger full before insert on journal begin select raise(abort, 'no room'); end")
    with pytest.raises(Exception, match="no room"):
        scene.books.clock_is_right()
    assert not scene.books.clock_is_right()


def test_a_clock_that_is_set_ahead_while_pictures_go_up_does_not_hide_what_was_sent(
    scene: Scene, clocks: Clocks, platform: RehearsalPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intent would be dated an hour ahead: looked for from then on the post is absent, and is sent again."""
    lane = start(scene, clocks)
    post = scene.enter("due")
    hand_over = lane.publishing.uploading.hand_over

    def meanwhile(post: Post) -> object:
        scene.clock.off = HOUR
        return hand_over(post)

    platform.fault("lose")
    with monkeypatch.context() as patched:
        patched.setattr(lane.publishing.uploading, "hand_over", meanwhile)
        lane.poll(scene.clock())
    assert (scene.post(post).state, platform.posts()) == (State.QUEUED, [])
    scene.clock.off = 0
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(platform.posts()) == 1


def test_what_was_sent_by_a_clock_that_was_ahead_is_found_when_it_is_set_right(
    scene: Scene, clocks: Clocks, platform: RehearsalPlatform
) -> None:
    scene.clock.off = HOUR  # from the first start on, so nobody doubts it
    lane = start(scene, clocks)
    post = scene.enter("due")
    platform.fault("lose")
    scene.poll_until(lane, lambda: scene.post(post).state is State.UNKNOWN)
    scene.clock.off = 0
    lane.poll(scene.clock())
    assert not scene.books.clock_is_right()
    scene.books.thaw(["all"], reason="now it is right", by="ann")
    lane.poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED, "looked for from an hour ahead, it is absent"
    assert len(platform.posts()) == 1


def test_three_looks_at_once_by_a_clock_that_jumps_do_not_prove_that_a_post_is_absent(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    """The looks are measured by the clock that nobody sets."""
    lane = scene.lane()
    lane.reconciling.elapsed = lambda: 0
    platform.fault("lose_before")
    post = scene.enter("lost")
    lane.poll(scene.clock())
    assert scene.post(post).state is State.UNKNOWN
    for _ in range(5):
        scene.clock.off += 10 * 60_000
        lane.poll(scene.clock())
    assert scene.post(post).state is State.UNKNOWN
