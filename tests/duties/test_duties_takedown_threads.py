"""Threads, and what says the same elsewhere: nothing is forgotten, and the rest of one never goes out afterwards."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from guardian.model import Part, State
from guardian.store import holds

if TYPE_CHECKING:
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent


def test_of_a_thread_every_part_is_taken_down(urgent: Urgent) -> None:
    post = urgent.publish("one", "two", "three")
    targets = urgent.take_down(post.id)
    assert [(one.part, one.state) for one in targets] == [(0, "gone"), (1, "gone"), (2, "gone")]
    assert urgent.deleted() == urgent.parts_of(post)
    assert urgent.scene.post(post).state is State.RETRACTED


@pytest.mark.parametrize("by", ["number", "id"])
def test_a_part_by_its_own_name_is_taken_down_alone_and_the_others_are_offered(urgent: Urgent, by: str) -> None:
    post = urgent.publish("one", "two", "three")
    ids = urgent.parts_of(post)
    order = urgent.order(f"{post.id}#2" if by == "number" else f"acme/{ids[1]}")
    (target,) = urgent.settle(order)
    assert (target.part, target.state, urgent.deleted()) == (1, "gone", [ids[1]])
    offered = [one["ref"] for one in urgent.document(order)["siblings"]]
    assert offered == [f"acme/{ids[0]}", f"acme/{ids[2]}"]
    now = urgent.scene.post(post)
    assert (now.state, now.why) == (State.PUBLISHED, "1 of 3 parts taken down")


def test_a_part_by_its_address_is_that_part(urgent: Urgent) -> None:
    post = urgent.publish("one", "two")
    with urgent.database.reading() as tx:
        url = tx.execute("select url from parts where post = ? and nr = 1", (post.id,)).fetchone()["url"]
    (target,) = urgent.take_down(url)
    assert (target.post, target.part) == (post.id, 1)


def test_what_says_the_same_on_another_account_is_found_and_taken_when_that_is_wanted(urgent: Urgent) -> None:
    one, other = urgent.publish("a bad joke"), urgent.publish("a bad joke", account=1)
    urgent.publish("a good joke", account=1)
    order = urgent.order(one.id)
    (offered,) = urgent.document(order)["siblings"]
    assert (offered["post"], offered["account"], offered["why"]) == (other.id, "beta", "says the same")
    everything = urgent.take_down(one.id, siblings=True)
    assert [target.post for target in everything] == [one.id, other.id]
    assert {target.state for target in everything} == {"gone"}
    assert urgent.scene.post(other).state is State.RETRACTED


def test_the_rest_of_a_thread_that_is_taken_down_never_goes_out(urgent: Urgent, platform: RehearsalPlatform) -> None:
    lane = urgent.scene.lane()
    post = urgent.scene.enter_parts(*(Part(text=f"part {nr}") for nr in range(1, 5)))
    for _ in range(2):
        lane.poll(urgent.scene.clock())
    assert urgent.scene.post(post).live == 2
    targets = urgent.take_down(post.id)
    for _ in range(4):
        lane.poll(urgent.scene.clock())
    assert [one.state for one in targets] == ["gone", "gone"]
    assert [one["text"] for one in platform.posts()] == ["part 1", "part 2"]
    now = urgent.scene.post(post)
    assert (now.state, now.why) == (State.CANCELLED, "a part of it was taken down")


def test_a_part_that_is_on_its_way_is_the_last_that_goes_out(urgent: Urgent, platform: RehearsalPlatform) -> None:
    lane = urgent.scene.lane(answer_within=10.0)
    post = urgent.scene.enter_parts(*(Part(text=f"part {nr}") for nr in range(1, 4)))
    lane.poll(urgent.scene.clock())
    platform.fault("delay", path="/api/v1/statuses", seconds=1.0)
    sending = threading.Thread(target=lambda: lane.poll(urgent.scene.clock()))
    sending.start()
    urgent.scene.wait(lambda: urgent.scene.post(post).state is State.SENDING)
    (target,) = urgent.take_down(post.id)
    sending.join()
    for _ in range(4):
        lane.poll(urgent.scene.clock())
    assert target.state == "gone"
    assert [one["text"] for one in platform.posts()] == ["part 1", "part 2"]
    with urgent.database.reading() as tx:
        assert [one.reason for one in holds.in_force(tx, limit=10)[0]] == ["a part of it was taken down"]
