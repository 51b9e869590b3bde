"""Freezing from inside the daemon: what was on the wire is named with its outcome, and what waits is counted."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.duties.freeze import Freezing
from guardian.fence import passage
from guardian.fence.stopping import Order
from guardian.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.duties.lane import Lane
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]
    Polling = Callable[[Lane], threading.Thread]


@pytest.fixture
def freezing(scene: Scene) -> Freezing:
    return Freezing(scene.books, ring=scene.halt.set)


@pytest.fixture
def polling(scene: Scene) -> Iterator[Polling]:
    """Polls a lane once, beside the test."""
    threads: list[threading.Thread] = []

    def start(lane: Lane) -> threading.Thread:
        threads.append(threading.Thread(target=lane.poll, args=(scene.clock(),)))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def order(*scopes: str) -> Order:
    return Order(scopes or ("all",), "a bad joke is live", "ann")


def test_a_freeze_says_what_it_stopped_and_how_many_posts_wait_behind_it(scene: Scene, freezing: Freezing) -> None:
    for place in range(7):
        scene.enter(f"{place}", at="2090-01-01T00:00:00Z")
    scene.enter("another brand's", account="beta", at="2090-01-01T00:00:00Z")
    narrow = freezing.freeze(order("brand:acme"), wait=0, told=False)
    assert (narrow["state"], narrow["confirmed"], narrow["durable"]) == ("frozen", True, True)
    assert (narrow["held"], narrow["epoch"], narrow["in_flight"]) == (7, 2, [])
    assert freezing.freeze(order(), wait=0, told=False)["held"] == 8
    assert scene.halt.is_set(), "the lanes were not rung"
    assert {freeze.scope for freeze in scene.freezes()} == {"brand:acme", "all"}


def test_a_post_that_was_on_the_wire_is_named_with_its_address_once_it_is_known(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Sent, polling: Polling
) -> None:
    post = scene.enter()
    platform.fault("delay", seconds=0.5)
    polling(scene.lane())
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    began = time.monotonic()
    document = freezing.freeze(order(), wait=5, told=False)
    assert 0.1 < time.monotonic() - began < 3
    assert document["confirmed"] is True
    assert float(str(document["elapsed_ms"])) < 400, "the stop waited for a slow platform"
    (flight,) = _rows(document["in_flight"])
    live = scene.post(post)
    assert live.state is State.PUBLISHED
    assert flight == {"post": post.id, "account": "acme", "state": "published", "url": live.url}


def _rows(found: object) -> list[dict[str, object]]:
    assert isinstance(found, list)
    return found


def test_a_freeze_that_does_not_wait_says_that_an_answer_is_awaited(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Sent, polling: Polling
) -> None:
    scene.enter()
    platform.fault("delay", seconds=0.6)
    polling(scene.lane())
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    (flight,) = _rows(freezing.freeze(order(), wait=0, told=False)["in_flight"])
    assert (flight["state"], flight["url"]) == ("awaiting", None)


def test_an_answer_that_never_came_is_reported_as_unknown_not_as_stopped(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Sent, polling: Polling
) -> None:
    scene.enter()
    platform.fault("stall", seconds=5)
    polling(scene.lane(answer_within=0.6))
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    (flight,) = _rows(freezing.freeze(order(), wait=3, told=False)["in_flight"])
    assert flight["state"] == "unknown"


def test_what_a_person_stopped_asking_for_is_not_called_unsent(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing
) -> None:
    post = scene.enter()
    platform.fault("lose")
    lane = scene.lane()
    lane._ask_who_we_are(scene.clock())
    lane._poll_sending(scene.clock())
    scene.deciding.cancel([post.id], who="ann")
    scene.clock.off = -60_000  # the freeze begins before the attempt has ended, as it does when both come at once
    (flight,) = _rows(freezing.freeze(order(), wait=0, told=False)["in_flight"])
    assert flight["state"] == "unknown"


def test_what_another_account_has_on_the_wire_is_not_this_freezes_business(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Sent, polling: Polling
) -> None:
    scene.enter()
    platform.fault("delay", seconds=0.4)
    polling(scene.lane())
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    assert freezing.freeze(order("brand:beta"), wait=3, told=False)["in_flight"] == []


def test_what_was_published_before_the_freeze_is_not_called_in_flight(scene: Scene, freezing: Freezing) -> None:
    post = scene.enter()
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    time.sleep(0.02)
    assert freezing.freeze(order(), wait=0, told=False)["in_flight"] == []


def test_a_freeze_told_by_another_door_is_only_written_down(scene: Scene, freezing: Freezing) -> None:
    mark = scene.stop("all", reason="from the command line", by="ann")
    document = freezing.freeze(Order(("all",), "from the command line", "ann"), wait=0, told=True)
    assert (document["door"], document["confirmed"], document["durable"]) == ("direct", True, True)
    (freeze,) = scene.freezes()
    assert (freeze.mark, freeze.by) == (mark, "ann")


def test_a_lie_about_a_freeze_of_another_door_is_made_true(scene: Scene, freezing: Freezing) -> None:
    document = freezing.freeze(order(), wait=0, told=True)
    assert (document["door"], document["confirmed"]) == ("control", True)
    with pytest.raises(passage.Stopped):
        passage.look(scene.house, ("all",))


def test_a_second_freeze_is_confirmed_too_and_a_thaw_lifts_both(scene: Scene, freezing: Freezing) -> None:
    for _ in range(2):
        assert freezing.freeze(order(), wait=0, told=False)["confirmed"] is True
    scene.books.thaw(["all"], reason="over", by="ben")
    assert scene.freezes() == []
    assert passage.look(scene.house, scene.accounts[0].scopes)


def test_books_that_cannot_be_written_do_not_take_the_confirmation_away(scene: Scene, freezing: Freezing) -> None:
    scene.database._writer.execute("pragma query_only=on")  # the disk went read-only
    document = freezing.freeze(order(), wait=0, told=False)
    scene.database._writer.execute("pragma query_only=off")
    assert (document["confirmed"], document["held"], document["in_flight"]) == (True, None, None)
    assert not Path(scene.house.permit("all")).exists()
    assert scene.books.adopt() is True


def test_a_lane_inside_the_gate_makes_the_daemon_answer_not_confirmed_and_stay_alive(
    scene: Scene, freezing: Freezing
) -> None:
    with passage.Crossing(passage.look(scene.house, ("all",))):
        document = freezing.freeze(Order(("all",), "", "ann", 0.05), wait=0, told=False)
    assert (document["confirmed"], document["state"]) == (False, "unknown")
    (blocked,) = _rows(document["unconfirmed"])
    assert (blocked["scope"], blocked["pid"], blocked["fix"]) == ("all", os.getpid(), "run: guardian freeze")
    assert freezing.freeze(order(), wait=0, told=False)["confirmed"] is True
