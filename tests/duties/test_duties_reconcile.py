"""A lost answer: the platform is asked, over and over, and only what it surely does not have is sent again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from guardian.duties.recover import recover
from guardian.errors import Illegal, Unwritable
from guardian.model import Capture, Decision, Event, State, Takedown
from guardian.store import attempts, posts, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.lane import Lane
    from guardian.model import Account, Post
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]

BETWEEN = 60_000


def lost(scene: Scene, lane: Lane, *texts: str) -> list[Post]:
    """Posts whose sending was answered by nothing, and that nobody has looked for yet."""
    lane._ask_who_we_are(scene.clock())
    found = [scene.enter(text) for text in texts]
    for _ in found:
        lane._poll_sending(scene.clock())
    return found


def look(scene: Scene, lane: Lane, times: int) -> None:
    """So many looks, at the times at which they are due."""
    for _ in range(times):
        lane.reconciling.poll(scene.clock())
        scene.clock.off += BETWEEN + 1


def test_a_lost_answer_is_found_on_the_platform_and_the_post_is_made_once(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    platform.fault("lose")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    assert scene.post(post).state is State.UNKNOWN
    lane.poll(scene.clock())
    live = scene.post(post)
    (there,) = platform.posts()
    assert (live.state, live.platform_id) == (State.PUBLISHED, there["id"])
    assert live.url == f"{platform.url}/@acme/{there['id']}"
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["landed"]
    assert [entry.data["found"] for entry in scene.journal("published")] == [True]
    scene.clock.off += 600_000
    lane.poll(scene.clock())
    assert len(sent()) == 1


def test_a_post_that_never_arrived_is_sent_again_only_after_every_look_over_the_whole_time(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    platform.fault("lose_before")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    for minute in range(2):
        for _ in range(5):  # however often it is woken
            lane.poll(scene.clock())
        assert scene.post(post).state is State.UNKNOWN, f"given up after {minute} minutes"
        assert len(sent()) == 1
        scene.clock.off += BETWEEN + 1
    lane.reconciling.poll(scene.clock())
    assert scene.post(post).state is State.QUEUED
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["absent"]
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(platform.posts()) == 1
    first, second = sent()
    assert first["idempotency_key"] == second["idempotency_key"]


def test_a_lost_post_that_was_taken_down_by_its_address_does_not_come_back(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    """Nobody knew yet that it was ours: the takedown names it, the look does not find it, and that proves nothing."""
    platform.fault("lose_before")  # as it looks when it is gone
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    order = Takedown(
        id="t-1",
        incident=None,
        decision=Decision.DELETE,
        capture=Capture.SKIP,
        severity=1,
        reason="wrong",
        by="me",
        agreed=(),
        at=scene.clock(),
    )
    named = takedowns.Named(account="acme", platform_id="110", url=None, post=None, part=None)
    with scene.database.transaction() as tx:
        takedowns.order(tx, order, given={}, key=None)
        target = takedowns.target(tx, takedowns.add_target(tx, order.id, named, nr=0))
    look(scene, lane, 2)
    with scene.database.transaction() as tx:
        takedowns.intend(tx, target, undo=None, now=scene.clock())
    look(scene, lane, 1)
    for _ in range(3):
        lane.poll(scene.clock())
        scene.clock.off += BETWEEN
    missed = scene.post(post)
    assert missed.state is State.MISSED
    assert missed.why is not None
    assert "look before you send it again" in missed.why
    assert len(sent()) == 1


def test_where_the_platform_lists_new_posts_late_a_person_decides_whether_it_is_sent_again(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    platform.fault("lose_before")
    lane = scene.lane()
    lane.reconciling.sure = False
    (post,) = lost(scene, lane, "hello")
    look(scene, lane, 3)
    for _ in range(3):
        lane.poll(scene.clock())
        scene.clock.off += BETWEEN
    missed = scene.post(post)
    assert missed.state is State.MISSED
    assert missed.why is not None
    assert "look at the account before you send it again" in missed.why
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["absent"]
    assert len(sent()) == 1


def test_a_look_that_failed_does_not_count_as_not_found(scene: Scene, platform: RehearsalPlatform) -> None:
    platform.fault("lose")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    platform.fault("status", status=503, method="GET", path=".*", times=None)
    look(scene, lane, 8)
    assert scene.post(post).state is State.UNKNOWN
    platform.clear_faults()
    scene.clock.off += BETWEEN
    lane.reconciling.poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED


def test_a_doubt_that_lasts_is_told_once_and_not_every_ten_seconds(scene: Scene, platform: RehearsalPlatform) -> None:
    platform.fault("lose")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    platform.fault("status", status=503, method="GET", path=".*", times=None)
    with capture_logs() as said:
        look(scene, lane, 4)
    (doubt,) = [line for line in said if line["event"] == "doubt"]
    assert (doubt["post"], doubt["account"]) == (post.id, "acme")
    assert doubt["why"].startswith(f"cannot ask for {post.id}, because ")


@pytest.mark.parametrize("which", [0, 1])
def test_two_posts_with_the_same_words_each_get_their_own_place(
    scene: Scene, platform: RehearsalPlatform, which: int
) -> None:
    platform.fault("lose", skip=which)
    lane = scene.lane()
    twins = lost(scene, lane, "the same words", "the same words")
    look(scene, lane, 1)
    live = [scene.post(post) for post in twins]
    assert [post.state for post in live] == [State.PUBLISHED] * 2
    assert {post.platform_id for post in live} == {there["id"] for there in platform.posts()}
    assert len(platform.posts()) == 2


def test_two_lost_posts_with_the_same_words_of_which_one_arrived_end_as_exactly_two(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    platform.fault("lose_before")
    platform.fault("lose")
    lane = scene.lane()
    twins = lost(scene, lane, "the same words", "the same words")
    look(scene, lane, 3)
    scene.poll_until(lane, lambda: all(scene.post(post).state is State.PUBLISHED for post in twins))
    assert len({scene.post(post).platform_id for post in twins}) == 2
    assert len(platform.posts()) == 2


def test_a_post_absent_for_longer_than_the_lateness_limit_is_missed_and_not_sent_late(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    platform.fault("lose_before")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    scene.clock.off += 1_000_000
    look(scene, lane, 3)
    assert scene.post(post).state is State.QUEUED
    lane.poll(scene.clock())
    scene.books.sweep()
    assert scene.post(post).state is State.MISSED
    assert len(sent()) == 1


def test_nobody_looks_for_a_lost_post_with_another_accounts_token(
    scene: Scene, platform: RehearsalPlatform, sent: Sent, account_of: Callable[..., Account]
) -> None:
    """Whoever looks as somebody else sees nothing, and would have it sent a second time."""
    platform.fault("lose")
    (post,) = lost(scene, scene.lane(), "hello")
    wrong = scene.lane(account=account_of("acme", token_of="beta"))
    for _ in range(5):
        wrong.poll(scene.clock())
        scene.clock.off += BETWEEN + 1
    assert scene.post(post).state is State.UNKNOWN
    scene.lane().poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED
    assert len(sent()) == 1


def test_a_lost_post_is_found_while_the_house_is_frozen(scene: Scene, platform: RehearsalPlatform) -> None:
    platform.fault("lose")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    scene.stop()
    scene.books.adopt()
    lane.poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED


def test_a_person_who_ends_the_asking_ends_it(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    platform.fault("lose_before")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    scene.deciding.cancel([post.id], who="a person")
    before = len(platform.log())
    look(scene, lane, 4)
    assert scene.post(post).state is State.CANCELLED
    assert len(platform.log()) == before
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["cancelled"]
    assert len(sent()) == 1


def test_an_answer_that_comes_after_a_person_has_ended_the_asking_breaks_no_lane(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    platform.fault("lose")
    lane = scene.lane()
    (post,) = lost(scene, lane, "hello")
    platform.fault("delay_before", seconds=0.4, method="GET", path=r"/api/v1/statuses/\d+/source")
    broken: list[BaseException] = []

    def poll() -> None:
        try:
            lane.poll(scene.clock())
        except Illegal as error:
            broken.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    scene.wait(lambda: any("/source" in str(entry["path"]) for entry in platform.log()))
    scene.deciding.cancel([post.id], who="a person")
    thread.join(5)
    assert broken == []
    assert scene.post(post).state is State.CANCELLED


def test_after_a_crash_what_may_have_left_is_asked_for_and_what_had_not_goes_back(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    claimed, sending = scene.enter("claimed"), scene.enter("sending")
    with scene.database.transaction() as tx:
        for post in (claimed, sending):
            posts.move(tx, post.id, Event.CLAIM, now=scene.clock())
        attempts.begin(tx, sending, key="k", now=scene.clock())
        posts.move(tx, sending.id, Event.INTEND, now=scene.clock())
    assert recover(scene.database, now=scene.clock()) == {"unclaimed": 1, "unknown": 1}
    assert scene.post(claimed).state is State.QUEUED
    assert scene.post(sending).state is State.UNKNOWN
    assert [attempt.outcome for attempt in scene.attempts(sending)] == ["unknown"]
    assert scene.attempts(claimed) == []
    (started,) = scene.journal("started")
    assert started.data == {"unclaimed": 1, "unknown": 1}
    assert recover(scene.database, now=scene.clock()) == {"unclaimed": 0, "unknown": 0}
    lane = scene.lane()
    look(scene, lane, 3)
    scene.poll_until(lane, lambda: scene.post(sending).state is State.PUBLISHED)
    assert sorted(there["text"] for there in platform.posts()) == ["claimed", "sending"]


def test_a_store_that_fails_while_an_answer_is_written_down_leaves_no_post_between_two_states(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    lane = scene.lane()
    post = scene.enter()
    platform.fault("delay", seconds=0.4)
    thread = threading.Thread(target=lambda: _ignoring(lambda: lane.poll(scene.clock())))
    thread.start()
    scene.wait(lambda: scene.post(post).state is State.SENDING and len(sent()) == 1)
    scene.database._writer.execute("pragma query_only=on")  # the disk went read-only
    thread.join(5)
    scene.database._writer.execute("pragma query_only=off")
    assert scene.post(post).state is State.SENDING
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(sent()) == 1
    assert len(platform.posts()) == 1


def _ignoring(poll: Callable[[], object]) -> None:
    """As the lane's loop does: an error is logged, and the next poll comes."""
    with pytest.raises(Unwritable):
        poll()
