"""The incident while it is made: every freeze belongs to one, by whichever door; what lands meanwhile is noted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from guardian.daemon.watch import Watch
from guardian.duties import incident_facts
from guardian.duties.freeze import Freezing
from guardian.duties.incidents import Incidents
from guardian.duties.landing import note_landed
from guardian.duties.zones import Zones
from guardian.errors import Illegal, Mistake, Unfound
from guardian.fence.stopping import Order
from guardian.model import State
from guardian.report import figures, lines
from guardian.store import incidents

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Incident
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

ALL = Order(("all",), "a bad joke is live", "ann")


@pytest.fixture
def freezing(scene: Scene) -> Freezing:
    return Freezing(scene.books, ring=scene.halt.set)


@pytest.fixture
def duty(scene: Scene) -> Incidents:
    return Incidents(database=scene.database, clock=scene.clock)


def current(scene: Scene) -> Incident | None:
    with scene.database.reading() as tx:
        return incidents.current(tx)


def freeze(freezing: Freezing, order: Order = ALL, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (its own options)
    return freezing.freeze(order, **{"wait": 0, "told": False, **more})


def test_a_freeze_from_the_socket_opens_an_incident_and_its_answer_names_it(scene: Scene, freezing: Freezing) -> None:
    document = freeze(freezing)
    opened = current(scene)
    assert opened is not None
    assert document["incident"] == opened.id
    assert (opened.reason, opened.by) == ("a bad joke is live", "ann")
    (frozen,), (confirmed,) = scene.journal("frozen"), scene.journal("freeze confirmed")
    assert frozen.data["incident"] == confirmed.data["incident"] == opened.id
    assert frozen.seq == opened.opened_seq + 1
    assert frozen.data["ordered_at"] == confirmed.data["ordered_at"]
    assert confirmed.data["elapsed_ms"] == document["elapsed_ms"]


def test_a_freeze_that_nobody_told_the_daemon_of_opens_one_when_it_is_adopted(scene: Scene) -> None:
    scene.stop("brand:acme", reason="from outside", by="the night shift")
    assert scene.books.adopt()
    opened = current(scene)
    assert opened is not None
    assert (opened.reason, opened.by) == ("from outside", "the night shift")
    (line,) = scene.journal("incident opened")
    assert line.data["cause"] == "freeze"


def test_a_freeze_found_at_the_start_opens_one_too(scene: Scene) -> None:
    scene.stop("all")
    scene.open_books()
    opened = current(scene)
    assert opened is not None
    assert opened.reason == "a bad joke is live"


def test_a_freeze_told_by_another_door_names_the_incident(scene: Scene, freezing: Freezing) -> None:
    scene.stop("all", by="ann")
    document = freeze(freezing, told=True)
    opened = current(scene)
    assert opened is not None
    assert (document["door"], document["incident"]) == ("direct", opened.id)


def test_two_freezes_at_once_join_one_incident(scene: Scene, freezing: Freezing) -> None:
    found: list[str] = []
    ready = threading.Barrier(6)

    def order(scope: str) -> None:
        ready.wait(10)
        found.append(str(freeze(freezing, Order((scope,), scope, "ann"))["incident"]))

    scopes = ("all", "brand:acme", "brand:beta", "account:acme", "account:beta", "platform:mastodon")
    threads = [threading.Thread(target=order, args=(scope,)) for scope in scopes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 6
    assert len(set(found)) == 1
    assert len(scene.journal("incident opened")) == 1


def test_a_thaw_closes_no_incident_and_the_next_freeze_joins_it(scene: Scene, freezing: Freezing) -> None:
    first = freeze(freezing)["incident"]
    scene.books.thaw(["all"], reason="over", by="ben")
    assert current(scene) is not None
    assert freeze(freezing)["incident"] == first


def test_who_freezes_what_is_frozen_after_the_incident_was_closed_opens_another(
    scene: Scene, freezing: Freezing, duty: Incidents
) -> None:
    first = freeze(freezing)["incident"]
    duty.close("current", reason="over", who="ben")
    assert current(scene) is None
    scene.books.adopt()
    assert current(scene) is None, "the freeze that stands is no new order"
    second = freeze(freezing)["incident"]
    assert second != first
    opened = current(scene)
    assert opened is not None
    assert opened.id == second


def test_books_that_cannot_be_written_name_no_incident_and_the_watch_opens_it(scene: Scene, freezing: Freezing) -> None:
    scene.database._writer.execute("pragma query_only=on")  # the disk went read-only
    document = freeze(freezing)
    scene.database._writer.execute("pragma query_only=off")
    assert (document["confirmed"], document["incident"]) == (True, None)
    assert scene.books.adopt()
    assert current(scene) is not None


def test_a_stop_that_is_not_confirmed_is_a_line_that_says_why(scene: Scene, freezing: Freezing) -> None:
    from guardian.fence import passage

    with passage.Crossing(passage.look(scene.house, ("all",))):
        document = freeze(freezing, Order(("all",), "", "ann", 0.05))
    assert document["confirmed"] is False
    (line,) = scene.journal("freeze not confirmed")
    assert line.data["unconfirmed"]
    assert line.data["incident"] == document["incident"]


def test_a_post_that_lands_after_the_order_is_written_down_once_with_its_address(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Callable[[], list[Request]]
) -> None:
    post = scene.enter()
    platform.fault("delay", seconds=0.5)
    thread = threading.Thread(target=scene.lane().poll, args=(scene.clock(),))
    thread.start()
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    document = freeze(freezing, wait=5)
    thread.join(10)
    live = scene.post(post)
    assert [one["url"] for one in document["in_flight"]] == [live.url]
    (line,) = scene.journal("landed during freeze")
    wanted = {"post": post.id, "account": "acme", "platform_id": live.platform_id, "url": live.url}
    assert {key: line.data[key] for key in wanted} == wanted
    assert line.data["incident"] == document["incident"]
    freeze(freezing)
    assert note_landed(scene.database, now=scene.clock()) == 0
    assert len(scene.journal("landed during freeze")) == 1


def test_an_answer_that_comes_long_after_the_freeze_has_answered_is_found_by_the_watch(
    scene: Scene, platform: RehearsalPlatform, freezing: Freezing, sent: Callable[[], list[Request]]
) -> None:
    post = scene.enter()
    platform.fault("delay", seconds=0.6)
    thread = threading.Thread(target=scene.lane().poll, args=(scene.clock(),))
    thread.start()
    scene.wait(lambda: bool(sent()) and sent()[0]["complete"])
    assert freeze(freezing)["in_flight"][0]["state"] == "awaiting"
    assert scene.journal("landed during freeze") == []
    thread.join(10)
    assert scene.post(post).state is State.PUBLISHED
    watch = Watch(scene.books, zones=Zones(database=scene.database, clock=scene.clock), ring=scene.halt.set)
    watch.poll(scene.clock())
    assert [line.data["post"] for line in scene.journal("landed during freeze")] == [post.id]


def test_what_was_live_before_the_order_or_after_the_thaw_has_not_landed_during_the_freeze(
    scene: Scene, freezing: Freezing
) -> None:
    lane = scene.lane()
    before = scene.enter("before")
    scene.poll_until(lane, lambda: scene.post(before).state is State.PUBLISHED)
    scene.clock.off = 1_000
    freeze(freezing)
    scene.books.thaw(["all"], reason="over", by="ben")
    scene.clock.off = 2_000
    after = scene.enter("after")
    scene.poll_until(lane, lambda: scene.post(after).state is State.PUBLISHED)
    assert note_landed(scene.database, now=scene.clock()) == 0


def test_another_brands_post_has_not_landed_during_a_freeze_that_does_not_cover_it(
    scene: Scene, freezing: Freezing
) -> None:
    freeze(freezing, Order(("brand:beta",), "", "ann"))
    lane, post = scene.lane(), scene.enter()
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert note_landed(scene.database, now=scene.clock()) == 0


def test_what_people_say_attaches_to_the_open_incident_by_itself(scene: Scene, duty: Incidents) -> None:
    opened, new = duty.open("a customer was insulted", who="ann")
    again, joined = duty.open("the same", who="ben")
    assert (new, joined, again.id) == (True, False, opened.id)
    duty.tell("current", "note", who="ben", text="hello", nothing=None)
    (line,) = scene.journal("note")
    assert line.data == {"incident": opened.id, "text": "hello"}
    assert line.who == "ben"


def test_what_was_done_meanwhile_is_the_incidents_own_without_naming_it(scene: Scene, duty: Incidents) -> None:
    duty.open("x", who="ann")
    scene.enter("entered meanwhile", at="2090-01-01T00:00:00Z")
    closed = duty.close("current", reason="over", who="ann")
    scene.enter("entered later", at="2090-01-01T00:00:00Z")
    facts = incident_facts.gather(scene.database, closed.id)
    assert [one["kind"] for one in facts["lines"]] == ["incident opened", "entered", "incident closed"]


def test_a_note_after_the_end_belongs_to_the_incident_that_it_names(scene: Scene, duty: Incidents) -> None:
    first, _ = duty.open("x", who="ann")
    duty.close("current", reason="over", who="ann")
    second, _ = duty.open("y", who="ann")
    duty.tell(first.id, "note", who="ben", text="we learnt later")
    facts = incident_facts.gather(scene.database, first.id)
    assert [one["kind"] for one in facts["lines"]] == ["incident opened", "incident closed", "note"]
    assert duty.named("latest").id == second.id
    assert figures.record(lines.read(facts))["notes"][0]["text"] == "we learnt later"


def test_what_cannot_be_said_changes_nothing(scene: Scene, duty: Incidents) -> None:
    for name, why in (("current", "none is open"), ("latest", "there never was one"), ("i-none", "there is none")):
        with pytest.raises(Unfound, match=why):
            duty.tell(name, "note", who="ann", text="x")
    with pytest.raises(Mistake, match="no reason"):
        duty.open(" \n", who="ann")
    opened, _ = duty.open("x", who="ann")
    with pytest.raises(Unfound):
        duty.tell("current", "statement", who="ann", post="p-none")
    duty.close("current", reason="over", who="ann")
    with pytest.raises(Illegal, match="closed already"):
        duty.close(opened.id, reason="again", who="ann")
    assert [one.kind for one in _all(scene)][-2:] == ["incident opened", "incident closed"]


def _all(scene: Scene) -> list[Any]:
    from guardian.store import journal

    with scene.database.reading() as tx:
        return journal.after(tx, 0)
