"""Reddit in an incident: what is looked at, what deleting and removing do, and what is believed of the reading back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import reddit_answers as answers_
from adapters.reddit import ABILITIES
from guardian.adapter import Answer
from guardian.errors import Mistake, Refusal
from guardian.gate.intents import declare, retracting
from guardian.gate.verdicts import Accepted, Rejected, verdict, verdict_of_retract
from guardian.gate.verdicts import Stopped as StoppedVerdict
from guardian.model import Decision, Native, Part, PostRef, Presence
from tests.adapters.reddit_double import PAGE, Next
from tests.adapters.reddit_room import Room, account_at, adapter_at, double, room

__all__ = ["double", "room"]

TEXT = Part(text="Fresh bread\n\nFrom six on.", visibility="r/acme")
ELSEWHERE = Part(text="Fresh bread\n\nFrom six on.", visibility="r/bread")
NATIVE = Native(id="1", due=1, text="", files=(), raw={})


def listed(**thing: Any) -> Answer:  # noqa: ANN401 (fields of JSON)
    whole = {"name": "t3_4bbe4b", "author": "acme_brand", "is_self": True, "selftext": "words", **thing}
    body = {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": whole}]}}
    return Answer(status=200, body=json.dumps(body).encode())


def test_every_look_is_one_request_and_the_page_is_asked_for_as_anybody_would(room: Room) -> None:
    ref = room.made(TEXT)
    before = len(room.double.log)
    answers = room.looked(ref)
    asked = room.double.log[before:]
    assert set(answers) == {"status", "account", "comments", "page"}
    assert len(asked) == 4
    (page,) = [one for one in asked if one.login == ""]
    assert f"{room.double.url}{page.path}/" == ref.url
    assert room.adapter.author(answers["status"].body) == room.adapter.whoami().id
    assert b"From six on." in answers["status"].body


def test_a_comment_is_looked_at_in_its_place_below_the_post(room: Room) -> None:
    first = room.made(TEXT)
    ref = room.made(Part(text="One more thing", follows=True), reply_to=first.id)
    (comments,) = [look for look in room.adapter.looks(ref) if look.name == "comments"]
    assert f"/comments/{first.id[3:]}/_/{ref.id[3:]}?" in comments.url
    assert [look.name for look in room.adapter.looks(PostRef(id=ref.id))] == ["status", "account"]


@pytest.mark.parametrize("kind", ["text", "comment"])
def test_a_deletion_is_one_request_that_names_the_post_alone_and_is_read_back_as_gone(room: Room, kind: str) -> None:
    ref = room.made(TEXT)
    if kind == "comment":
        ref = room.made(Part(text="One more thing", follows=True), reply_to=ref.id)
    assert room.adapter.presence(ref) is Presence.THERE
    for _ in range(2):  # and again does no harm
        undoing, receipt = room.take_down(ref, Decision.DELETE)
        assert (undoing.says, undoing.undo) == (frozenset(), None)
        assert verdict_of_retract(receipt) == Accepted(200)
    assert [one.said for one in room.double.asked("/api/del")] == [{"id": ref.id}] * 2
    assert room.adapter.presence(ref) is Presence.GONE


def test_a_moderator_removes_and_approves_again_and_it_is_no_deletion(room: Room) -> None:
    ref = room.made(TEXT)
    undoing, receipt = room.take_down(ref, Decision.HIDE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert room.double.asked("/api/remove")[0].said == {"id": ref.id, "spam": "false"}
    assert room.adapter.presence(ref) is Presence.VEILED
    assert undoing.undo is not None
    assert verdict(room.undo(ref, dict(undoing.undo))) == Accepted(200)
    assert room.adapter.presence(ref) is Presence.THERE
    with pytest.raises(Refusal, match="nothing that was done at Reddit"):
        room.undo(ref, {"unhide": ref.id})


def test_an_approval_is_publishing_and_does_not_pass_a_freeze(room: Room) -> None:
    ref = room.made(TEXT)
    undoing, _ = room.take_down(ref, Decision.HIDE)
    assert undoing.undo is not None
    intent = room.intent()
    room.freeze()
    with declare(intent) as receipt, pytest.raises(Exception, match="permit"):
        room.adapter.undo(ref, dict(undoing.undo))
    assert isinstance(verdict(receipt), StoppedVerdict)
    assert room.double.asked("/api/approve") == []


def test_where_we_do_not_moderate_nothing_is_hidden_and_nothing_is_asked_for_it(room: Room) -> None:
    ref = room.made(ELSEWHERE)
    with pytest.raises(Refusal, match="u/acme_brand is no moderator of r/bread"):
        room.take_down(ref, Decision.HIDE)
    room.double.moderated.add("bread")  # who moderates is asked each time
    room.double.things[ref.id]["can_mod_post"] = True
    room.take_down(ref, Decision.HIDE)
    assert room.adapter.presence(ref) is Presence.VEILED
    assert not [one for one in room.double.log if one.path in ("/api/hide", "/api/spoiler", "/api/lock")]


def test_what_others_removed_is_not_removed_by_us_because_undoing_that_would_show_it(room: Room) -> None:
    ref = room.made(TEXT)
    room.double.things[ref.id].update(removed_by_category="automod_filtered")
    with pytest.raises(Refusal, match="removed already"):
        room.take_down(ref, Decision.HIDE)


@pytest.mark.parametrize("status", [None, Answer(status=403, body=b"{}"), Answer(status=200, body=PAGE)])
def test_nothing_is_hidden_that_was_not_seen(room: Room, status: Answer | None) -> None:
    ref = room.made(TEXT)
    answers = {} if status is None else {"status": status}
    with pytest.raises(Refusal, match="nobody knows"):
        room.adapter.prepare(Decision.HIDE, ref, answers)


def test_a_retraction_reaches_its_own_post_and_no_other(room: Room) -> None:
    mine, other = room.made(TEXT), room.made(ELSEWHERE)
    undoing = room.adapter.prepare(Decision.DELETE, mine, {})
    with (
        declare(retracting(room.account, mine.id)) as receipt,
        pytest.raises(Exception, match="does not name the post"),
    ):
        room.adapter.retract(Decision.DELETE, other, undoing)
    assert isinstance(verdict_of_retract(receipt), StoppedVerdict)
    assert room.double.asked("/api/del") == []
    with pytest.raises(Refusal):
        room.adapter.retract(Decision.KEEP, mine, undoing)


def test_a_no_with_200_to_a_deletion_is_a_no(room: Room) -> None:
    ref = room.made(TEXT)
    no = {"json": {"errors": [["USER_REQUIRED", "Bitte melde dich an.", None]]}}
    room.double.next("/api/del", Next(body=no, made=False))
    _, receipt = room.take_down(ref, Decision.DELETE)
    found = verdict_of_retract(receipt)
    assert isinstance(found, Rejected)
    assert "USER_REQUIRED" in found.why
    assert room.adapter.presence(ref) is Presence.THERE


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (listed(), Presence.THERE),
        (listed(author="[deleted]", selftext="[deleted]"), Presence.GONE),  # as recorded in 2016
        (listed(author="[deleted]", selftext="[deleted]", removed_by_category="deleted"), Presence.GONE),
        (listed(author="[deleted]", is_self=False, selftext="", url="https://i.redd.it/x.png"), Presence.GONE),
        (listed(author="[deleted]", selftext="words"), Presence.THERE),  # an account that was deleted: its words stay
        (listed(removed_by_category="moderator"), Presence.VEILED),
        (listed(removed_by_category="automod_filtered"), Presence.VEILED),
        (listed(banned_by="somebody"), Presence.VEILED),
        (listed(removed=True), Presence.VEILED),
        (listed(name="t3_other"), Presence.UNKNOWN),
        (listed(name="t3_4bbe4c"), Presence.UNKNOWN),
        (Answer(status=200, body=b'{"kind": "Listing", "data": {"children": []}}'), Presence.UNKNOWN),
        (Answer(status=200, body=PAGE), Presence.UNKNOWN),
        (Answer(status=200, body=b"[]"), Presence.UNKNOWN),
        (Answer(status=403, body=listed().body), Presence.UNKNOWN),
        (Answer(status=404, body=b'{"message": "Not Found", "error": 404}'), Presence.UNKNOWN),
        (Answer(status=429, body=b""), Presence.UNKNOWN),
        (Answer(status=200, body=b'{"kind": "Listing", "data": {"children": [7, {"data": 7}]}}'), Presence.UNKNOWN),
    ],
)
def test_gone_there_and_removed_are_believed_in_reddits_own_form_alone(answer: Answer, wanted: Presence) -> None:
    assert answers_.presence(answer, "t3_4bbe4b") is wanted


def test_nobody_answers_and_nothing_is_known(room: Room) -> None:
    ref = room.made(TEXT)
    room.double.next("/api/info", Next(status=500))
    assert room.adapter.presence(ref) is Presence.UNKNOWN
    assert adapter_at(account_at("http://127.0.0.1:9")).presence(ref) is Presence.UNKNOWN


@pytest.mark.parametrize("bad", ["t3_", "t5_2qh1i", "4bbe4b", "t3_x&id=t3_4bbe4b", "t3_../../api/del", "t3_4B", ""])
def test_an_id_that_is_none_of_reddits_asks_for_nothing(room: Room, bad: str) -> None:
    before = len(room.double.log)
    for ask in (room.adapter.looks, room.adapter.presence):
        with pytest.raises(Mistake, match="none that Reddit gives"):
            ask(PostRef(id=bad))
    assert len(room.double.log) == before


def test_pictures_are_named_with_the_words_that_stand_below_them() -> None:
    items = [{"media_id": "a", "caption": "Bread"}, {"media_id": "b"}]
    metadata = {
        "a": {"e": "Image", "s": {"u": "https://preview.redd.it/a.png?s=1"}},
        "b": {"e": "AnimatedImage", "s": {"gif": "https://i.redd.it/b.gif"}},
        "c": {"status": "failed"},
    }
    found = answers_.files(listed(gallery_data={"items": items}, media_metadata=metadata).body)
    assert [(one.url, one.type, one.alt) for one in found] == [
        ("https://preview.redd.it/a.png?s=1", "image", "Bread"),
        ("https://i.redd.it/b.gif", "image", None),
    ]
    film = {"reddit_video": {"fallback_url": "https://v.redd.it/x/DASH_720.mp4"}}
    assert [one.type for one in answers_.files(listed(media=film).body)] == ["video"]
    picture = listed(post_hint="image", url="https://i.redd.it/x.png")
    assert [one.url for one in answers_.files(picture.body)] == ["https://i.redd.it/x.png"]
    assert answers_.files(listed(post_hint="image", url="javascript:alert(1)").body) == ()
    assert answers_.files(PAGE) == ()


def test_what_reddit_will_publish_itself_cannot_be_asked_and_that_is_said(room: Room) -> None:
    assert room.adapter.natives() is None
    assert not ABILITIES.lists_natives
    assert not ABILITIES.defers_natives
    assert "scheduled at Reddit itself" in " ".join(ABILITIES.unseen)
    with pytest.raises(Refusal):
        room.adapter.remove_native(NATIVE)
    with pytest.raises(Refusal):
        room.adapter.deferral(NATIVE, until=2)
    with pytest.raises(Refusal):
        room.adapter.defer_native(NATIVE, until=2)


@pytest.mark.parametrize("kind", ["text", "comment"])
def test_an_edit_before_a_deletion_says_one_fixed_thing_of_the_one_post_and_never_anything_else(
    room: Room, kind: str
) -> None:
    ref, other = room.made(TEXT), room.made(ELSEWHERE)
    if kind == "comment":
        ref = room.made(Part(text="One more thing", follows=True), reply_to=ref.id)
    undoing = room.adapter.prepare_overwriting(ref, room.looked(ref))
    assert undoing.ahead is not None
    assert (undoing.says, undoing.undo, undoing.ahead.undo) == (frozenset(), None, None)
    room.freeze()  # it passes one, as all that takes a post down
    with declare(retracting(room.account, ref.id, undoing.ahead.says)) as receipt:
        room.adapter.retract(Decision.DELETE, ref, undoing.ahead)
    assert verdict_of_retract(receipt) == Accepted(200)
    (asked,) = room.double.asked("/api/editusertext")
    assert asked.said == {"thing_id": ref.id, "text": "[withdrawn]", "api_type": "json"}
    assert room.adapter.presence(ref) is Presence.THERE
    for says, wrong in ((frozenset({"json"}), ref), (undoing.ahead.says, other)):
        with (
            declare(retracting(room.account, ref.id, says)) as receipt,
            pytest.raises(Exception, match=r"announced|name"),
        ):
            room.adapter.retract(Decision.DELETE, wrong, undoing.ahead)
        assert isinstance(verdict_of_retract(receipt), StoppedVerdict)
    assert len(room.double.asked("/api/editusertext")) == 1
    with declare(retracting(room.account, ref.id)):
        room.adapter.retract(Decision.DELETE, ref, undoing)
    assert room.adapter.presence(ref) is Presence.GONE


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (Part(text="Our shop\nhttps://acme.example/", visibility="r/acme"), "edits nothing"),
        (Part(text="A title alone", visibility="r/acme"), "title alone"),
    ],
)
def test_what_has_no_words_to_overwrite_is_deleted_by_one_request_and_a_note_says_so(
    room: Room, part: Part, why: str
) -> None:
    ref = room.made(part)
    undoing = room.adapter.prepare_overwriting(ref, room.looked(ref))
    assert undoing.ahead is None
    assert why in undoing.note
    unseen = room.adapter.prepare_overwriting(ref, {"status": Answer(status=503, body=b"")})
    assert unseen.ahead is not None
    with declare(retracting(room.account, ref.id, unseen.ahead.says)) as receipt:
        room.adapter.retract(Decision.DELETE, ref, unseen.ahead)
    assert isinstance(verdict_of_retract(receipt), Rejected) == ("shop" in part.text)


def test_what_reddit_calls_hide_is_never_offered_and_what_hides_nothing_is_not_called_hiding() -> None:
    acts = {act.name: act for act in ABILITIES.acts}
    assert set(acts) == {"delete", "remove", "lock", "spoiler"}
    assert "moderates" in acts["remove"].words
    assert "hides it from the one who asks" in acts["remove"].words
    assert not acts["delete"].reversible
    assert "Its title" in acts["delete"].words
    for name in ("lock", "spoiler"):
        assert acts[name].decision.is_limit
        assert acts[name].reversible
        assert "It hides nothing" in acts[name].words
