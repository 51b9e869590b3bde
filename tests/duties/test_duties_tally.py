"""What the duties tell whoever counts: each event once, when it has happened, with nothing of a post in it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from guardian.daemon.metrics import LOOKS, OUTCOMES, Metrics
from guardian.daemon.present import UNCONFIGURED
from guardian.duties.freeze import Freezing
from guardian.duties.publish import Again, Held, Idle, Settled, Waiting
from guardian.fence.stopping import Order
from guardian.model import Part, State
from guardian.store import posts
from guardian.store.posts import Draft

if TYPE_CHECKING:
    from guardian.duties.lane import Lane
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene


@pytest.fixture
def metrics(scene: Scene) -> Metrics:
    found = Metrics()
    found.know([account.name for account in scene.accounts], scene.books.scopes)
    scene.books.tally = found
    return found


@pytest.fixture
def lane(scene: Scene, metrics: Metrics) -> Lane:
    found = scene.lane(answer_within=0.5)
    found.tally = found.reconciling.tally = metrics
    found._ask_who_we_are(scene.clock())
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(name, labels)
    assert found is not None, (name, labels)
    return found


def sends(metrics: Metrics, account: str = "acme") -> dict[str, float]:
    """How often each outcome came, but for those that never did."""
    counted = {word: value(metrics, "guardian_sends_total", account=account, outcome=word) for word in OUTCOMES}
    return {word: number for word, number in counted.items() if number}


@pytest.mark.parametrize(
    ("fault", "options", "outcome"),
    [
        (None, {}, {"published": 1}),
        ("lose", {}, {"unknown": 1}),
        ("status", {"status": 422}, {"refused": 1}),
        ("429", {"retry_after": 1}, {"again": 1, "published": 1}),
        ("status", {"status": 401}, {"token_refused": 1}),
    ],
)
def test_each_try_is_counted_once_by_what_came_of_it(
    scene: Scene,
    lane: Lane,
    metrics: Metrics,
    platform: RehearsalPlatform,
    fault: str | None,
    options: dict[str, object],
    outcome: dict[str, int],
) -> None:
    if fault:
        platform.fault(fault, times=1, method="POST", **options)
    scene.enter()
    lane._poll_sending(scene.clock())
    assert sends(metrics) == outcome
    left = sum(outcome.get(word, 0) for word in ("published", "unknown", "refused"))
    assert value(metrics, "guardian_send_lateness_seconds_count", account="acme") == left
    assert sends(metrics, "beta") == {}


def test_a_post_that_is_blocked_has_not_left_and_is_not_late(scene: Scene, lane: Lane, metrics: Metrics) -> None:
    scene.enter("x" * 10_000)
    lane._poll_sending(scene.clock())
    assert sends(metrics) == {"blocked": 1}
    assert value(metrics, "guardian_send_lateness_seconds_count", account="acme") == 0


def test_how_late_a_post_left_is_counted_from_its_time_to_its_sending(
    scene: Scene, lane: Lane, metrics: Metrics
) -> None:
    scene.enter()
    scene.clock.off += 61_000
    lane._poll_sending(scene.clock())
    late = value(metrics, "guardian_send_lateness_seconds_sum", account="acme")
    assert 61 <= late < 75
    assert value(metrics, "guardian_send_lateness_seconds_bucket", account="acme", le="60.0") == 0


def test_the_parts_of_a_thread_are_tries_of_their_own_and_only_the_first_can_be_late(
    scene: Scene, lane: Lane, metrics: Metrics
) -> None:
    now = scene.clock()
    one, *others = (Part(text=f"part {number}") for number in range(3))
    thread = Draft(account="acme", at=now, at_text="now", zone=None, part=one, tail=tuple(others))
    with scene.database.transaction() as tx:
        posts.enter(tx, thread, now=now, who="a test")
    for _ in range(3):
        lane._poll_sending(scene.clock())
        scene.clock.off += 100_000
    assert sends(metrics) == {"part": 2, "published": 1}
    assert value(metrics, "guardian_send_lateness_seconds_count", account="acme") == 1
    assert value(metrics, "guardian_send_lateness_seconds_sum", account="acme") < 60


def test_a_lane_that_is_held_counts_as_held_and_an_idle_one_not_at_all(
    scene: Scene, lane: Lane, metrics: Metrics
) -> None:
    lane._poll_sending(scene.clock())
    assert sends(metrics) == {}
    scene.enter()
    scene.stop()
    lane._poll_sending(scene.clock())
    assert sends(metrics) == {"held": 1}
    lane.halt.set()
    lane._poll_sending(scene.clock())
    assert sends(metrics) == {"held": 1}


@pytest.mark.parametrize(("posted", "result"), [(True, "found"), (False, "absent")])
def test_each_look_is_counted_with_what_it_saw(
    scene: Scene, lane: Lane, metrics: Metrics, platform: RehearsalPlatform, posted: bool, result: str
) -> None:
    platform.fault("lose" if posted else "lose_before", times=1, method="POST")
    post = scene.enter()
    lane._poll_sending(scene.clock())
    assert scene.post(post).state is State.UNKNOWN
    platform.fault("status", status=500, times=1, method="GET", path=".*/statuses")
    lane.reconciling.poll(scene.clock())
    scene.clock.off += 60_000
    lane.reconciling.poll(scene.clock())
    looks = {word: value(metrics, "guardian_reconcile_looks_total", account="acme", result=word) for word in LOOKS}
    assert looks == {"found": 0, "absent": 0, "failed": 1} | {result: 1}


def test_freezes_are_counted_by_door_and_once_in_the_books(scene: Scene, metrics: Metrics) -> None:
    scene.stop("brand:acme")
    scene.books.adopt()
    scene.books.adopt()
    assert value(metrics, "guardian_freezes_total", scope="brand:acme") == 1
    freezing = Freezing(scene.books, ring=lambda: None, tally=metrics)
    freezing.freeze(Order(("all",), "x", "y"), wait=0, told=False)
    freezing.freeze(Order(("all",), "x", "y"), wait=0, told=True)
    for door in ("control", "direct"):
        assert value(metrics, "guardian_freeze_requests_total", door=door, confirmed="true") == 1
    assert value(metrics, "guardian_freeze_seconds_count", confirmed="true") == 1  # the other door has measured its own
    assert value(metrics, "guardian_freezes_total", scope="all") == 1


def test_a_scope_that_is_not_configured_has_no_series_of_its_own(metrics: Metrics) -> None:
    for number in range(50):
        metrics.booked(f"brand:gone-{number}")
    assert value(metrics, "guardian_freezes_total", scope=UNCONFIGURED) == 50
    assert b"gone-" not in metrics.text()


def test_what_is_missed_is_counted_when_it_is_written_down_and_not_before(scene: Scene, metrics: Metrics) -> None:
    scene.enter()
    scene.clock.off += scene.late_after + 1_000

    with scene.database.transaction() as tx:
        tx.execute("create trigger nothing_more before insert on journal begin select raise(abort, 'full'); end")
    with pytest.raises(sqlite3.IntegrityError):
        scene.books.sweep()
    assert value(metrics, "guardian_posts_missed_total") == 0
    with scene.database.transaction() as tx:
        tx.execute("drop trigger nothing_more")
    scene.books.sweep()
    scene.books.sweep()
    assert value(metrics, "guardian_posts_missed_total") == 1


def test_every_outcome_has_a_word(scene: Scene) -> None:
    """A word that is not there from the start is a series that begins at 1, and no rule sees it increase."""
    post = scene.enter()
    for outcome in (
        Settled(post),
        Again("x", None),
        Again("x", None, token_refused=True),
        Held("x"),
        Waiting(1),
        Idle(),
    ):
        metrics = Metrics()
        metrics.know(["acme"], [])
        before = metrics.text().count(b"guardian_sends_total{")
        metrics.sent("acme", outcome, began=0)
        assert metrics.text().count(b"guardian_sends_total{") == before
