"""Publishing on X, against its double, through the real gate and the real library: one create, whatever happens."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.adapter import Kind, Readiness
from guardian.errors import ConfigMistake, Doubt, PlatformRefusal, TokenRefused
from guardian.gate.intents import declare
from guardian.gate.verdicts import Accepted, NotSent, Rejected, Shut, Stopped, Throttled, Uncertain, verdict_of_upload
from guardian.model import Part
from tests.adapters.x_stage import NOBODY, PNG, Stage, account_of, now, picture, stage, x

if TYPE_CHECKING:
    from tests.doubles.x import XDouble

__all__ = ["stage", "x"]
GERMAN = (503, {"title": "Dienst nicht verfügbar", "detail": "Überlastet", "type": "about:blank", "status": 503})


def test_a_post_goes_through_once_and_has_a_public_address(stage: Stage) -> None:
    ref = stage.published("Fresh bread & <butter>")
    assert ref.url == f"https://x.com/acme/status/{ref.id}"
    assert stage.x.live() == ["Fresh bread & <butter>"]
    assert len(stage.x.creates()) == 1


def test_a_thread_is_a_chain_of_replies_to_ourselves(stage: Stage) -> None:
    first = stage.published("One")
    second = stage.published("Two", reply_to=first.id)
    assert stage.x.creates()[1].body["reply"] == {"in_reply_to_tweet_id": first.id}
    found = stage.adapter.find(Part(text="Two"), since=now() - 1000, known=NOBODY, reply_to=first.id)
    assert found == second


def test_who_may_reply_is_told_and_public_is_the_default(stage: Stage) -> None:
    stage.published("One", visibility="mentionedUsers")
    stage.published("Two", visibility="public")
    assert [one.body.get("reply_settings") for one in stage.x.creates()] == ["mentionedUsers", None]


def test_a_picture_is_there_with_its_description_before_the_post_shows_it(stage: Stage) -> None:
    key = stage.upload(alt="A loaf of bread")
    assert stage.x.changes() == [("POST", "/2/media/upload"), ("POST", "/2/media/metadata")]
    assert stage.x.media[key]["alt_text"] == "A loaf of bread"
    assert stage.adapter.ready(key) is Readiness.READY
    ref = stage.published("Look", media=(picture(),), uploads=(key,))
    found = stage.adapter.find(Part(text="Look", media=(picture(),)), since=now() - 1000, known=NOBODY)
    assert found == ref
    assert stage.adapter.find(Part(text="Look"), since=now() - 1000, known=NOBODY) is None


def test_a_picture_whose_description_was_not_taken_is_none(stage: Stage) -> None:
    stage.x.fault("answer", path="/2/media/metadata", status=400, body={"detail": "no", "type": "about:blank"})
    with declare(stage.intent(Kind.UPLOAD)) as receipt, pytest.raises(Exception, match="400"):
        stage.adapter.upload(PNG, picture())
    assert isinstance(verdict_of_upload(receipt), Rejected)


def test_a_picture_that_x_works_on_is_asked_for_until_it_is_done(stage: Stage) -> None:
    def said(state: str) -> dict[str, Any]:
        return {"status": 200, "body": {"data": {"id": "12", "processing_info": {"state": state}}}}

    stage.x.fault("answer", path="/2/media/upload", **said("pending"))
    key = stage.upload(alt=None)
    for state, readiness in (
        ("in_progress", Readiness.PROCESSING),
        ("failed", Readiness.FAILED),
        ("succeeded", Readiness.READY),
    ):
        stage.x.fault("answer", method="GET", path="/2/media/upload", **said(state))
        assert stage.adapter.ready(key) is readiness


@pytest.mark.parametrize("fault", [{"kind": "slow", "seconds": 1.5}, {"kind": "lose"}])
def test_a_create_whose_answer_does_not_come_has_left_once_and_is_found_again(
    stage: Stage, fault: dict[str, Any]
) -> None:
    began = now()
    stage.x.fault(**fault)
    ref, found = stage.publish("See https://example.com/launch?a=1&b=2 and example.org")
    assert ref is None
    assert isinstance(found, Uncertain)
    assert len(stage.x.creates()) == 1
    part = Part(text="See https://example.com/launch?a=1&b=2 and example.org")
    again = stage.adapter.find(part, since=began, known=NOBODY)
    assert again is not None
    assert again.id in stage.x.posts


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_uncertain_and_nothing_is_sent_twice(stage: Stage, status: int) -> None:
    for kind in ("answer", "answer_after"):
        stage.x.fault(kind, status=status, body=GERMAN[1])
        assert isinstance(stage.publish(f"Bread {kind}")[1], Uncertain)
    assert len(stage.x.creates()) == 2
    assert stage.x.live() == ["Bread answer_after"]


def test_a_twin_that_x_refuses_may_be_the_lost_post_and_is_looked_for(stage: Stage) -> None:
    began = now()
    stage.x.fault("lose")
    stage.publish("Fresh bread")
    ref, found = stage.publish("Fresh bread")
    assert ref is None
    assert found == Uncertain("X answered that it has these words already: they may be this very post")
    again = stage.adapter.find(Part(text="Fresh bread"), since=began, known=NOBODY)
    assert again is not None
    assert stage.x.live() == ["Fresh bread"]


def test_an_old_twin_is_not_taken_for_the_lost_post(stage: Stage) -> None:
    old = stage.published("Fresh bread")
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Uncertain)
    assert stage.adapter.find(Part(text="Fresh bread"), since=now(), known=frozenset({old.id})) is None
    assert stage.adapter.find(Part(text="Fresh bread"), since=now() + 3_600_000, known=NOBODY) is None


def test_a_post_that_is_not_listed_yet_is_found_when_it_is(stage: Stage) -> None:
    stage.x.shelf.lag = 1
    began = now()
    ref = stage.published("Fresh bread")
    assert stage.adapter.find(Part(text="Fresh bread"), since=began, known=NOBODY) is None
    assert stage.adapter.find(Part(text="Fresh bread"), since=began, known=NOBODY) == ref


def test_without_credit_the_account_is_shut_and_the_words_say_what_to_do(stage: Stage) -> None:
    stage.x.accounts["acme"].credit = False
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Shut)
    assert "no credit" in found.why
    assert "https://console.x.com" in found.why
    with pytest.raises(PlatformRefusal, match=r"no credit at X left, do buy credit"):
        stage.adapter.whoami()
    with pytest.raises(PlatformRefusal):
        stage.adapter.find(Part(text="Fresh bread"), since=now(), known=NOBODY)
    assert stage.x.live() == []


def test_a_suspended_account_is_shut_and_so_is_an_app_that_may_only_read(stage: Stage) -> None:
    stage.x.accounts["acme"].may_write = False
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Shut)
    assert "Read and write" in found.why
    stage.x.accounts["acme"].suspended = True
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Shut)
    assert "suspended the account" in found.why
    with pytest.raises(PlatformRefusal, match="suspended"):
        stage.adapter.whoami()


def test_an_answer_with_200_and_errors_is_no_post(stage: Stage) -> None:
    stage.x.fault("answer", status=200, body={"errors": [{"title": "Something", "detail": "went wrong"}]})
    ref, found = stage.publish("Fresh bread")
    assert ref is None
    assert found == Accepted(200)  # and whoever settles it without a post calls it unknown


def test_a_plain_no_is_one_and_carries_the_words_of_x(stage: Stage) -> None:
    body = {"detail": "Reply to this conversation is not allowed because you have not been mentioned", "status": 403}
    stage.x.fault("answer", status=403, body=body)
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Rejected)
    assert not isinstance(found, Shut)
    assert "not been mentioned" in found.why


def test_too_many_requests_are_waited_for_until_the_time_that_x_states(stage: Stage) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(time.time()) + 90)}
    stage.x.fault("answer", status=429, body={"title": "Too Many Requests", "status": 429}, headers=headers)
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Throttled)
    assert found.after is not None
    assert 80 < found.after <= 91


def test_a_gate_that_closes_between_the_upload_and_the_create_lets_no_create_out(stage: Stage) -> None:
    key = stage.upload()
    intent = stage.intent()
    Path(stage.house.permit("all")).unlink()
    with declare(intent), pytest.raises(Exception, match=r"all"):
        stage.adapter.publish(Part(text="Look", media=(picture(),)), "key", uploads=(key,))
    assert stage.x.creates() == []
    assert isinstance(stage.adapter.whoami().handle, str)  # reading goes on


def test_a_gate_that_closes_between_the_picture_and_its_description_stops_the_description(stage: Stage) -> None:
    intent = stage.intent(Kind.UPLOAD)
    stage.x.fault("slow", path="/2/media/upload", seconds=0)
    ask = stage.adapter._uploads._ask

    def closing(*args: object, **said: object) -> object:
        answer = ask(*args, **said)
        Path(stage.house.permit("all")).unlink(missing_ok=True)
        return answer

    stage.adapter._uploads._ask = closing
    with declare(intent) as receipt, pytest.raises(Exception, match=r"."):
        stage.adapter.upload(PNG, picture())
    assert isinstance(verdict_of_upload(receipt), Stopped)
    assert stage.x.changes() == [("POST", "/2/media/upload")]


def test_a_closed_port_is_surely_not_sent(stage: Stage) -> None:
    stage.x.close()
    assert isinstance(stage.publish("Fresh bread")[1], NotSent)


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Part(text="x" * 281), "text"),
        (Part(text="日" * 141), "text"),
        (Part(text="x" * 257 + " example.com"), "text"),
        (Part(text="a\ufeffb"), "text"),
        (Part(text="  "), "text"),
        (Part(text="x", warning="spoiler"), "warning"),
        (Part(text="x", visibility="unlisted"), "visibility"),
        (Part(text="x", media=tuple(picture(PNG + bytes([nr])) for nr in range(5))), "media"),
        (Part(text="x", media=(picture(kind="video/quicktime"),)), "media1"),
        (Part(text="x", media=(picture(kind="image/gif"),)), "media1"),
        (Part(text="x", media=(picture(alt="x" * 1001),)), "media1_alt"),
    ],
)
def test_what_x_would_refuse_is_a_problem_before_it_is_asked(stage: Stage, part: Part, field: str) -> None:
    limits = stage.adapter.limits()
    asked = len(stage.x.asked)
    assert [one.field for one in stage.adapter.check(part, limits)] == [field]
    assert len(stage.x.asked) == asked


@pytest.mark.parametrize(
    "part",
    [
        Part(text="x" * 280),
        Part(text="日" * 140),
        Part(text="x" * 256 + " https://example.com/" + "long/" * 100),
        Part(text="", media=(picture(),)),
        Part(text="x", visibility="verified"),
        Part(text="x", media=tuple(picture(PNG + bytes([nr])) for nr in range(4))),
    ],
)
def test_what_x_would_take_is_no_problem(stage: Stage, part: Part) -> None:
    assert list(stage.adapter.check(part, stage.adapter.limits())) == []


def test_keys_that_x_refuses_are_said_to_be_refused_and_what_to_do(stage: Stage) -> None:
    stage.x.accounts["acme"].revoked = True
    with pytest.raises(TokenRefused, match=r"make new ones at https://console\.x\.com"):
        stage.adapter.whoami()
    assert isinstance(stage.publish("Fresh bread")[1], Rejected)


@pytest.mark.parametrize("key", ["consumer_key", "consumer_secret", "access_token", "access_token_secret"])
def test_each_of_the_four_keys_counts(stage: Stage, key: str) -> None:
    adapter = stage.adapter_for(account_of(stage.x, **{key: stage.x.accounts["other"].keys[key]}))
    with pytest.raises(TokenRefused):
        adapter.whoami()


def test_the_keys_of_another_account_are_seen_to_be_another_accounts(stage: Stage) -> None:
    adapter = stage.adapter_for(account_of(stage.x, **stage.x.accounts["other"].keys))
    assert adapter.whoami().handle == "@other"


@pytest.mark.parametrize(("ahead", "side"), [(900.0, "behind"), (-900.0, "ahead of")])
def test_a_clock_that_is_too_wrong_to_sign_with_is_named_as_the_reason(stage: Stage, ahead: float, side: str) -> None:
    stage.x.ahead = ahead
    with pytest.raises(PlatformRefusal, match=rf"our clock is 1[45] minutes {side} X's.*do set this machine's clock"):
        stage.adapter.whoami()
    _, found = stage.publish("Fresh bread")
    assert isinstance(found, Shut)
    assert "clock" in found.why
    stage.x.ahead = ahead / 9  # what X still takes
    stage.adapter.whoami()


def test_an_answer_that_is_none_is_a_doubt_and_never_an_absence(stage: Stage) -> None:
    stage.adapter.whoami()
    path = "/2/users/[0-9]+/tweets"
    answers: tuple[dict[str, Any], ...] = (
        {"status": 503, "body": "busy"},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": {}},
        {"status": 200, "body": {"meta": {"result_count": 3}}},
        {"status": 200, "body": {"errors": [{"detail": "no"}], "meta": {"result_count": 0}}},
        {"status": 200, "body": {"data": [{"text": "no id"}], "meta": {"result_count": 1}}},
        {"status": 302, "body": "", "headers": {"Location": "/elsewhere"}},
    )
    for said in answers:
        stage.x.fault("answer", method="GET", path=path, **said)
        with pytest.raises(Doubt):
            stage.adapter.find(Part(text="x"), since=now(), known=NOBODY)
    assert stage.adapter.find(Part(text="x"), since=now(), known=NOBODY) is None


def test_words_that_are_alike_and_not_the_same_are_a_doubt_for_a_person(stage: Stage) -> None:
    began = now()
    stage.published("The forty-first episode of our podcast is out, listen to it now")
    part = Part(text="The forty-second episode of our podcast is out, listen to it now")
    with pytest.raises(Doubt, match="alike"):
        stage.adapter.find(part, since=began, known=NOBODY)
    assert stage.adapter.find(Part(text="Bread"), since=began, known=NOBODY) is None


def test_a_post_beyond_the_first_page_is_found(stage: Stage) -> None:
    began = now()
    lost = stage.published("the lost one")
    for nr in range(101):
        stage.x.post_past_us(f"later {nr}")
    known = frozenset(set(stage.x.posts) - {lost.id})
    assert stage.adapter.find(Part(text="the lost one"), since=began, known=known) == lost


def test_the_own_posts_of_the_last_minutes_are_listed_with_their_words(stage: Stage) -> None:
    began = now() - 1000
    ref = stage.published("See https://example.com/ & more")
    (seen,) = stage.adapter.recent(since=began)
    assert (seen.ref, seen.text) == (ref, "See https://example.com/ & more")
    assert abs(seen.at - now()) < 60_000


def test_no_secret_is_in_an_error_a_receipt_or_a_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage.x.fault("answer", status=400, body="{")
    with declare(stage.intent()) as receipt, pytest.raises(Exception) as caught:  # noqa: PT011 (whatever it is)
        stage.adapter.publish(Part(text="Fresh bread"), "key")
    stage.x.accounts["acme"].revoked = True
    with pytest.raises(TokenRefused) as refused:
        stage.adapter.whoami()
    said = caplog.text + repr(receipt) + repr(caught.value) + str(refused.value) + repr(stage.account)
    for value in stage.x.accounts["acme"].keys.values():
        assert value not in said


def test_an_address_that_is_not_xs_is_refused_before_a_key_is_used(x: XDouble, stage: Stage) -> None:
    account = account_of(x)
    for url in ("https://api.x.example", "https://api.x.com.example", "https://x.com"):
        with pytest.raises(ConfigMistake, match=r"write base_url = \"https://api.x.com\""):
            stage.adapter_for(replace(account, base_url=url))
    for url in ("https://api.x.com", "https://api.twitter.com"):
        stage.adapter_for(replace(account, base_url=url))
