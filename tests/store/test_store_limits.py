"""A limit in the books: an order that keeps the post, so that nobody counts it as one that was taken down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.model import Capture, Decision, Takedown
from guardian.rules.takedown import Step, TargetState
from guardian.store import incidents, takedowns
from guardian.store.queries import Q
from guardian.store.takedowns import Named

if TYPE_CHECKING:
    from guardian.model import Target
    from guardian.store.database import Database, Tx

STAYS = Named(account="acme-m", platform_id="112", url=None, post=None, part=None)
LAID, NOT_LAID = (Step.CAPTURE, Step.ACT, Step.FOUND_LIMITED), (Step.CAPTURE, Step.ACT, Step.FOUND_FREE)


def ordered(tx: Tx, decision: Decision, *steps: Step, at: int) -> Target:
    """An order about the one post, and how it went."""
    incident, _ = incidents.open_or_join(tx, reason="a storm", by="anna", cause="takedown", now=at)
    order = Takedown(
        id=f"t-{at}",
        incident=incident.id,
        decision=decision,
        capture=Capture.BEST_EFFORT,
        severity=1,
        reason="",
        by="anna",
        agreed=(),
        at=at,
    )
    takedowns.order(tx, order, given={}, key=None)
    found = takedowns.target(tx, takedowns.add_target(tx, order.id, STAYS, nr=1))
    for step in steps:
        if step is Step.ACT:
            takedowns.intend(tx, found, undo={"lift": "it"}, now=at)
        found = takedowns.move(tx, found, step, why="", now=at)
    return found


def not_done(tx: Tx) -> list[tuple[str, str]]:
    incident = incidents.current(tx)
    assert incident is not None
    rows = Q.targets_not_as_ordered(tx, incident=incident.id, limit=10)
    return [(row["decision"], row["state"]) for row in rows]


@pytest.mark.parametrize("decision", [one for one in Decision if one.is_limit])
def test_a_limit_comes_back_from_the_books_as_it_was_ordered(database: Database, decision: Decision) -> None:
    with database.transaction() as tx:
        target = ordered(tx, decision, *LAID, at=5)
        assert target.state == TargetState.KEPT
        assert takedowns.get(tx, target.takedown).decision is decision
        assert not_done(tx) == []


def test_a_limit_that_failed_stands_until_the_same_one_is_in_force(database: Database) -> None:
    with database.transaction() as tx:
        ordered(tx, Decision.CLOSE_REPLIES, *NOT_LAID, at=5)
        ordered(tx, Decision.DETACH_QUOTES, *LAID, at=6)
        assert not_done(tx) == [("close-replies", "still_visible")]
        ordered(tx, Decision.CLOSE_REPLIES, *LAID, at=7)
        assert not_done(tx) == []


def test_a_limit_does_not_cover_up_that_a_deletion_failed(database: Database) -> None:
    with database.transaction() as tx:
        ordered(tx, Decision.DELETE, Step.CAPTURE, Step.ACT, Step.FOUND_THERE, at=5)
        ordered(tx, Decision.CLOSE_REPLIES, *NOT_LAID, at=6)
        ordered(tx, Decision.LOCK, *LAID, at=7)
        assert not_done(tx) == [("delete", "still_visible"), ("close-replies", "still_visible")]
        ordered(tx, Decision.DELETE, Step.CAPTURE, Step.ACT, Step.FOUND_GONE, at=8)
        assert not_done(tx) == []


def test_a_post_under_a_limit_is_not_counted_as_one_that_is_gone(database: Database) -> None:
    with database.transaction() as tx:
        ordered(tx, Decision.LOCK, *LAID, at=5)
        assert takedowns.strangers_acted_on(tx, "acme-m", since=0) == 0
        ordered(tx, Decision.DELETE, Step.CAPTURE, Step.ACT, Step.FOUND_GONE, at=6)
        assert takedowns.strangers_acted_on(tx, "acme-m", since=0) == 1


def test_a_limit_that_was_lifted_has_nothing_left_to_lift(database: Database) -> None:
    with database.transaction() as tx:
        target = ordered(tx, Decision.LOCK, *LAID, at=5)
        assert target.undo == {"lift": "it"}
        takedowns.move(tx, target, Step.UNDO, why="lifted", now=6)
        takedowns.forget_undo(tx, target.id)
        found = takedowns.target(tx, target.id)
        assert (found.state, found.undo) == (TargetState.KEPT, None)
