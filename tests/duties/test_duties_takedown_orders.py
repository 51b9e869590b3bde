"""Orders that meet: the same twice, two for one post, sixty at once. The worst goes first, nothing is done twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from guardian.adapter import Budget
from guardian.store import incidents
from guardian.store.queries import Q
from tests.duties.urgent import Urgent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import Takedown
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene

COUNT, WINDOW = 30, 3_000


@pytest.fixture
def rationed(scene: Scene, platform: RehearsalPlatform) -> Iterator[Urgent]:
    """Thirty deletions in three seconds, by our own count and by the platform's."""
    platform.limit_deletes(limit=COUNT, seconds=WINDOW / 1000)
    found = Urgent(scene, platform, budget=Budget(count=COUNT, window=WINDOW))
    yield found
    found.close()


def test_an_order_that_comes_twice_is_one_order(urgent: Urgent) -> None:
    post = urgent.publish()
    first, second = (urgent.order(post.id, key="the same key") for _ in range(2))
    assert first.id == second.id
    urgent.settle(first)
    assert urgent.order(post.id, key="the same key").id == first.id
    assert len(urgent.lines("takedown ordered")) == len(urgent.asked("DELETE")) == 1


def test_an_order_that_comes_twenty_times_at_the_same_instant_is_one_order(urgent: Urgent) -> None:
    post = urgent.publish()
    found: list[Takedown | Exception] = []
    barrier = threading.Barrier(20)

    def ask() -> None:
        barrier.wait()
        try:
            found.append(urgent.order(post.id, key="the same key"))
        except Exception as error:  # noqa: BLE001 (it is looked at below)
            found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({getattr(one, "id", one) for one in found}) == 1
    assert len(urgent.lines("takedown ordered")) == 1


def test_two_orders_for_one_post_make_one_deletion(urgent: Urgent) -> None:
    post = urgent.publish()
    orders = [urgent.order(post.id), urgent.order(post.id)]
    assert [urgent.settle(order)[0].state for order in orders] == ["gone", "gone"]
    assert len(urgent.asked("DELETE")) == 1


def test_two_orders_without_a_proof_for_one_post_make_one_deletion(urgent: Urgent) -> None:
    post = urgent.publish()
    orders = [urgent.order(post.id, capture="skip"), urgent.order(post.id, capture="skip")]
    assert [urgent.settle(order)[0].state for order in orders] == ["gone", "gone"]
    assert len(urgent.asked("DELETE")) == 1


def test_a_daemon_that_ends_begins_nothing_more_and_its_next_life_does_the_rest(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    posts = [urgent.publish(f"joke {nr}") for nr in range(5)]
    order = urgent.order(*(post.id for post in posts))
    platform.fault("delay", method="DELETE", path=r"/api/v1/statuses/\d+", seconds=0.5)
    urgent.takedowns.poll(urgent.clock())
    urgent.wait(lambda: bool(urgent.asked("DELETE")))
    assert urgent.takedowns.close(10.0)
    assert len(urgent.asked("DELETE")) == 1
    urgent.close()
    urgent.start()
    assert {one.state for one in urgent.settle(order)} == {"gone"}
    assert len(urgent.asked("DELETE")) == 5


def test_a_takedown_opens_an_incident_the_next_joins_it_and_proof_alone_opens_none(urgent: Urgent) -> None:
    one, two = urgent.publish("one"), urgent.publish("two")
    alone = urgent.order(one.id, decision="keep", evidence_only=True)
    assert (alone.incident, urgent.lines("incident opened")) == (None, [])
    first, second = urgent.order(one.id), urgent.order(two.id)
    proof = urgent.order(two.id, decision="keep", evidence_only=True)
    with urgent.database.reading() as tx:
        incident = incidents.current(tx)
    assert incident is not None
    assert {first.incident, second.incident, proof.incident} == {incident.id}
    assert [line["cause"] for line in urgent.lines("incident opened")] == ["takedown"]
    for order in (alone, first, second, proof):
        urgent.settle(order)
    ours = [entry for entry in urgent.entries("taken down") if entry.data["incident"] == incident.id]
    assert len(ours) == 3


def test_what_is_worse_is_taken_down_first_and_within_an_order_what_was_named_first(urgent: Urgent) -> None:
    posts = [urgent.publish(f"joke {nr}") for nr in range(4)]
    urgent.order(posts[0].id, severity=0)
    urgent.order(posts[1].id, posts[2].id, severity=1)
    last = urgent.order(posts[3].id, severity=3)
    urgent.settle(last)
    expected = [urgent.parts_of(posts[nr])[0] for nr in (3, 1, 2, 0)]
    assert urgent.deleted() == expected


def publish_many(urgent: Urgent, count: int) -> list[str]:
    lane = urgent.scene.lane()
    made = [urgent.scene.enter(f"joke {nr}") for nr in range(count)]
    urgent.scene.poll_until(lane, lambda: urgent.scene.post(made[-1]).live > 0, within=60)
    return [post.id for post in made]


def wait_out(urgent: Urgent, order: Takedown) -> None:
    """Until all of it has ended, by the clock on the wall: the platform counts by that."""

    def over() -> bool:
        urgent.once()
        return all(one.ended_at is not None for one in urgent.targets(order))

    urgent.scene.wait(over, within=30)


def test_sixty_posts_go_in_the_order_given_as_fast_as_the_platform_takes_them_and_it_never_has_to_say_no(
    rationed: Urgent,
) -> None:
    refs = publish_many(rationed, 60)
    order = rationed.order(*refs)
    rationed.once()
    told = rationed.document(order)
    waiting = [one for one in told["targets"] if one["state"] != "gone"]
    assert len(waiting) == 60 - COUNT
    assert all(one["due"] is not None for one in waiting), "nobody can say when the rest will be gone"
    assert told["state"] == "running"
    wait_out(rationed, order)
    assert {one.state for one in rationed.targets(order)} == {"gone"}
    assert {one["status"] for one in rationed.asked("DELETE")} == {200}
    assert rationed.deleted() == [one.platform_id for one in rationed.targets(order)]


def test_a_platform_that_takes_fewer_than_we_thought_is_obeyed_and_everything_is_gone_in_the_end(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    platform.limit_deletes(limit=3, seconds=2.0)
    refs = publish_many(urgent, 7)
    order = urgent.order(*refs)
    urgent.once()
    refused = [one for one in urgent.asked("DELETE") if one["status"] == 429]
    assert len(refused) == 1, "asked again although the platform had said until when not to"
    waiting = [one for one in urgent.targets(order) if one.state != "gone"]
    assert len(waiting) == 4
    wait_out(urgent, order)
    assert {one.state for one in urgent.targets(order)} == {"gone"}
    assert sum(one["status"] == 200 for one in urgent.asked("DELETE")) == 7


def test_what_a_life_has_spent_of_the_budget_the_next_life_has_not(rationed: Urgent) -> None:
    refs = publish_many(rationed, COUNT + 1)
    rationed.settle(rationed.order(*refs[:COUNT]))
    rationed.close()
    rationed.start()
    order = rationed.order(refs[-1])
    rationed.once()
    assert rationed.once() is not None
    (target,) = rationed.targets(order)
    assert (target.state, len(rationed.asked("DELETE"))) == ("captured", COUNT)
    with rationed.database.reading() as tx:
        assert len(list(Q.retractions_since(tx, account="acme", since=0))) == COUNT
