"""A thread on its way out: part by part, each its own attempt; what stops a post stops the rest of a thread, too."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardian.duties.freeze import Freezing
from guardian.duties.recover import recover
from guardian.fence.stopping import Order
from guardian.model import Event, Part, State
from guardian.rules.shifting import To
from guardian.store import posts
from tests.duties.test_duties_publish import seen_by_its_author

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.lane import Lane
    from guardian.model import Post
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]

FIVE = tuple(Part(text=f"part {nr} of five") for nr in range(1, 6))


def chain(scene: Scene, platform: RehearsalPlatform, post: Post) -> list[str]:
    """What hangs under what on the platform, from the thread's head on: every part must reply to the one before it."""
    now = scene.post(post)
    with scene.database.reading() as tx:
        live = posts.live_parts(tx, now)
    there: list[Any] = [seen_by_its_author(platform, platform_id) for platform_id, _ in live]
    assert [one["in_reply_to_id"] for one in there] == [None, *(one["id"] for one in there[:-1])]
    assert [one["url"] for one in there] == [url for _, url in live]
    return [seen_by_its_author(platform, one["id"], "/source")["text"] for one in there]


def poll(scene: Scene, lane: Lane, times: int) -> None:
    for _ in range(times):
        lane.poll(scene.clock())


def texts_of(sent: Sent, platform: RehearsalPlatform) -> list[str]:
    """What arrived, in order."""
    return [seen_by_its_author(platform, str(one["status_id"]), "/source")["text"] for one in sent()]


def test_every_part_is_sent_in_order_under_the_one_before_it(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter_parts(*FIVE)
    poll(scene, scene.lane(), 5)
    live = scene.post(post)
    assert (live.state, live.live) == (State.PUBLISHED, 5)
    assert chain(scene, platform, post) == [part.text for part in FIVE]
    assert live.platform_id == sent()[0]["status_id"]
    assert [attempt.part for attempt in scene.attempts(post)] == [0, 1, 2, 3, 4]
    assert len({request["idempotency_key"] for request in sent()}) == 5
    assert [(one.data["part"], one.data["parts"]) for one in scene.journal("published")] == [
        (n, 5) for n in range(1, 6)
    ]


def test_a_freeze_between_two_parts_says_how_many_are_live_and_sends_no_further_one(scene: Scene, sent: Sent) -> None:
    post = scene.enter_parts(*FIVE)
    lane = scene.lane()
    poll(scene, lane, 2)
    time.sleep(0.01)  # what ends in the millisecond of the order was on the wire: it is told by its own address
    document = Freezing(scene.books, ring=scene.halt.set).freeze(
        Order(("all",), "a bad joke is live", "ann"), wait=0, told=False
    )
    flight: Any = document["in_flight"]
    live = scene.post(post)
    assert [(one["post"], one["state"], one["live"], one["parts"], one["url"]) for one in flight] == [
        (post.id, "published", 2, 5, live.url)
    ]
    poll(scene, lane, 3)
    scene.books.sweep()
    assert len(sent()) == 2
    rest = scene.post(post)
    assert rest.state is State.MISSED
    assert str(rest.why).startswith("2 of 5 parts are live")


def test_the_rest_of_a_thread_is_released_under_the_right_parent_and_nothing_twice(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter_parts(*FIVE)
    lane = scene.lane()
    poll(scene, lane, 2)
    scene.stop()
    scene.books.adopt()
    poll(scene, lane, 1)
    scene.books.thaw(("all",), reason="the statement is out", by="bo")
    poll(scene, lane, 2)
    assert len(sent()) == 2, "the rest of a thread came out of a thaw by itself"
    scene.deciding.release([post.id], gap=None, who="bo")
    poll(scene, lane, 4)
    assert scene.post(post).state is State.PUBLISHED
    assert chain(scene, platform, post) == [part.text for part in FIVE]
    assert len(sent()) == 5


@pytest.mark.parametrize("fault", ["lose", "lose_before"])
def test_a_part_whose_answer_is_lost_is_looked_for_and_the_thread_goes_on_from_there(
    scene: Scene, platform: RehearsalPlatform, fault: str
) -> None:
    post = scene.enter_parts(*FIVE)
    lane = scene.lane()
    poll(scene, lane, 2)
    platform.fault(fault, method="POST", path="/api/v1/statuses")
    poll(scene, lane, 1)
    if fault == "lose_before":
        assert scene.post(post).state is State.UNKNOWN
    for _ in range(9):
        scene.clock.off += scene.over // 2 + 1
        lane.poll(scene.clock())
    assert scene.post(post).state is State.PUBLISHED
    assert chain(scene, platform, post) == [part.text for part in FIVE]
    outcomes = [attempt.outcome for attempt in scene.attempts(post)]
    assert outcomes.count("landed") == 5


def test_two_parts_with_the_same_words_are_told_apart_when_one_is_looked_for(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter_parts(Part(text="again"), Part(text="again"), Part(text="again"))
    lane = scene.lane()
    poll(scene, lane, 1)
    platform.fault("lose", method="POST", path="/api/v1/statuses")
    poll(scene, lane, 6)
    assert scene.post(post).state is State.PUBLISHED
    assert chain(scene, platform, post) == ["again"] * 3
    assert len(sent()) == 3


def test_another_post_that_is_due_never_comes_between_two_parts(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    scene.enter_parts(*FIVE[:3])
    scene.enter("in between")
    lane = scene.lane(gap=60_000)
    poll(scene, lane, 5)
    assert texts_of(sent, platform) == [part.text for part in FIVE[:3]], "the gap lies between posts, not between parts"
    scene.clock.off += 60_001
    poll(scene, lane, 2)
    assert texts_of(sent, platform) == [*(part.text for part in FIVE[:3]), "in between"]


def test_a_part_that_the_platform_refuses_holds_the_rest_until_a_person_says_go_on(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    post = scene.enter_parts(*FIVE[:3])
    lane = scene.lane()
    poll(scene, lane, 1)
    platform.fault("status", status=403, method="POST", path="/api/v1/statuses")
    poll(scene, lane, 3)
    halted = scene.post(post)
    assert (halted.state, halted.live) == (State.REFUSED, 1)
    scene.deciding.reschedule([post.id], To("now"), who="bo")
    poll(scene, lane, 3)
    assert scene.post(post).state is State.PUBLISHED
    assert chain(scene, platform, post) == [part.text for part in FIVE[:3]]


def test_a_part_that_is_too_long_stops_the_thread_before_its_first_part_is_out(scene: Scene, sent: Sent) -> None:
    post = scene.enter_parts(Part(text="fine"), Part(text="x" * 501))
    poll(scene, scene.lane(), 2)
    assert scene.post(post).state is State.BLOCKED
    assert sent() == []


def test_a_crash_between_two_parts_sends_none_of_them_again(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter_parts(*FIVE[:3])
    poll(scene, scene.lane(), 1)
    with scene.database.transaction() as tx:
        posts.claim(tx, "acme", now=scene.clock(), late_after=scene.late_after)
    recover(scene.database, now=scene.clock())
    poll(scene, scene.lane(), 3)
    assert chain(scene, platform, post) == [part.text for part in FIVE[:3]]
    assert len(sent()) == 3


def test_a_crash_while_a_part_is_on_its_way_asks_for_that_part_alone(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter_parts(*FIVE[:3])
    lane = scene.lane()
    poll(scene, lane, 1)
    platform.fault("lose", method="POST", path="/api/v1/statuses")
    lane._poll_sending(scene.clock())
    with scene.database.reading() as tx:
        (row,) = tx.execute("select part, outcome from attempts order by started_at desc limit 1").fetchall()
    assert (row["part"], row["outcome"]) == (1, "unknown")
    recover(scene.database, now=scene.clock())
    poll(scene, scene.lane(), 4)
    assert chain(scene, platform, post) == [part.text for part in FIVE[:3]]
    assert len(sent()) == 3


def test_what_is_cancelled_in_the_middle_of_a_thread_stays_named_with_what_is_live(scene: Scene) -> None:
    post = scene.enter_parts(*FIVE)
    poll(scene, scene.lane(), 2)
    scene.deciding.cancel([post.id], who="bo")
    now = scene.post(post)
    with scene.database.reading() as tx:
        live = posts.live_parts(tx, now)
    assert scene.post(post).state is State.CANCELLED
    assert len(live) == 2


def test_the_database_lets_nobody_forget_or_change_a_live_part(scene: Scene) -> None:
    post = scene.enter_parts(*FIVE[:3])
    poll(scene, scene.lane(), 3)
    for change in ("delete from parts", "update parts set platform_id = 'x'"):
        with pytest.raises(Exception, match="live parts are never"), scene.database.transaction() as tx:
            tx.execute(change)
    assert scene.post(post).live == 3


def test_the_content_of_a_later_part_is_sealed_too(scene: Scene) -> None:
    scene.enter_parts(*FIVE[:2])
    with scene.database.transaction() as tx:
        (row,) = tx.execute("select * from posts").fetchall()
        assert row["seal"] == posts.seal(row)
        changed = {**row, "tail": json.dumps([{"text": "another word", "media": []}])}
    assert posts.seal(changed) != row["seal"]


def test_only_the_last_part_makes_a_thread_published(scene: Scene) -> None:
    post = scene.enter_parts(*FIVE[:2])
    with scene.database.transaction() as tx:
        for event in (Event.CLAIM, Event.INTEND):
            posts.move(tx, post.id, event, now=1)
        first = posts.land(tx, post.id, platform_id="1", url="u", now=2)
        assert (first.state, first.live, posts.parent(tx, first)) == (State.QUEUED, 1, "1")
        for event in (Event.CLAIM, Event.INTEND):
            posts.move(tx, post.id, event, now=3)
        last = posts.land(tx, post.id, platform_id="2", url="v", now=4)
        assert (last.state, last.live, last.platform_id, posts.parent(tx, last)) == (State.PUBLISHED, 2, "1", "2")
