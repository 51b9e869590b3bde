"""Frozen or not, a post comes down; hidden is what shows our words alone; it comes back once, never while frozen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from guardian.errors import Illegal, Refusal
from guardian.model import Presence, State
from tests.duties.test_duties_publish import seen_by_its_author
from tests.duties.urgent import WHO

if TYPE_CHECKING:
    from guardian.model import Target
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent

EDIT = {"method": "PUT", "path": r"/api/v1/statuses/\d+"}


def shown(platform: RehearsalPlatform, target: Target) -> Any:  # noqa: ANN401 (a status)
    return seen_by_its_author(platform, target.platform_id)


def test_a_frozen_house_takes_posts_down(urgent: Urgent) -> None:
    one, two = urgent.publish("one"), urgent.publish("two")
    urgent.scene.stop()
    assert urgent.take_down(one.id)[0].state == "gone"
    assert urgent.take_down(two.id, decision="hide")[0].state == "hidden"


def test_a_hidden_post_shows_our_words_and_nothing_of_its_own(urgent: Urgent, platform: RehearsalPlatform) -> None:
    post = urgent.publish("a bad joke", media=(urgent.scene.picture("a loaf"),))
    order = urgent.order(post.id, decision="hide")
    (target,) = urgent.settle(order)
    status = shown(platform, target)
    assert (target.state, status["media_attachments"], "joke" in status["content"]) == ("hidden", [], False)
    assert urgent.document(order)["complete"] is True
    now = urgent.scene.post(post)
    assert (now.state, now.why) == (State.PUBLISHED, "hidden")


@pytest.mark.parametrize("fault", ["status_after", "status"])
def test_an_edit_that_is_answered_with_an_error_is_hidden_only_if_it_shows(
    urgent: Urgent, platform: RehearsalPlatform, fault: str
) -> None:
    post = urgent.publish()
    platform.fault(fault, status=422 if fault == "status" else 502, times=None, **EDIT)
    (target,) = urgent.take_down(post.id, decision="hide")
    assert target.state == ("hidden" if fault == "status_after" else "still_visible")
    assert len(urgent.asked("PUT")) == 1


def test_a_hidden_post_that_somebody_edited_with_other_words_is_not_hidden(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    (target,) = urgent.take_down(post.id, decision="hide")
    urgent.by_hand("PUT", f"/api/v1/statuses/{target.platform_id}", platform.token("acme"), {"status": "a worse joke"})
    urgent.scene.clock.off += 61_000
    urgent.looking.poll(urgent.scene.clock())
    assert urgent.lines("taken down")[-1]["state"] == "still_visible"


def test_hiding_works_without_a_proof_and_can_be_undone(urgent: Urgent, platform: RehearsalPlatform) -> None:
    post = urgent.publish("a fine joke")
    (target,) = urgent.take_down(post.id, decision="hide", capture="skip")
    assert target.state == "hidden"
    assert urgent.undoing.undo(target.id, reason="it was fine", who=WHO) is Presence.THERE
    assert "a fine joke" in shown(platform, target)["content"]


def test_a_poll_is_refused_before_the_edit_would_lose_its_votes(urgent: Urgent, platform: RehearsalPlatform) -> None:
    made = urgent.by_hand(
        "POST", "/api/v1/statuses", platform.token("acme"),
        {"status": "which?", "poll": {"options": ["a", "b"], "expires_in": 3600}},
    )  # fmt: skip
    (target,) = urgent.take_down(f"acme/{made['id']}", decision="hide")
    assert (target.state, urgent.asked("PUT")) == ("not_attempted", [])
    assert "poll" in target.why


def test_nothing_is_shown_again_while_frozen_and_once_after_the_thaw(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish("a fine joke", media=(urgent.scene.picture("a loaf"),))
    (target,) = urgent.take_down(post.id, decision="hide")
    urgent.scene.stop()
    urgent.scene.books.adopt()
    with pytest.raises(Refusal, match="publishing"):
        urgent.undoing.undo(target.id, reason="it was fine", who=WHO)
    assert len(urgent.asked("PUT")) == 1
    urgent.scene.books.thaw(["all"], reason="over", by=WHO)
    assert urgent.undoing.undo(target.id, reason="it was fine", who=WHO) is Presence.THERE
    status = shown(platform, target)
    assert "a fine joke" in status["content"]
    assert [one["description"] for one in status["media_attachments"]] == ["a loaf"]
    with pytest.raises(Illegal):
        urgent.undoing.undo(target.id, reason="once more", who=WHO)
    assert len(urgent.asked("PUT")) == 2


def test_ten_people_who_undo_at_the_same_instant_make_one_edit(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id, decision="hide")
    found: list[object] = []
    barrier = threading.Barrier(10)

    def undo() -> None:
        barrier.wait()
        try:
            found.append(urgent.undoing.undo(target.id, reason="it was fine", who=WHO))
        except Illegal as error:
            found.append(type(error))

    threads = [threading.Thread(target=undo) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(map(str, [Presence.THERE, *[Illegal] * 9]))
    assert len(urgent.asked("PUT")) == 2


def test_what_was_deleted_cannot_be_undone(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    with pytest.raises(Illegal, match="nothing can reverse that"):
        urgent.undoing.undo(target.id, reason="oh", who=WHO)
