"""Locking and covering a post at Reddit: one request each, read back by its own word, lifted again, never hiding."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import reddit_limits as limits
from guardian.adapter import Answer
from guardian.beyond import Limiting
from guardian.errors import Refusal
from guardian.gate.intents import declare, retracting
from guardian.gate.verdicts import Accepted, verdict, verdict_of_retract
from guardian.gate.verdicts import Stopped as StoppedVerdict
from guardian.model import Decision, Part, Presence
from tests.adapters.reddit_double import PAGE, Next
from tests.adapters.reddit_room import Room, double, room

__all__ = ["double", "room"]

OURS = Part(text="Fresh bread\n\nFrom six on.", visibility="r/acme")
ELSEWHERE = Part(text="Fresh bread\n\nFrom six on.", visibility="r/bread")
BOTH = [Decision.LOCK, Decision.SPOILER]
NAME = "t3_4bbe4b"


def listed(**thing: Any) -> Answer:  # noqa: ANN401 (fields of JSON)
    whole = {"name": NAME, "author": "acme_brand", "is_self": True, "selftext": "words", **thing}
    body = {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": whole}]}}
    return Answer(status=200, body=json.dumps(body).encode())


@pytest.mark.parametrize("decision", BOTH)
def test_a_limit_is_laid_by_one_request_while_frozen_shows_in_the_post_and_is_lifted_under_the_fence(
    room: Room, decision: Decision
) -> None:
    ref = room.made(OURS)
    assert isinstance(room.adapter, Limiting)
    assert room.adapter.limited(decision, ref) is Presence.THERE
    undoing, receipt = room.take_down(ref, decision)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert [one.said for one in room.double.asked(f"/api/{decision}")] == [{"id": ref.id}]
    assert room.adapter.limited(decision, ref) is Presence.LIMITED
    assert room.adapter.presence(ref) is Presence.THERE  # it hides nothing, and nobody calls it hidden
    assert undoing.says == frozenset()
    assert undoing.undo is not None
    assert verdict(room.undo(ref, dict(undoing.undo))) == Accepted(200)
    assert room.adapter.limited(decision, ref) is Presence.THERE
    room.freeze()
    with declare(retracting(room.account, ref.id)) as receipt:
        room.adapter.retract(decision, ref, undoing)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert room.adapter.limited(decision, ref) is Presence.LIMITED


@pytest.mark.parametrize("decision", BOTH)
def test_a_limit_reaches_its_own_post_and_no_other(room: Room, decision: Decision) -> None:
    mine, other = room.made(OURS), room.made(ELSEWHERE)
    undoing = room.adapter.prepare(decision, mine, room.looked(mine))
    with (
        declare(retracting(room.account, mine.id)) as receipt,
        pytest.raises(Exception, match="does not name the post"),
    ):
        room.adapter.retract(decision, other, undoing)
    assert isinstance(verdict_of_retract(receipt), StoppedVerdict)
    assert room.double.asked(f"/api/{decision}") == []


def test_where_we_do_not_moderate_a_post_is_covered_by_its_author_and_not_locked(room: Room) -> None:
    ref = room.made(ELSEWHERE)
    with pytest.raises(Refusal, match="u/acme_brand is no moderator of r/bread, and nobody else can lock a post"):
        room.take_down(ref, Decision.LOCK)
    room.take_down(ref, Decision.SPOILER)
    assert room.adapter.limited(Decision.SPOILER, ref) is Presence.LIMITED


def test_a_comment_is_locked_and_never_covered(room: Room) -> None:
    ref = room.made(Part(text="One more thing", follows=True), reply_to=room.made(OURS).id)
    with pytest.raises(Refusal, match="a comment cannot be covered"):
        room.take_down(ref, Decision.SPOILER)
    room.take_down(ref, Decision.LOCK)
    assert room.adapter.limited(Decision.LOCK, ref) is Presence.LIMITED


@pytest.mark.parametrize(
    ("decision", "status", "why"),
    [
        (Decision.LOCK, None, "nobody knows"),
        (Decision.SPOILER, Answer(status=403, body=b"{}"), "nobody knows"),
        (Decision.SPOILER, Answer(status=200, body=PAGE), "nobody knows"),
        (Decision.SPOILER, listed(author="[deleted]", selftext="[deleted]"), "it is deleted"),
        (Decision.CLOSE_REPLIES, listed(), "Reddit has no such thing"),
        (Decision.DETACH_QUOTES, listed(), "Reddit has no such thing"),
    ],
)
def test_what_was_not_seen_or_cannot_be_is_not_limited(decision: Decision, status: Answer | None, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        limits.prepared(decision, NAME, status, "u/acme_brand")


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (listed(locked=True), Presence.LIMITED),
        (listed(locked=True, removed_by_category="moderator"), Presence.LIMITED),
        (listed(locked=False), Presence.THERE),
        (listed(), Presence.UNKNOWN),
        (listed(locked="yes"), Presence.UNKNOWN),
        (listed(locked=True, author="[deleted]", selftext="[deleted]"), Presence.GONE),
        (listed(name="t3_other", locked=True), Presence.UNKNOWN),
        (Answer(status=200, body=PAGE), Presence.UNKNOWN),
        (Answer(status=403, body=listed(locked=True).body), Presence.UNKNOWN),
    ],
)
def test_a_limit_is_in_force_by_reddits_own_word_alone(answer: Answer, wanted: Presence) -> None:
    assert limits.presence(Decision.LOCK, NAME, answer) is wanted


def test_nobody_answers_and_nothing_is_known_of_a_limit(room: Room) -> None:
    ref = room.made(OURS)
    room.double.next("/api/info", Next(status=500))
    assert room.adapter.limited(Decision.LOCK, ref) is Presence.UNKNOWN
    assert room.adapter.limited(Decision.CLOSE_REPLIES, ref) is Presence.UNKNOWN
