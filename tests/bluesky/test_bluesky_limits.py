"""Limits on a real PDS: replies closed, quotes detached, by one record beside a post that stays; and lifted again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters import bluesky_gates as gates
from adapters.bluesky_gates import QUOTES, REPLIES
from guardian.adapter import Answer
from guardian.beyond import Limiting
from guardian.errors import Doubt, Refusal
from guardian.fence import passage
from guardian.fence.stopping import Order, Stopping
from guardian.gate import intents
from guardian.gate.intents import declare
from guardian.gate.verdicts import Accepted, Rejected, Uncertain, verdict, verdict_of_retract
from guardian.gate.verdicts import Stopped as WasStopped
from guardian.model import Decision, Part, PostRef, Presence
from tests.bluesky.test_bluesky_publishing import DOT, PICTURE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.adapter import Undoing
    from guardian.gate.verdicts import Retraction, Verdict
    from tests.bluesky.conftest import Desk

CLOSE, DETACH = Decision.CLOSE_REPLIES, Decision.DETACH_QUOTES
QUOTED = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3kaaaaaaaaaaa"


def looked(desk: Desk, decision: Decision, ref: PostRef) -> dict[str, Answer]:
    """What `prepare` is given; nobody is behind this PDS who knows of quotes."""
    assert isinstance(desk.emergency, Limiting)
    looks = desk.emergency.looks_before(decision, ref)
    return {look.name: desk.emergency.fetch(look) for look in looks if look.name != "quotes"}


def lay(desk: Desk, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> tuple[Undoing, Retraction]:
    undoing = desk.emergency.prepare(decision, ref, answers)
    with declare(intents.retracting(desk.account, ref.id, undoing.says)) as receipt:
        desk.emergency.retract(decision, ref, undoing)
    assert len([one for one in receipt.traces if one.kind == "retract"]) == 1
    return undoing, verdict_of_retract(receipt)


def lift(desk: Desk, ref: PostRef, undoing: Undoing) -> Verdict:
    assert undoing.undo is not None
    kept = json.loads(json.dumps(undoing.undo))  # as the store gives it back
    intent = intents.managing(desk.account, passage.look(desk.house, desk.account.scopes))
    with declare(intent) as receipt:
        desk.emergency.undo(ref, kept)
    return verdict(receipt)


def gate_of(desk: Desk, ref: PostRef, gate: str) -> dict[str, Any] | None:
    rkey = ref.id.rpartition("/")[2]
    found = desk.pds.get("com.atproto.repo.getRecord", repo=desk.brand.did, collection=gate, rkey=rkey)
    return None if found is None else dict(found["value"])


def written(desk: Desk, ref: PostRef, gate: str, **said: Any) -> None:  # noqa: ANN401 (JSON)
    """A person's own gate, made at bsky.app."""
    record = {"$type": gate, "post": ref.id, "createdAt": "2026-01-01T00:00:00Z", **said}
    rkey = ref.id.rpartition("/")[2]
    body = {"repo": desk.brand.did, "collection": gate, "rkey": rkey, "record": record}
    desk.pds.post("com.atproto.repo.putRecord", body, desk.brand.token)


@pytest.mark.parametrize(("decision", "gate"), [(CLOSE, REPLIES), (DETACH, QUOTES)])
def test_a_limit_is_laid_while_frozen_and_the_post_stays_to_the_byte(desk: Desk, decision: Decision, gate: str) -> None:
    ref = desk.publish(Part(text="kept"), "key")
    before = desk.pds.posts(desk.brand)
    assert desk.emergency.limited(decision, ref) is Presence.THERE
    with Stopping(desk.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        _, came = lay(desk, decision, ref, looked(desk, decision, ref))
        assert came == Accepted(200)
        assert desk.emergency.limited(decision, ref) is Presence.LIMITED
    found = gate_of(desk, ref, gate)
    assert found is not None
    assert found["post"] == ref.id
    assert gates.in_force(gate, found)
    assert desk.pds.posts(desk.brand) == before
    assert desk.emergency.presence(ref) is Presence.THERE


@pytest.mark.parametrize(("decision", "gate"), [(CLOSE, REPLIES), (DETACH, QUOTES)])
def test_a_limit_is_lifted_as_if_it_had_never_been_and_not_while_frozen(
    desk: Desk, decision: Decision, gate: str
) -> None:
    ref = desk.publish(Part(text="kept"), "key")
    undoing, _ = lay(desk, decision, ref, looked(desk, decision, ref))
    intent = intents.managing(desk.account, passage.look(desk.house, desk.account.scopes))
    assert lift(desk, ref, undoing) == Accepted(200)
    assert gate_of(desk, ref, gate) is None
    assert desk.emergency.limited(decision, ref) is Presence.THERE
    lay(desk, decision, ref, looked(desk, decision, ref))
    with Stopping(desk.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        with declare(intent) as receipt, pytest.raises(Exception, match=r"."):
            desk.emergency.undo(ref, undoing.undo or {})
        assert isinstance(verdict(receipt), WasStopped)
    assert desk.emergency.limited(decision, ref) is Presence.LIMITED


def test_what_a_person_has_hidden_below_a_post_stays_hidden(desk: Desk) -> None:
    ref = desk.publish(Part(text="kept"), "key")
    follows = [{"$type": "app.bsky.feed.threadgate#followingRule"}]
    written(desk, ref, REPLIES, allow=follows, hiddenReplies=[QUOTED])
    undoing, came = lay(desk, CLOSE, ref, looked(desk, CLOSE, ref))
    assert came == Accepted(200)
    found = gate_of(desk, ref, REPLIES)
    assert found is not None
    assert (found["allow"], found["hiddenReplies"]) == ([], [QUOTED])
    more = f"{QUOTED[:-1]}b"
    written(desk, ref, REPLIES, allow=[], hiddenReplies=[QUOTED, more])  # meanwhile, by hand
    assert lift(desk, ref, undoing) == Accepted(200)
    found = gate_of(desk, ref, REPLIES)
    assert found is not None
    assert (found["allow"], found["hiddenReplies"]) == (follows, [QUOTED, more])


def test_a_gate_that_changed_since_it_was_read_is_not_written_over(desk: Desk) -> None:
    ref = desk.publish(Part(text="kept"), "key")
    seen = looked(desk, CLOSE, ref)
    written(desk, ref, REPLIES, hiddenReplies=[QUOTED])
    for answers in (seen, {}):  # what was read is old; nothing could be read
        _, came = lay(desk, CLOSE, ref, answers)
        assert isinstance(came, Rejected)
        found = gate_of(desk, ref, REPLIES)
        assert found is not None
        assert "allow" not in found
    assert desk.emergency.limited(CLOSE, ref) is Presence.THERE


def test_known_quotes_are_detached_beside_those_that_already_were_and_come_back(desk: Desk) -> None:
    ref = desk.publish(Part(text="kept"), "key")
    written(desk, ref, QUOTES, detachedEmbeddingUris=[QUOTED])
    others = [f"{QUOTED[:-1]}{letter}" for letter in "bcd"]
    quotes = Answer(status=200, body=json.dumps({"posts": [{"uri": one} for one in [*others, "no uri", 7]]}).encode())
    undoing, came = lay(desk, DETACH, ref, {**looked(desk, DETACH, ref), "quotes": quotes})
    assert came == Accepted(200)
    found = gate_of(desk, ref, QUOTES)
    assert found is not None
    assert found["detachedEmbeddingUris"] == [QUOTED, *others]
    assert lift(desk, ref, undoing) == Accepted(200)
    found = gate_of(desk, ref, QUOTES)
    assert found is not None
    assert (found["detachedEmbeddingUris"], "embeddingRules" in found) == ([QUOTED], False)


def test_a_reply_cannot_be_closed_and_the_first_post_is_named(desk: Desk) -> None:
    first = desk.publish(Part(text="first"), "key")
    second = desk.publish(Part(text="second"), "key-2", reply_to=first.id)
    with pytest.raises(Refusal, match="reply itself") as told:
        desk.emergency.prepare(CLOSE, second, looked(desk, CLOSE, second))
    assert first.id in str(told.value.fix)


def test_a_gate_can_be_laid_for_no_other_post_and_under_no_deletion(desk: Desk) -> None:
    ref, other = desk.publish(Part(text="kept"), "key"), desk.publish(Part(text="other"), "key-2")
    undoing = desk.emergency.prepare(CLOSE, other, looked(desk, CLOSE, other))
    for says in (undoing.says, frozenset[str]()):
        target = ref if says else other
        with (
            declare(intents.retracting(desk.account, target.id, says)) as receipt,
            pytest.raises(Exception, match=r"."),
        ):
            desk.emergency.retract(CLOSE, other, undoing)
        assert isinstance(verdict_of_retract(receipt), WasStopped)
    assert gate_of(desk, other, REPLIES) is None


def test_a_deleted_post_is_gone_whatever_its_gate_says(desk: Desk) -> None:
    ref = desk.publish(Part(text="wrong"), "key")
    lay(desk, CLOSE, ref, looked(desk, CLOSE, ref))
    desk.take_down(Decision.DELETE, ref)
    assert desk.emergency.limited(CLOSE, ref) is Presence.GONE


def test_a_post_goes_out_with_its_gates_in_one_commit_and_once(desk: Desk) -> None:
    upload = desk.upload(DOT, PICTURE)
    part = Part(text="announcement", media=(PICTURE,), visibility="close-replies+detach-quotes")
    assert not desk.adapter.check(part, desk.adapter.limits())
    with declare(desk.intent()) as receipt:
        ref = desk.adapter.publish(part, "key", uploads=(upload,))
    assert [trace.path.rpartition(".")[2] for trace in receipt.traces if trace.kind == "publish"] == ["applyWrites"]
    assert verdict(receipt) == Accepted(200)
    for decision in (CLOSE, DETACH):
        assert desk.emergency.limited(decision, ref) is Presence.LIMITED
    before = desk.pds.revision(desk.brand)
    assert desk.publish(part, "key", uploads=(upload,)) == ref
    assert desk.pds.revision(desk.brand) == before
    assert desk.adapter.find(part, since=0, known=frozenset(), key="key") == ref


def test_a_post_with_gates_that_arrives_twice_is_one_post_and_the_second_is_in_doubt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(text="announcement", visibility="detach-quotes")
    ref = desk.publish(part, "key")
    monkeypatch.setattr(desk.adapter, "_stored", lambda _: None)  # the first arrived after the look
    with declare(desk.intent()) as receipt, pytest.raises(Doubt):
        desk.adapter.publish(part, "key")
    assert isinstance(verdict(receipt), Uncertain)
    assert [one["uri"] for one in desk.pds.posts(desk.brand)] == [ref.id]


def test_of_a_thread_only_the_first_part_closes_the_replies_and_the_next_still_goes_out(desk: Desk) -> None:
    part = Part(text="one", visibility="close-replies")
    first = desk.publish(part, "key")
    second = desk.publish(Part(text="two", visibility="close-replies"), "key-2", reply_to=first.id)
    assert gate_of(desk, first, REPLIES) is not None
    assert gate_of(desk, second, REPLIES) is None


@pytest.mark.parametrize("visibility", ["private", "close-replies+", "close-replies+close-replies", "lock", "+"])
def test_a_visibility_that_bluesky_has_not_is_refused_with_what_it_has(desk: Desk, visibility: str) -> None:
    (problem,) = desk.adapter.check(Part(text="x", visibility=visibility), desk.adapter.limits())
    assert problem.field == "visibility"
    assert "close-replies" in problem.message


def test_a_gate_that_says_nonsense_is_not_taken_for_a_limit() -> None:
    nonsense: tuple[dict[str, Any], ...] = (
        {},
        {"allow": None},
        {"allow": [1]},
        {"embeddingRules": "x"},
        {"embeddingRules": [{"$type": "x"}, 3]},
    )
    for value in nonsense:
        assert not gates.in_force(REPLIES, value)
        assert not gates.in_force(QUOTES, value)
