"""What X may answer: anything. None of it breaks us, and nothing but X's plain word is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from adapters import x_answers, x_words
from adapters.likeness import Likeness
from adapters.x_session import explained
from guardian.adapter import Answer, Kind, Meaning
from guardian.errors import Doubt
from guardian.model import Presence

NAMES = (
    "data", "errors", "includes", "media", "meta", "result_count", "next_token", "id", "text", "type", "title",
    "detail", "code", "message", "resource_id", "value", "created_at", "entities", "urls", "url", "expanded_url",
    "media_key", "attachments", "media_keys", "referenced_tweets", "variants", "bit_rate", "content_type", "alt_text",
    "author_id", "processing_info", "state", "username",
)  # fmt: skip
LEAVES = (
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=8)
    | strategies.sampled_from(("123", "https://t.co/a", "video/mp4", "replied_to", "2026-11-20T10:00:00.000Z", "9" * 30,
                               "https://api.twitter.com/2/problems/resource-not-found", "2026-13-99", "\ud800"))
)  # fmt: skip
JSON = strategies.recursive(
    LEAVES,
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
OBJECTS = strategies.dictionaries(strategies.sampled_from(NAMES), JSON, max_size=6)


@settings(max_examples=300)
@given(JSON | OBJECTS, strategies.sampled_from((200, 201, 400, 401, 402, 403, 404, 429)))
def test_no_answer_breaks_whoever_reads_it(found: Any, status: int) -> None:  # noqa: ANN401 (a JSON document)
    body = json.dumps(found).encode()
    x_answers.author(body)
    x_answers.files(body)
    x_answers.post_in(body)
    assert x_answers.presence(Answer(status=status, body=body), "123") in Presence
    for kind in (Kind.PUBLISH, Kind.UPLOAD, Kind.RETRACT):
        read = x_answers.reads(kind, "/2/tweets/123", status, body)
        if status < 400:
            assert read is None
        elif status == 402:
            assert read is not None
            assert read.meaning is Meaning.SHUT
    document = x_answers.document(body)
    try:
        posts = x_answers.posts_in(document)
    except Doubt:
        return
    for post in posts:
        assert isinstance(x_words.text_of(post), str)
        assert x_words.alike(post, "Fresh bread", our_name="acme") in Likeness
        assert x_words.pictures_of(post) >= 0
        assert isinstance(x_answers.is_repost(post), bool)
        x_answers.parent_of(post)


@pytest.mark.parametrize("said", [None, "", "yesterday", "2026-13-99", "2026-11-20T10:00:00", 7, [], "9" * 40])
def test_a_time_that_is_none_is_a_doubt(said: object) -> None:
    with pytest.raises(Doubt, match="names no time"):
        x_answers.made_at({"id": "1", "created_at": said})
    assert x_answers.made_at({"created_at": "2026-11-20T10:00:00.500Z"}) == 1_795_168_800_500


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (402, {"title": "CreditsDepleted"}, "no credit"),
        (403, {"title": "SpendCapReached", "detail": "x"}, "no credit"),
        (403, {"type": "https://api.twitter.com/2/problems/user-suspended"}, "suspended"),
        (403, {"errors": [{"code": 64, "message": "Your account is suspended"}]}, "suspended"),
        (403, {"errors": [{"code": 326, "message": "locked"}]}, "locked"),
        (401, {"errors": [{"code": 135, "message": "Timestamp out of bounds."}]}, "clock"),
        (403, {"type": "https://api.twitter.com/2/problems/oauth1-permissions"}, "Read and write"),
        (403, {"type": "https://api.twitter.com/2/problems/client-forbidden"}, "pay-per-use"),
        (429, {"type": "https://api.twitter.com/2/problems/usage-capped"}, "this month"),
    ],
)
def test_what_a_person_has_to_do_is_said(status: int, error: dict[str, Any], said: str) -> None:
    read = x_answers.reads(Kind.PUBLISH, "/2/tweets", status, json.dumps(error).encode())
    assert read is not None
    assert read.meaning is Meaning.SHUT
    assert said in read.why
    assert ", do " in read.why


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"detail": "You are not permitted to perform this action.", "type": "about:blank"}),
        (403, {"errors": [{"code": 226, "message": "This request looks like it might be automated."}]}),
        (400, {"errors": [{"message": "invalid"}]}),
        (401, {"title": "Unauthorized", "type": "about:blank"}),
        (429, {"title": "Too Many Requests"}),
        (503, {"title": "CreditsDepleted of a proxy", "detail": "x"}),
    ],
)
def test_a_no_that_is_about_the_post_shuts_no_account(status: int, error: dict[str, Any]) -> None:
    assert x_answers.reads(Kind.PUBLISH, "/2/tweets", status, json.dumps(error).encode()) is None


def test_a_twin_is_uncertain_only_for_a_post() -> None:
    for error in (
        {"detail": "You are not allowed to create a Tweet with duplicate content.", "type": "about:blank"},
        {"errors": [{"code": 187, "message": "Status is a duplicate."}]},
    ):
        body = json.dumps(error).encode()
        read = x_answers.reads(Kind.PUBLISH, "/2/tweets", 403, body)
        assert read is not None
        assert read.meaning is Meaning.UNCERTAIN
        assert x_answers.reads(Kind.UPLOAD, "/2/media/upload", 403, body) is None
        assert x_answers.reads(Kind.PUBLISH, "/2/tweets", 400, body) is None


@pytest.mark.parametrize(
    ("shown", "sent", "alike"),
    [
        ("A &amp; B &lt;c&gt;", "A & B <c>", Likeness.SAME),
        ("See https://t.co/1", "See https://example.com/a?b=1", Likeness.SAME),
        ("See https://t.co/2", "See example.com", Likeness.SAME),
        ("Look https://t.co/3", "Look", Likeness.SAME),
        ("@acme and then", "and then", Likeness.SAME),
        ("@acme and then", "@acme and then", Likeness.SAME),
        ("Cafe\u0301", "Caf\u00e9 ", Likeness.SAME),
        ("one\ntwo", "one\r\ntwo", Likeness.SAME),
        ("Something else entirely", "Fresh bread every day", Likeness.OTHER),
        ("Episode forty-one of the podcast", "Episode forty-two of the podcast", Likeness.UNSURE),
    ],
)
def test_a_post_is_the_one_that_we_sent_whatever_x_makes_of_its_links(shown: str, sent: str, alike: Likeness) -> None:
    links = [
        {"url": "https://t.co/1", "expanded_url": "https://example.com/a?b=1"},
        {"url": "https://t.co/2", "expanded_url": "http://example.com/"},
        {"url": "https://t.co/3", "expanded_url": "https://x.com/acme/status/1/photo/1", "media_key": "3_1"},
    ]
    assert x_words.alike({"text": shown, "entities": {"urls": links}}, sent, our_name="acme") is alike


def test_an_error_that_is_not_of_x_is_a_doubt_in_words() -> None:
    found = explained(OSError("the connection broke"), "use X as @acme")
    assert isinstance(found, Doubt)
    assert str(found).startswith("cannot use X as @acme, because X gave no answer")
