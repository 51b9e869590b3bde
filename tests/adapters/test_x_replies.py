"""Hiding what others reply below our posts, and taking reposts back, on X against its double."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.x_answers import began_by, reposted
from guardian.adapter import Answer
from guardian.errors import Refusal
from guardian.gate.intents import declare, retracting
from guardian.gate.verdicts import Accepted, Rejected, Shut, Uncertain, verdict_of_retract
from guardian.model import Decision, PostRef, Presence
from tests.adapters.x_stage import Stage, stage, x

if TYPE_CHECKING:
    from typing import Any

__all__ = ["stage", "x"]


def reply_to_us(stage: Stage) -> PostRef:
    ours = stage.published("Fresh bread")
    return PostRef(id=stage.x.post_past_us("Buy cheap watches", "other", below=ours.id))


def test_a_reply_of_somebody_else_is_hidden_while_frozen_and_shown_again_only_after_the_thaw(stage: Stage) -> None:
    reply = reply_to_us(stage)
    undoing = stage.adapter.prepare(Decision.HIDE, reply, stage.looked(reply))
    assert undoing.undo is not None
    permits = [Path(stage.house.permit(scope)) for scope in ("all", "account:acme-x")]
    kept = {permit: permit.read_bytes() for permit in permits}
    for permit in permits:
        permit.unlink()
    assert verdict_of_retract(stage.take_down(reply, Decision.HIDE, look=True)) == Accepted(200)
    assert stage.x.posts[reply.id]["hidden"] is True
    assert stage.adapter.presence(reply) is Presence.THERE, "X shows nobody whether it is hidden"
    for permit, content in kept.items():
        permit.write_bytes(content)
    assert stage.undo(reply, undoing.undo) == Accepted(200)
    assert stage.x.posts[reply.id]["hidden"] is False
    assert [one for one in stage.x.changes() if one[0] == "PUT"] == [("PUT", f"/2/tweets/{reply.id}/hidden")] * 2


def test_a_reply_is_not_shown_again_while_frozen(stage: Stage) -> None:
    reply = reply_to_us(stage)
    stage.take_down(reply, Decision.HIDE, look=True)
    intent = stage.intent()
    Path(stage.house.permit("all")).unlink()
    with pytest.raises(Exception, match="all"):
        stage.undo(reply, {"unhide": reply.id})
    assert intent.spent is False
    assert stage.x.posts[reply.id]["hidden"] is True


def test_a_post_of_our_own_is_never_hidden_neither_at_the_root_nor_below_it(stage: Stage) -> None:
    root = stage.published("One")
    second = stage.published("Two", reply_to=root.id)
    for ref in (root, second):
        with pytest.raises(Refusal, match="X cannot hide a post of one's own, do delete it"):
            stage.adapter.prepare(Decision.HIDE, ref, stage.looked(ref))
    with pytest.raises(Refusal, match="nobody knows whose conversation it is in"):
        stage.adapter.prepare(Decision.HIDE, second, {})
    assert stage.x.changes() == [("POST", "/2/tweets")] * 2


def test_a_reply_in_somebody_elses_conversation_is_refused_by_us_where_x_shows_it_and_else_by_x(stage: Stage) -> None:
    theirs = stage.x.post_past_us("Their post", "other")
    near = PostRef(id=stage.x.post_past_us("A reply", "other", below=theirs))
    deep = PostRef(id=stage.x.post_past_us("A reply to it", "other", below=near.id))
    with pytest.raises(Refusal, match="somebody else's post began that conversation"):
        stage.adapter.prepare(Decision.HIDE, near, stage.looked(near))
    assert isinstance(verdict_of_retract(stage.take_down(deep, Decision.HIDE, look=True)), Rejected)
    assert stage.x.posts[deep.id]["hidden"] is False


def test_a_reply_to_a_reply_in_our_conversation_is_hidden(stage: Stage) -> None:
    first = reply_to_us(stage)
    deep = PostRef(id=stage.x.post_past_us("Me too", "other", below=first.id))
    assert verdict_of_retract(stage.take_down(deep, Decision.HIDE, look=True)) == Accepted(200)
    assert stage.x.posts[deep.id]["hidden"] is True


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"data": {"hidden": False}}, Uncertain),
        ({"data": {}}, Uncertain),
        ({"errors": [{"detail": "went wrong"}]}, Uncertain),
        ("<html>", Uncertain),
    ],
)
def test_x_has_to_say_that_it_is_hidden(stage: Stage, body: Any, verdict: type[object]) -> None:  # noqa: ANN401 (JSON)
    reply = reply_to_us(stage)
    stage.x.fault("answer", method="PUT", path=".*/hidden", status=200, body=body)
    assert isinstance(verdict_of_retract(stage.take_down(reply, Decision.HIDE, look=True)), verdict)


def test_without_credit_nothing_is_hidden_and_the_address_for_a_person_is_that_of_the_reply(stage: Stage) -> None:
    reply = reply_to_us(stage)
    looked = stage.looked(reply)
    stage.x.accounts["acme"].credit = False
    undoing = stage.adapter.prepare(Decision.HIDE, reply, looked)
    with declare(retracting(stage.account, reply.id, undoing.says)) as receipt:
        stage.adapter.retract(Decision.HIDE, reply, undoing)
    found = verdict_of_retract(receipt)
    assert isinstance(found, Shut)
    assert f"do hide it by hand at https://x.com/i/web/status/{reply.id}" in found.why


def test_what_was_not_prepared_as_a_hide_is_none(stage: Stage) -> None:
    reply = reply_to_us(stage)
    deleting = stage.adapter.prepare(Decision.DELETE, reply, {})
    with pytest.raises(Refusal):
        stage.adapter.retract(Decision.HIDE, reply, deleting)
    with pytest.raises(Refusal, match="cannot bring"):
        stage.adapter.undo(reply, {"unhide": "1"})
    assert ("PUT", f"/2/tweets/{reply.id}/hidden") not in stage.x.changes()


@pytest.mark.parametrize("whose", ["other", "acme"])
def test_a_repost_of_ours_is_taken_back_and_the_post_that_it_shows_stays(stage: Stage, whose: str) -> None:
    """A brand that reposts its own launch: the repost goes, the launch must not."""
    source = stage.x.post_past_us("The launch", whose)
    repost = PostRef(id=stage.x.repost_past_us(source))
    Path(stage.house.permit("all")).unlink()
    assert stage.adapter.presence(repost) is Presence.THERE
    assert stage.adapter.author(stage.looked(repost)["status"].body) == stage.x.accounts["acme"].id
    assert verdict_of_retract(stage.take_down(repost, look=True)) == Accepted(200)
    assert stage.adapter.presence(repost) is Presence.GONE
    assert stage.x.live() == ["The launch"]
    assert stage.x.changes() == [("DELETE", f"/2/users/{stage.x.accounts['acme'].id}/retweets/{source}")]


def test_a_repost_of_somebody_else_is_not_ours_to_take_back(stage: Stage) -> None:
    source = stage.published("The launch")
    repost = PostRef(id=stage.x.repost_past_us(source.id, "other"))
    assert stage.adapter.author(stage.looked(repost)["status"].body) == stage.x.accounts["other"].id
    assert isinstance(verdict_of_retract(stage.take_down(repost, look=True)), Rejected)
    assert len(stage.x.posts) == 2


def test_to_take_a_repost_back_names_no_other_than_was_announced(stage: Stage) -> None:
    source = stage.x.post_past_us("The launch", "other")
    repost = PostRef(id=stage.x.repost_past_us(source))
    undoing = stage.adapter.prepare(Decision.DELETE, repost, stage.looked(repost))
    (path,) = undoing.says
    stage.adapter.prepare = lambda *_: type(undoing)(says=frozenset({path[:-1] + "0"}))  # type: ignore[method-assign]
    ask = stage.adapter._session.ask
    stage.adapter._session.ask = lambda method, _, **said: ask(method, path, **said)  # type: ignore[method-assign]
    with pytest.raises(Exception, match="was not announced"):
        stage.take_down(repost)
    stage.adapter._session.ask = ask  # type: ignore[method-assign]
    assert stage.x.changes() == []


def test_an_answer_about_another_post_makes_no_repost_of_this_one(stage: Stage) -> None:
    source = stage.x.post_past_us("The launch", "other")
    repost = PostRef(id=stage.x.repost_past_us(source))
    ours = stage.published("Fresh bread")
    wrong = {"status": stage.looked(repost)["status"]}
    assert stage.adapter.prepare(Decision.DELETE, ours, wrong).says == frozenset()
    for said in (b"", b"{", b'{"data": {"id": "7", "referenced_tweets": [{"type": "retweeted", "id": "../x"}]}}'):
        prepared = stage.adapter.prepare(Decision.DELETE, PostRef(id="7"), {"status": Answer(status=200, body=said)})
        assert prepared.says == frozenset()


def test_who_began_a_conversation_is_read_from_what_is_shown_and_never_guessed() -> None:
    for body in (
        b"",
        b"[]",
        b'{"data": {"id": "1"}}',
        b'{"data": {"id": "1"}, "includes": {"tweets": [{"id": 3}]}}',
        b'{"data": {"id": "1", "conversation_id": "3"}, "includes": {"tweets": [{"id": "3"}, 7]}}',
    ):
        assert began_by(body) is None
    body = b'{"data": {"id": "1", "conversation_id": "3"}, "includes": {"tweets": [{"id": "3", "author_id": "9"}]}}'
    assert began_by(body) == "9"
    assert reposted({"author_id": "7", "referenced_tweets": [{"type": "quoted", "id": "1"}]}) is None
    assert reposted({"referenced_tweets": [{"type": "retweeted", "id": "1"}]}) is None


@pytest.mark.parametrize("said", [{"data": {"retweeted": True}}, {"data": 7}, {"errors": [{"detail": "no"}]}])
def test_x_has_to_say_that_a_repost_is_taken_back(stage: Stage, said: dict[str, Any]) -> None:
    repost = PostRef(id=stage.x.repost_past_us(stage.x.post_past_us("The launch", "other")))
    stage.x.fault("answer", method="DELETE", path="/2/users/.*", status=200, body=said)
    assert isinstance(verdict_of_retract(stage.take_down(repost, look=True)), Uncertain)
