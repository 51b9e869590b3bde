"""Taking down at Reddit with the words overwritten first: two requests, each written down, none in the other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.reddit import MAKER
from guardian.errors import Mistake, Refusal
from guardian.model import Part
from tests.adapters.reddit_double import Next
from tests.adapters.reddit_room import account_at, double
from tests.duties import conftest
from tests.duties.conftest import Scene
from tests.duties.urgent import WHO, Urgent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House
    from guardian.model import Post
    from guardian.store.database import Database
    from tests.adapters.reddit_double import RedditDouble

__all__ = ["double"]

EDIT, DELETE = "/api/editusertext", "/api/del"
TEXT = Part(text="Fresh bread\n\nFrom six on.", visibility="r/acme")


@pytest.fixture
def scene(house: House, database: Database, double: RedditDouble, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(conftest, "makers", lambda: {"reddit": MAKER})
    return Scene(house=house, accounts=(account_at(double.url),), database=database, looks=2, over=50)


@pytest.fixture
def urgent(scene: Scene) -> Iterator[Urgent]:
    found = Urgent(scene, None, found={"reddit": MAKER})
    yield found
    found.close()


def published(scene: Scene, *parts: Part) -> Post:
    post = scene.enter_parts(*(parts or (TEXT,)))
    scene.poll_until(scene.lane(), lambda: scene.post(post).state == "published")
    return scene.post(post)


def requests(double: RedditDouble) -> list[str]:
    return [one.path for one in double.log if one.path in (EDIT, DELETE)]


def test_the_proof_is_sealed_then_the_words_are_overwritten_then_it_is_deleted_each_with_a_line_of_its_own(
    urgent: Urgent, double: RedditDouble
) -> None:
    post = published(urgent.scene)
    urgent.scene.stop()  # it passes a freeze, as every takedown
    order = urgent.order(post.id, overwrite=True)
    (target,) = urgent.settle(order)
    assert (target.state, target.why) == ("gone", "before it, overwrite: the platform said yes")
    assert requests(double) == [EDIT, DELETE]
    assert [line["act"] for line in urgent.lines("takedown acting")] == ["overwrite", "delete"]
    sealed, first = urgent.entries("snapshot sealed")[0], urgent.entries("takedown acting")[0]
    assert sealed.seq < first.seq
    assert urgent.lines("takedown ordered")[0]["overwrite"] is True
    bundle = urgent.sealed(target)
    (status,) = (bundle / "api" / "before").glob("status*")
    assert b"From six on." in status.read_bytes()
    assert b"withdrawn" not in status.read_bytes()
    assert urgent.document(order)["overwrite"] is True


@pytest.mark.parametrize(
    "what",
    [
        Next(status=400, body={"reason": "SUBMIT_VALIDATION_BODY_BLACKLISTED_STRING", "explanation": "no"}, made=False),
        Next(status=503, made=False),
        Next(status=429, made=False),
        Next(body={"json": {"errors": [["TOO_OLD", "that's a piece of history now", "parent"]]}}, made=False),
    ],
    ids=["refused", "503", "429", "archived"],
)
def test_words_that_cannot_be_overwritten_keep_nothing_up_and_it_is_said(
    urgent: Urgent, double: RedditDouble, what: Next
) -> None:
    post = published(urgent.scene)
    double.next(EDIT, what)
    (target,) = urgent.take_down(post.id, overwrite=True)
    assert target.state == "gone"
    assert "overwrite: NOT known to be done, because" in target.why
    assert "NOT known" in urgent.lines("takedown acting")[1]["note"]
    assert requests(double) == [EDIT, DELETE]


def test_nobody_overwrites_unless_somebody_asked_for_it_and_never_what_is_kept_or_hidden(
    urgent: Urgent, double: RedditDouble
) -> None:
    post = published(urgent.scene)
    for decision in ("keep", "hide"):
        with pytest.raises(Mistake, match=f"cannot overwrite posts to {decision} them"):
            urgent.order(post.id, decision=decision, overwrite=True)
    (target,) = urgent.take_down(post.id)
    assert (target.state, target.why) == ("gone", "")
    assert requests(double) == [DELETE]


def test_a_thread_is_overwritten_part_by_part_and_both_requests_count_against_the_budget(
    urgent: Urgent, double: RedditDouble
) -> None:
    post = published(urgent.scene, TEXT, Part(text="One more thing"))
    targets = urgent.take_down(post.id, overwrite=True)
    assert [one.state for one in targets] == ["gone", "gone"]
    assert requests(double) == [EDIT, DELETE] * 2
    with urgent.database.reading() as tx:
        assert tx.execute("select count(*) as n from retractions").fetchone()["n"] == 4


def test_a_life_that_ends_between_the_two_goes_on_with_both_and_deletes_once(
    urgent: Urgent, double: RedditDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = published(urgent.scene)
    order = urgent.order(post.id, overwrite=True)
    with monkeypatch.context() as patch:
        patch.setattr("guardian.duties.acting.failpoint", _dies_at("takedown.acted"))
        desk = urgent.takedowns._desk(urgent.scene.accounts[0])
        with pytest.raises(_Died):
            desk.work()
    assert requests(double) == [EDIT]
    desk.close()
    urgent.start()
    (target,) = urgent.settle(order)
    assert target.state == "gone"
    assert requests(double) == [EDIT, EDIT, DELETE]


class _Died(BaseException):
    """As a crash: nobody catches it."""


def _dies_at(name: str) -> Any:  # noqa: ANN401 (a function)
    def failpoint(reached: str) -> None:
        if reached == name:
            raise _Died

    return failpoint


@pytest.mark.parametrize("limit", ["lock", "spoiler"])
def test_a_post_under_a_limit_is_kept_as_live_as_before_and_the_limit_is_lifted_and_never_while_frozen(
    urgent: Urgent, double: RedditDouble, limit: str
) -> None:
    post = published(urgent.scene)
    order = urgent.order(post.id, decision=limit)
    (target,) = urgent.settle(order)
    assert target.state == "kept"
    assert urgent.scene.post(post).state == "published"
    assert len(double.asked(f"/api/{limit}")) == 1
    assert urgent.document(order)["complete"] is True
    urgent.undoing.undo(target.id, reason="enough", who=WHO)
    assert len(double.asked(f"/api/un{limit}")) == 1
    urgent.scene.stop()
    (again,) = urgent.take_down(post.id, decision=limit)
    assert again.state == "kept"
    with pytest.raises(Refusal, match="publishing"):
        urgent.undoing.undo(again.id, reason="enough", who=WHO)
    assert len(double.asked(f"/api/un{limit}")) == 1


def test_where_we_do_not_moderate_a_lock_is_not_attempted_and_the_reason_is_told(
    urgent: Urgent, double: RedditDouble
) -> None:
    post = published(urgent.scene, Part(text=TEXT.text, visibility="r/bread"))
    (target,) = urgent.take_down(post.id, decision="lock")
    assert target.state == "not_attempted"
    assert "no moderator of r/bread" in target.why
    assert double.asked("/api/lock") == []
