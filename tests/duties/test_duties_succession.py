"""A lane that takes another's place: it keeps what still holds, forgets what does not, and leaves nothing half done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from guardian.model import Event, State
from guardian.store import attempts, posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.lane import Lane
    from guardian.model import Account
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]
    AccountOf = Callable[..., Account]


def after(scene: Scene, before: Lane, account: Account | None = None) -> Lane:
    lane = scene.lane(account=account or before.account)
    lane.halt = threading.Event()
    lane._before = before
    return lane


def throttled(scene: Scene, platform: RehearsalPlatform) -> Lane:
    """A lane that has been told to come back in ten minutes."""
    platform.fault("429", retry_after=600)
    lane = scene.lane()
    scene.enter()
    thread = threading.Thread(target=lane.poll, args=(scene.clock(),))
    thread.start()
    scene.wait(lambda: lane._rest_until > 0)
    lane.leave()
    thread.join(5)
    assert not thread.is_alive()
    return lane


def test_a_lane_that_left_sends_nothing_more_however_often_it_is_polled(scene: Scene, sent: Sent) -> None:
    post = scene.enter()
    lane = scene.lane()
    lane.leave()
    assert [lane.poll(scene.clock()) for _ in range(3)] == [None] * 3
    assert (sent(), scene.post(post).state) == ([], State.QUEUED)


def test_the_platforms_stated_time_binds_the_next_lane_of_the_same_account(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    old = throttled(scene, platform)
    new = after(scene, old)
    following = new.poll(scene.clock())
    assert following is not None
    assert following >= scene.clock() + 590_000
    assert len(sent()) == 1
    assert new.trouble is None


def test_it_binds_also_when_a_lane_in_between_was_sent_away_before_it_had_begun(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    old = throttled(scene, platform)
    between = after(scene, old)
    between.leave()
    new = after(scene, between)
    following = new.poll(scene.clock())
    assert following is not None
    assert following >= scene.clock() + 590_000
    assert len(sent()) == 1


def test_another_token_is_asked_who_it_is_and_has_nothing_to_wait_for(
    scene: Scene, platform: RehearsalPlatform, account_of: AccountOf
) -> None:
    old = throttled(scene, platform)
    new = after(scene, old, account_of("acme", token_of="beta"))
    new.poll(scene.clock())
    assert "belongs to @beta@" in (new.trouble or "")
    assert new.disowned
    assert len(platform.posts()) == 0


def test_what_the_lane_before_left_half_done_is_tidied_before_anything_is_sent(scene: Scene) -> None:
    """Its last poll broke off between the intent and the answer: the post may be live, and is never just sent again."""
    post = scene.enter()
    with scene.database.transaction() as tx:
        now = scene.clock()
        posts.claim(tx, "acme", now=now, late_after=scene.late_after)
        attempts.begin(tx, scene.post(post), key="k", now=now)
        posts.move(tx, post.id, Event.INTEND, now=now)
    scene.lane().poll(scene.clock())
    assert scene.attempts(post)[0].outcome == "unknown"
    assert scene.post(post).state is State.UNKNOWN
