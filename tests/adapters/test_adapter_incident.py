"""Mastodon in an incident against the rehearsal platform, through the real gate: the platform's log is the witness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.mastodon_answers import WITHDRAWN
from guardian.adapter import Answer, Undoing
from guardian.errors import Mistake, Refusal
from guardian.fence import passage
from guardian.fence.passage import Stopped
from guardian.fence.stopping import Order, Stopping
from guardian.gate.accounts import makers
from guardian.gate.intents import declare, managing, retracting
from guardian.gate.verdicts import Accepted, verdict, verdict_of_retract
from guardian.model import Decision, PostRef, Presence
from tests.adapters.taking import (
    HOSTILE,
    PAGE,
    asked,
    behind,
    changes,
    front,
    looked,
    now,
    of,
    picture,
    published,
    seen_until_now,
    take_down,
    undo,
)  # fmt: skip
from tests.gate.gate_door import account_at, door, house, platform
from tests.independent.visit import lose_the_answer
from tests.torture.front import says

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.adapter import Adapter
    from tests.gate.gate_door import Door
    from tests.torture.front import Front

__all__ = ["behind", "door", "front", "house", "platform"]
FORMLIKE = "a=b&status=c;d%20+\n\n\u00fc\u0142 \U0001f469\u200d\U0001f467"


def test_a_deletion_is_one_request_and_the_post_and_its_files_are_gone(door: Door) -> None:
    ref = published(door, media=(picture("a loaf"),))
    status = door.adapter.fetch(door.adapter.looks(ref)[0]).body
    (file,) = door.adapter.files(status)
    before = seen_until_now(door.platform)
    undoing, receipt = take_down(door.adapter, door.account, ref, Decision.DELETE)
    assert undoing == Undoing()
    assert verdict_of_retract(receipt) == Accepted(200)
    assert changes(door.platform, before) == [("DELETE", f"/api/v1/statuses/{ref.id}")]
    assert door.adapter.presence(ref) is Presence.GONE
    assert door.session.get(file.url).status_code == 404
    assert (file.alt, file.type) == ("a loaf", "image")


def test_a_post_is_deleted_while_the_house_is_frozen_and_not_hidden_back_then(door: Door) -> None:
    veiled, gone = published(door, "one"), published(door, "two")
    undoing, _ = take_down(door.adapter, door.account, veiled, Decision.HIDE)
    assert undoing.undo is not None
    late = managing(door.account, passage.look(door.house, door.account.scopes))
    with Stopping(door.house, Order(("all",), "a test", "a test"), may_kill=False) as stop:
        assert stop.confirm()
    take_down(door.adapter, door.account, gone, Decision.DELETE)
    assert door.adapter.presence(gone) is Presence.GONE
    with pytest.raises(Stopped):
        undo(door.adapter, door.account, door.house, veiled, undoing.undo)
    with declare(late), pytest.raises(Stopped):  # announced before the stop
        door.adapter.undo(veiled, undoing.undo)
    assert door.adapter.presence(veiled) is Presence.VEILED


@pytest.mark.parametrize(
    "text", ["Fresh bread", HOSTILE, "a=b&status=c;d%20+\n\n\u00fc\u0142 \U0001f469\u200d\U0001f467"]
)
def test_a_veil_is_one_request_and_one_more_brings_all_of_it_back(door: Door, text: str) -> None:
    media = (picture(None), picture("a loaf \u202e<b>"))
    ref = published(door, text, media=media, warning="food", language="pl")
    was = of(ref.id, looked(door.adapter, ref))
    before = seen_until_now(door.platform)
    undoing, receipt = take_down(door.adapter, door.account, ref, Decision.HIDE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert changes(door.platform, before) == [("PUT", f"/api/v1/statuses/{ref.id}")]
    assert door.adapter.presence(ref) is Presence.VEILED
    veiled = of(ref.id, looked(door.adapter, ref))
    assert (veiled["content"], veiled["spoiler_text"], veiled["media_attachments"]) == (f"<p>{WITHDRAWN}</p>", "", [])
    assert (veiled["language"], veiled["sensitive"]) == ("pl", False)
    before = seen_until_now(door.platform)
    assert undoing.undo is not None
    kept = json.loads(json.dumps(undoing.undo))  # as the store keeps it
    assert verdict(undo(door.adapter, door.account, door.house, ref, kept)) == Accepted(200)
    assert changes(door.platform, before) == [("PUT", f"/api/v1/statuses/{ref.id}")]
    answers = looked(door.adapter, ref)
    again = of(ref.id, answers)
    for name in ("content", "spoiler_text", "sensitive", "language", "media_attachments"):
        assert again[name] == was[name]
    assert [one.alt for one in door.adapter.files(answers["status"].body)] == [None, "a loaf \u202e<b>"]
    assert json.loads(answers["source"].body)["text"] == text
    assert door.adapter.presence(ref) is Presence.THERE


@pytest.mark.outsider
def test_an_edited_post_comes_back_as_it_was_last_and_not_as_it_was_first(door: Door) -> None:
    ref = published(door, "as it was first")
    asked(door, "PUT", f"/api/v1/statuses/{ref.id}", {"status": "as it was last"})
    undoing, _ = take_down(door.adapter, door.account, ref, Decision.HIDE)
    assert undoing.undo is not None
    undo(door.adapter, door.account, door.house, ref, undoing.undo)
    answers = looked(door.adapter, ref)
    assert json.loads(answers["source"].body)["text"] == "as it was last"
    texts = [one["content"] for one in json.loads(answers["history"].body)]
    assert texts == [f"<p>{text}</p>" for text in ("as it was first", "as it was last", WITHDRAWN, "as it was last")]


def test_an_edit_needs_its_own_announcement_in_either_direction(door: Door) -> None:
    """What hides may not show again under its intent, nor the other way round: nothing of it reaches the platform."""
    ref = published(door)
    undoing = door.adapter.prepare(Decision.HIDE, ref, looked(door.adapter, ref))
    assert undoing.undo is not None
    before = seen_until_now(door.platform)
    with declare(retracting(door.account, ref.id, undoing.says)), pytest.raises(Stopped):
        door.adapter.undo(ref, undoing.undo)
    with declare(retracting(door.account, ref.id)), pytest.raises(Stopped):
        door.adapter.retract(Decision.HIDE, ref, undoing)
    with declare(retracting(door.account, "1", undoing.says)), pytest.raises(Stopped):
        door.adapter.retract(Decision.HIDE, ref, undoing)
    with pytest.raises(Stopped):
        door.adapter.retract(Decision.DELETE, ref, Undoing())
    assert changes(door.platform, before) == []
    assert door.adapter.presence(ref) is Presence.THERE


@pytest.mark.outsider
@pytest.mark.parametrize("word", ["poll", "boost", "quotes"])
def test_what_an_edit_would_spoil_is_refused_and_nothing_is_sent(door: Door, word: str) -> None:
    first = published(door, "the first")
    bodies: dict[str, tuple[str, object]] = {
        "poll": ("/api/v1/statuses", {"status": "?", "poll": {"options": ["a", "b"], "expires_in": 3600}}),
        "boost": (f"/api/v1/statuses/{first.id}/reblog", {}),
        "quotes": ("/api/v1/statuses", {"status": "this", "quoted_status_id": first.id}),
    }
    made = asked(door, "POST", *bodies[word])
    ref, before = PostRef(id=made["id"]), seen_until_now(door.platform)
    with pytest.raises(Refusal, match=word):
        take_down(door.adapter, door.account, ref, Decision.HIDE)
    assert changes(door.platform, before) == []
    take_down(door.adapter, door.account, ref, Decision.DELETE)
    assert door.adapter.presence(ref) is Presence.GONE
    assert door.adapter.presence(first) is Presence.THERE


def test_a_veil_over_what_nobody_has_seen_is_refused(door: Door) -> None:
    ref = published(door)
    answers = looked(door.adapter, ref)
    other = looked(door.adapter, published(door, "another"))
    page = Answer(status=200, body=b"<html>sign in</html>")
    for seen in ({}, {**answers, "status": page}, {**answers, "status": other["status"]}):
        with pytest.raises(Refusal, match="nobody knows what it shows"):
            door.adapter.prepare(Decision.HIDE, ref, seen)
    nothing = Answer(status=404, body=b'{"error":"Record not found"}')
    with pytest.raises(Refusal, match="cannot be edited"):
        door.adapter.prepare(Decision.HIDE, ref, {**answers, "source": nothing})
    with pytest.raises(Refusal):
        door.adapter.retract(Decision.KEEP, ref, Undoing())


def test_a_veil_whose_source_did_not_come_says_that_it_cannot_be_undone(door: Door) -> None:
    ref = published(door, language="pl")
    answers = looked(door.adapter, ref)
    late = Answer(status=503, body=b"")
    for seen in ({"status": answers["status"]}, {**answers, "source": late}, {**answers, "source": answers["account"]}):
        assert door.adapter.prepare(Decision.HIDE, ref, seen) == Undoing(says=frozenset({WITHDRAWN, "pl"}))


def test_the_looks_are_made_at_once_and_say_what_the_platform_says(door: Door) -> None:
    ref = published(door, HOSTILE)
    door.platform.stir(ref.id, replies=3, boosts=2, quotes=1, texts=[HOSTILE])
    answers = looked(door.adapter, ref)
    looks = {look.name: look for look in door.adapter.looks(ref)}
    assert {answer.status for answer in answers.values()} == {200}
    assert door.adapter.author(answers["status"].body) == door.adapter.whoami().id
    assert json.loads(answers["account"].body)["id"] == door.adapter.whoami().id
    assert len(json.loads(answers["context"].body)["descendants"]) == 3
    assert len(json.loads(answers["quotes"].body)) == 1
    assert of(ref.id, answers)["reblogs_count"] == 2
    assert [name for name, look in looks.items() if look.essential] == [
        "status", "source", "history", "account", "context",
    ]  # fmt: skip
    assert [name for name, look in looks.items() if not look.token] == ["page", "activity"]
    assert [name for name, look in looks.items() if look.others] == ["context", "quotes"]


def test_no_look_leads_to_another_host_and_no_token_is_shown_in_public(behind: Adapter, front: Front) -> None:
    elsewhere = behind.looks(PostRef(id="115", url="https://elsewhere.example/@acme/115"))
    assert all(look.url.startswith(front.url) for look in elsewhere)
    assert {"page", "activity"}.isdisjoint(look.name for look in elsewhere)
    looks = behind.looks(PostRef(id="115", url=f"{front.url}/@acme/115"))
    for look in looks:
        behind.fetch(look)
    tokens = [b"rehearsal-acme" in one.letter for one in front.seen]
    assert tokens == [look.token for look in looks]
    assert len(front.seen) == len(looks)


def test_a_look_does_not_disturb_a_search_that_another_thread_is_in(door: Door) -> None:
    """`find` and `recent` believe what the last answer was; a look is not to be that one."""
    ref = published(door)
    adapter: Any = door.adapter
    list(adapter.recent(since=now() - 60_000))
    assert adapter._lists is True
    adapter.fetch(adapter.looks(ref)[0])
    assert adapter._lists is True


@pytest.mark.parametrize("platform_id", ["", "1/2", "../accounts/1", "1?x=1", "1#", "1 2", "\u0661", "x" * 101])
def test_an_id_that_could_name_another_path_is_asked_for_nowhere(door: Door, platform_id: str) -> None:
    before = seen_until_now(door.platform)
    ref = PostRef(id=platform_id)
    for ask in (door.adapter.looks, door.adapter.presence):
        with pytest.raises(Mistake):
            ask(ref)
    with declare(retracting(door.account, platform_id)), pytest.raises(Mistake):
        door.adapter.retract(Decision.DELETE, ref, Undoing())
    assert seen_until_now(door.platform) == before


def test_a_deleted_post_that_is_still_served_is_still_there(door: Door) -> None:
    ref = published(door)
    door.platform.fault("lingers", reads=1)
    _, receipt = take_down(door.adapter, door.account, ref, Decision.DELETE)
    assert verdict_of_retract(receipt) == Accepted(200)
    assert door.adapter.presence(ref) is Presence.THERE
    assert door.adapter.presence(ref) is Presence.GONE


@pytest.mark.parametrize(
    "answer",
    [
        says(PAGE % b"404 Not Found"),
        says(PAGE % b"200 OK"),
        says(b"HTTP/1.1 302 Found\r\nLocation: /auth/sign_in\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"),
        says(b"garbage\r\n\r\n"),
        says(),
    ],
    ids=["page 404", "login", "redirect", "502", "cut", "garbage", "nothing"],
)
def test_what_stands_between_us_and_the_platform_cannot_say_that_a_post_is_gone(
    door: Door, behind: Adapter, front: Front, answer: Callable[[Any], None]
) -> None:
    ref = published(door)
    front.acts_for_reads.append(answer)
    assert behind.presence(ref) is Presence.UNKNOWN
    assert len(front.seen) == 1  # a redirect is not followed, nothing is asked twice
    assert behind.presence(ref) is Presence.THERE


@pytest.mark.parametrize("decision", [Decision.DELETE, Decision.HIDE])
@pytest.mark.parametrize(
    "answer",
    [
        says(b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /api/v1/statuses/1\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 303 See Other\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
        says(PAGE % b"200 OK", made=True),
        says(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=["308", "303", "429", "500", "page", "401"],
)
def test_whatever_comes_back_one_retracting_request_was_sent_and_no_more(
    door: Door, behind: Adapter, front: Front, answer: Callable[[Any], None], decision: Decision
) -> None:
    ref = published(door)
    front.acts.append(answer)
    answers = looked(behind, ref)
    take_down(behind, account_at(front.url), ref, decision, answers=answers)
    assert [one.line.partition(" ")[0] for one in front.seen if one.changes] == [
        "DELETE" if decision is Decision.DELETE else "PUT"
    ]


def test_a_retracting_request_whose_answer_is_lost_is_sent_once(door: Door, behind: Adapter, front: Front) -> None:
    ref = published(door)

    front.acts.append(lose_the_answer)
    with pytest.raises(Exception, match=r".") as lost:
        take_down(behind, account_at(front.url), ref, Decision.DELETE)
    assert not isinstance(lost.value, Stopped)
    assert [one for one in changes(door.platform) if one[0] == "DELETE"] == [("DELETE", f"/api/v1/statuses/{ref.id}")]
    assert behind.presence(ref) is Presence.GONE


def test_what_can_be_done_is_said_for_every_decision() -> None:
    abilities = makers()["mastodon"].abilities
    said = {act.decision: act for act in abilities.acts}
    assert set(said) == {Decision.DELETE, Decision.HIDE}
    assert (said[Decision.DELETE].reversible, said[Decision.HIDE].reversible) == (False, True)
    assert "edit history" in said[Decision.HIDE].words
    assert (abilities.budget.count, abilities.budget.window) == (30, 1_800_000)
    assert any("scheduled at the server" in one for one in abilities.unseen)
