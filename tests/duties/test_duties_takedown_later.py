"""Gone is a word about one moment: it is looked at again, sealed again, and what came back is said to be back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from guardian.duties.outcomes import LOOKS_AGAIN
from guardian.model import State
from guardian.store import takedowns
from tests.duties.urgent import READING

if TYPE_CHECKING:
    from guardian.model import Target
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent

OF_THE_POST = r"/api/v1/statuses/\d+"


def look(urgent: Urgent, nr: int, since: int) -> int | None:
    """The clock goes to the time of look `nr`, counted from 1; what is due is looked at. When the next one is."""
    urgent.scene.clock.off += since + LOOKS_AGAIN[nr - 1] - urgent.scene.clock() + 1
    following: int | None = urgent.looking.poll(urgent.scene.clock())
    return following


def now(urgent: Urgent, target: Target) -> Target:
    with urgent.database.reading() as tx:
        return takedowns.target(tx, target.id)


def test_what_is_gone_is_looked_at_after_a_minute_an_hour_a_day_and_a_week_and_sealed_each_time(
    urgent: Urgent,
) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    urgent.sealed(target)
    ended = target.ended_at or 0
    first = urgent.looking.poll(urgent.scene.clock())
    assert first == ended + 60_000
    for nr in range(1, 5):
        following = look(urgent, nr, ended)
        assert following == (None if nr == 4 else ended + LOOKS_AGAIN[nr])
        bundle = urgent.sealed(target, 2 + nr)
        line = json.loads((bundle / f"checks-{2 + nr}.jsonl").read_text("utf-8").splitlines()[0])
        assert (line["check"], line["presence"]) == (nr, "gone")
    lines = [one for one in urgent.lines("looked again") if one["check"]]
    assert [(one["check"], one["presence"], one["seal"]) for one in lines] == [
        (nr, "gone", nr + 2) for nr in range(1, 5)
    ]
    assert now(urgent, target).state == "gone"
    assert len(urgent.asked("DELETE")) == 1


def test_a_post_that_came_back_is_said_to_be_back_and_is_not_deleted_behind_anybodys_back(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    urgent.sealed(target)
    platform._stage.world.memory.linger(int(target.platform_id), 1_000_000)  # restored from a backup
    look(urgent, 1, target.ended_at or 0)
    back = urgent.lines("taken down")[-1]
    assert now(urgent, target).state == back["state"] == "still_visible"
    assert back["why"] == "a later look shows it"
    assert urgent.lines("looked again")[-1]["presence"] == "there"
    assert len(urgent.asked("DELETE")) == 1
    urgent.sealed(target, 3)


def test_what_nobody_knew_is_known_by_a_later_look_and_the_post_is_retracted_then(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    order = urgent.order(post.id, capture="skip")
    platform.fault("status", path=OF_THE_POST, status=503, **READING)
    (target,) = urgent.settle(order)
    assert (target.state, urgent.scene.post(post).state) == ("unknown", State.PUBLISHED)
    assert urgent.scene.post(post).why == "unknown"
    platform.clear_faults()
    look(urgent, 1, target.ended_at or 0)
    assert now(urgent, target).state == "gone"
    assert urgent.scene.post(post).state is State.RETRACTED


@pytest.mark.parametrize("fault", ["login", "rubbish", "lose", "status"])
def test_a_look_without_a_plain_answer_changes_nothing(urgent: Urgent, platform: RehearsalPlatform, fault: str) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    urgent.sealed(target)
    platform.fault(fault, path=OF_THE_POST, **READING)
    look(urgent, 1, target.ended_at or 0)
    assert now(urgent, target).state == "gone"
    assert urgent.lines("looked again")[-1]["presence"] == "unknown"


def test_a_look_whose_bundle_was_let_go_is_made_all_the_same(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    bundle = urgent.sealed(target)
    bundle.rename(bundle.with_name(".let-go"))
    look(urgent, 1, target.ended_at or 0)
    line = urgent.lines("looked again")[-1]
    assert (line["check"], line["presence"], line.get("seal")) == (1, "gone", None)


def test_a_post_is_retracting_while_it_is_asked_for_and_retracted_when_it_is_gone(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    platform.fault("lingers", reads=2)
    order = urgent.order(post.id, capture="skip")
    urgent.once()
    assert urgent.scene.post(post).state is State.RETRACTING
    urgent.settle(order)
    assert urgent.scene.post(post).state is State.RETRACTED


def test_a_post_that_could_not_be_taken_down_is_published_again_and_says_why(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    platform.fault("status", method="DELETE", path=OF_THE_POST, status=403, times=None)
    urgent.take_down(post.id)
    found = urgent.scene.post(post)
    assert (found.state, found.why) == (State.PUBLISHED, "still visible")


def test_what_another_life_left_in_the_middle_is_sealed_when_it_ends(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    order = urgent.order(urgent.publish().id)
    platform.fault("lingers", reads=2)
    urgent.once()
    (target,) = urgent.targets(order)
    assert target.state == "acting"
    urgent.close()
    urgent.start()
    urgent.settle(order)
    urgent.sealed(urgent.targets(order)[0], 2)


@pytest.mark.parametrize("decision", ["delete", "hide"])
def test_an_act_that_never_left_is_made_by_the_next_life(urgent: Urgent, decision: str) -> None:
    """A crash between the intent and the request: the post is still there, and the next life has no snapshot of it."""
    post = urgent.publish()
    order = urgent.order(post.id, decision=decision)
    (target,) = urgent.targets(order)
    with urgent.database.transaction() as tx:
        tx.execute("update targets set state = 'acting', acts = 1, acted_at = 1 where id = ?", (target.id,))
    (ended,) = urgent.settle(order)
    assert ended.state == ("gone" if decision == "delete" else "hidden")
    assert (ended.undo is not None) is (decision == "hide")
