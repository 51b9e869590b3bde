"""One post leaves once, whatever the library would do by itself: the double's log of creates is the witness."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from prawcore.rate_limit import RateLimiter
from prawcore.sessions import FiniteRetryStrategy

from adapters.reddit_client import NoSleep
from guardian.adapter import Kind
from guardian.gate.intents import declare
from guardian.gate.verdicts import NotSent, Rejected, Stopped, Uncertain
from guardian.model import Decision, Part
from tests.adapters.reddit_double import STORAGE, TOKEN, Next
from tests.adapters.reddit_room import GIF, Room, account_at, adapter_at, double, now, picture, room

if TYPE_CHECKING:
    from prawcore import Session as Core

    from guardian.gate.intents import Receipt

__all__ = ["double", "room"]

TEXT = Part(text="Fresh bread\n\nFrom six on.", visibility="r/acme")
GALLERY = Part(text="Fresh bread", visibility="r/acme", media=(picture(), picture(mark="1")))
FIRST = "t3_1abc01"


def core_of(room: Room) -> Core:
    return room.adapter._client.core


@pytest.mark.parametrize(
    ("part", "path", "more"),
    [
        (TEXT, "/api/submit", {}),
        (Part(text="Our shop\nhttps://acme.example/", visibility="r/acme"), "/api/submit", {}),
        (Part(text="Yes", follows=True), "/api/comment", {"reply_to": FIRST}),
        (GALLERY, "/api/submit_gallery_post.json", {"uploads": ["a https://x/a", "b https://x/b"]}),
    ],
    ids=["text", "link", "comment", "gallery"],
)
@pytest.mark.parametrize(
    "what",
    [
        Next(after=1.4),
        Next(status=503, body=b"upstream connect error"),
        Next(status=500, body={"message": "Internal Server Error", "error": 500}),
        Next(status=502),
        Next(status=504),
        Next(status=408),
        Next(status=520),
        Next(status=522),
        Next(status=409, body={"message": "Conflict", "error": 409}),
    ],
    ids=["slow", "503", "500", "502", "504", "408", "520", "522", "409"],
)
def test_an_answer_that_does_not_come_or_says_nothing_leaves_one_create_and_a_post_that_is_found(
    room: Room, what: Next, part: Part, path: str, more: dict[str, Any]
) -> None:
    room.double.add({"subreddit": "acme", "title": "The first", "is_self": True, "selftext": ""})
    since = now()
    room.double.next(path, what)
    found = room.publish(part, **more)
    assert isinstance(found.verdict, Uncertain)
    assert found.ref is None
    assert len(room.double.creates) == 1
    reply_to = FIRST if part.follows else None
    ref = room.adapter.find(part, since=since, known=frozenset({FIRST}), reply_to=reply_to)
    assert ref is not None
    assert ref.id in room.double.things
    assert len(room.double.creates) == 1


def test_the_library_as_it_comes_would_send_it_again_and_the_gate_refuses_the_second(room: Room) -> None:
    """The recipe is the first fence and the gate is the second: an intent is good for one create."""
    core_of(room)._retry_strategy_class = FiniteRetryStrategy
    room.double.next("/api/submit", Next(status=503))
    found = room.publish(TEXT)
    assert isinstance(found.verdict, Uncertain)
    assert len(room.double.creates) == 1


def test_a_token_that_was_taken_away_makes_one_try_that_surely_made_nothing_and_the_next_has_a_new_one(
    room: Room,
) -> None:
    room.double.token = "access-2"
    found = room.publish(TEXT)
    assert found.verdict == Rejected(found.verdict.why, 401)  # type: ignore[union-attr]
    assert room.double.things == {}
    assert room.publish(TEXT).ref is not None
    assert [one.login for one in room.double.creates] == [f"bearer {TOKEN}", "bearer access-2"]


def test_a_gate_that_closes_between_the_upload_and_the_post_lets_no_post_out(room: Room) -> None:
    upload, _ = room.upload()
    intent = room.intent()
    room.freeze()
    found = room.publish(Part(text="Fresh bread", media=(picture(),)), intent, uploads=[upload])
    assert isinstance(found.verdict, Stopped)
    assert room.double.creates == []


def test_a_gate_that_closes_between_the_lease_and_the_storage_carries_no_picture_out(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = room.adapter._client
    hand_over = client.hand_over

    def frozen_meanwhile(*said: object) -> object:
        room.freeze()
        return hand_over(*said)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "hand_over", frozen_meanwhile)
    upload, found = room.upload()
    assert upload is None
    assert isinstance(found, Stopped)
    assert len(room.double.asked("/api/media/asset.json")) == 1
    assert [one for one in room.double.log if one.host == STORAGE] == []
    assert room.double.creates == []


def test_a_gate_that_closes_while_the_library_sleeps_lets_no_post_out(room: Room) -> None:
    """With the library's own limiter, which we do not use: the gate sits below its sleep, too."""
    core_of(room)._rate_limiter = limiter = RateLimiter(window_size=600)
    spent = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "1"}
    limiter.update(response_headers=spent)
    intent, began = room.intent(), time.monotonic()
    stop = threading.Timer(0.2, room.freeze)
    stop.start()
    found = room.publish(TEXT, intent)
    stop.join()
    assert time.monotonic() - began > 0.5  # it slept
    assert isinstance(found.verdict, Stopped)
    assert room.double.creates == []


def test_our_client_never_sleeps_by_what_headers_say_nor_stumbles_over_them(room: Room) -> None:
    assert isinstance(core_of(room)._rate_limiter, NoSleep)
    room.double.limits = {"x-ratelimit-remaining": "0", "x-ratelimit-used": "many", "x-ratelimit-reset": "600.5"}
    began = time.monotonic()
    assert room.publish(TEXT).ref is not None
    assert room.publish(TEXT).ref is not None
    assert time.monotonic() - began < 60


def test_nobody_listens_and_surely_nothing_was_sent(room: Room) -> None:
    room.adapter = adapter_at(account_at("http://127.0.0.1:9"))
    assert isinstance(room.publish(TEXT).verdict, NotSent)


def test_a_frozen_house_deletes_and_looks_and_logs_in_and_posts_and_uploads_nothing(room: Room) -> None:
    ref, intents = room.made(TEXT), [room.intent(), room.intent(Kind.UPLOAD)]
    room.freeze()
    room.adapter = adapter_at(room.account)
    before = len(room.double.creates)
    _, receipt = room.take_down(ref, Decision.DELETE)
    assert receipt.retracting is not None
    assert receipt.retracting.status == 200
    assert room.double.things[ref.id]["author"] == "[deleted]"
    assert isinstance(room.publish(TEXT, intents[0]).verdict, Stopped)
    with declare(intents[1]) as uploading, pytest.raises(Exception, match="permit"):
        room.adapter.upload(GIF, picture())
    assert all_stopped(uploading)
    assert len(room.double.creates) == before


def all_stopped(receipt: Receipt) -> bool:
    return {trace.fate.name for trace in receipt.traces if trace.kind is Kind.UPLOAD} == {"STOPPED"}
