"""A lane's patience: what surely was not made is tried again, at the stated time, and a freeze ends every wait."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.model import State
from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]


def test_a_throttled_post_waits_until_the_stated_time_and_is_then_sent_once(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter()
    platform.fault("429", retry_after=1)
    lane = scene.lane()
    lane.poll(scene.clock())
    first, second = sent()
    assert scene.post(post).state is State.PUBLISHED
    assert second["first_byte"] - (first["answered"] or 0) >= 0.95e9
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["unsent", "landed"]
    assert len(platform.posts()) == 1


def test_a_freeze_ends_the_wait_of_a_throttled_lane_at_once(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter()
    platform.fault("429", retry_after=600)
    lane = scene.lane()
    began, following = time.monotonic(), []
    thread = threading.Thread(target=lambda: following.append(lane.poll(scene.clock())))
    thread.start()
    scene.wait(lambda: len(sent()) == 1 and lane._rest_until > 0)
    scene.halt.set()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - began < 5
    assert scene.post(post).state is State.QUEUED
    assert following[0] is not None
    assert following[0] >= scene.clock() + 590_000


def test_an_end_that_comes_while_the_platform_is_asked_who_we_are_ends_the_lane_and_sends_nothing(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter()
    platform.fault("delay_before", seconds=0.4, method="GET", path=".*verify_credentials")
    platform.fault("429", retry_after=600)
    lane = scene.lane()
    thread = threading.Thread(target=lambda: lane.poll(scene.clock()), daemon=True)
    thread.start()
    scene.wait(lambda: bool(platform.log()))
    scene.halt.set()
    thread.join(3)
    hung = thread.is_alive()
    scene.halt.set()  # so that the test itself comes to an end
    thread.join(3)
    assert not hung, "the lane waits ten minutes for a platform, and the daemon cannot end"
    assert sent() == []
    assert scene.post(post).state is State.QUEUED


def test_a_thaw_does_not_send_a_throttled_post_before_the_stated_time(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter()
    platform.fault("429", retry_after=120)
    lane = scene.lane()
    halting = threading.Timer(0.5, scene.halt.set)
    halting.start()
    lane.poll(scene.clock())
    halting.join()
    for ahead in (0, 1_000, 60_000, 110_000):
        scene.clock.off = ahead
        lane.poll(scene.clock())
        assert len(sent()) == 1, f"{ahead} ms after the answer"
    scene.clock.off = 121_000
    lane.poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED
    assert len(sent()) == 2


def test_a_platform_that_comes_up_late_gets_the_post_once(scene: Scene, platform: RehearsalPlatform) -> None:
    lane = scene.lane()
    lane._ask_who_we_are(scene.clock())
    assert lane.trouble is None
    port = urlsplit(platform.url).port or 0
    platform.stop()
    post = scene.enter()
    ended: list[int | None] = []
    thread = threading.Thread(target=lambda: ended.append(lane.poll(scene.clock())))
    thread.start()
    time.sleep(0.3)
    assert scene.post(post).state is State.QUEUED
    with RehearsalPlatform(port=port) as again:
        thread.join(10)
        assert not thread.is_alive()
        assert scene.post(post).state is State.PUBLISHED
        assert len(again.posts()) == 1
    outcomes = [attempt.outcome for attempt in scene.attempts(post)]
    assert outcomes[-1] == "landed"
    assert set(outcomes[:-1]) == {"unsent"}


def test_two_posts_of_one_account_keep_the_gap(scene: Scene, sent: Sent) -> None:
    scene.enter("one")
    scene.enter("two")
    lane = scene.lane(gap=60_000)
    lane.poll(scene.clock())
    following = lane.poll(scene.clock())
    assert following is not None
    assert 55_000 < following - scene.clock() <= 60_000
    assert len(sent()) == 1
    scene.clock.off = 61_000
    lane.poll(scene.clock())
    assert [request["text"] for request in sent()] == ["one", "two"]


def test_an_idle_lane_asks_who_it_is_once_and_then_the_platform_nothing(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    lane = scene.lane()
    assert lane.poll(scene.clock()) is None
    asked = len(platform.log())
    assert asked > 0
    assert lane.trouble is None
    scene.enter(at="2090-01-01T00:00:00Z")
    assert lane.poll(scene.clock()) is None  # it looks ten minutes ahead, and is woken every minute
    soon = scene.enter(at=(datetime.now(UTC) + timedelta(minutes=5)).isoformat())
    assert lane.poll(scene.clock()) == soon.at
    assert len(platform.log()) == asked


def test_a_clock_that_jumps_back_sends_nothing_twice_and_holds_nothing_up(scene: Scene, sent: Sent) -> None:
    lane = scene.lane()
    first = scene.enter("one")
    scene.poll_until(lane, lambda: scene.post(first).state is State.PUBLISHED)
    mark = scene.stop("account:acme")
    assert mark
    scene.books.adopt()
    scene.books.thaw(["account:acme"], reason="over", by="a test")
    scene.clock.off = -3_600_000
    for _ in range(3):
        scene.books.sweep()
        scene.books.adopt()
        lane.poll(scene.clock())
    assert [request["text"] for request in sent()] == ["one"]
    assert scene.post(first).state is State.PUBLISHED


def test_a_clock_that_was_ahead_does_not_stop_the_account_until_it_catches_up(scene: Scene) -> None:
    lane = scene.lane()
    scene.clock.off = 3_600_000
    first = scene.enter("one")
    scene.poll_until(lane, lambda: scene.post(first).state is State.PUBLISHED)
    scene.clock.off = 0
    second = scene.enter("two")
    scene.poll_until(lane, lambda: scene.post(second).state is State.PUBLISHED, within=2)


def test_a_post_entered_after_a_thaw_is_not_missed_because_the_clock_was_ahead(scene: Scene) -> None:
    scene.clock.off = 3_600_000
    scene.stop()
    scene.books.adopt()
    scene.books.thaw(["all"], reason="over", by="a test")
    scene.clock.off = 0
    post = scene.enter("entered in full sight")
    assert scene.books.sweep() == []
    assert scene.post(post).state is State.QUEUED


def test_a_clock_that_jumps_ahead_sends_nothing_late(scene: Scene, sent: Sent) -> None:
    posts = [scene.enter(f"{place}", at="2090-01-01T00:00:00Z") for place in range(3)]
    lane = scene.lane()
    scene.clock.off = posts[0].at + 901_000 - scene.clock()
    scene.books.sweep()
    lane.poll(scene.clock())
    assert {scene.post(post).state for post in posts} == {State.MISSED}
    assert sent() == []
    assert len(scene.journal("missed")) == 1
