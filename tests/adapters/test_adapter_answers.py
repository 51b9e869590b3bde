"""What is believed of a server's answer about one post, and what is not: pages, other posts, numbers, hostile words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import mastodon_answers as answers
from adapters.mastodon_answers import WITHDRAWN
from guardian.adapter import Answer
from guardian.errors import Doubt
from guardian.model import Presence, Shown

POST: dict[str, Any] = {
    "id": "115",
    "content": "<p>Fresh bread</p>",
    "spoiler_text": "",
    "media_attachments": [],
    "poll": None,
    "card": None,
    "reblog": None,
    "account": {"id": "7"},
}
VEILED = {**POST, "content": f"<p>{WITHDRAWN}</p>"}
PICTURE = {"id": "9", "type": "image", "url": "https://files.example/9.png", "description": None}
PAGE = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
NOT_FOUND = {"error": "Record not found"}


def said(status: int, body: object) -> Answer:
    return Answer(status=status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        (said(404, NOT_FOUND), Presence.GONE),
        (said(410, {"error": "Gone"}), Presence.GONE),
        (said(404, {"error": "not_found", "error_description": "no such status"}), Presence.GONE),
        (said(404, PAGE), Presence.UNKNOWN),
        (said(410, PAGE), Presence.UNKNOWN),
        (said(404, b""), Presence.UNKNOWN),
        (said(404, {}), Presence.UNKNOWN),
        (said(404, {"error": ""}), Presence.UNKNOWN),
        (said(404, {"error": {"code": 404}}), Presence.UNKNOWN),
        (said(404, []), Presence.UNKNOWN),
        (said(404, {"message": "no Route matched with those values"}), Presence.UNKNOWN),  # a gateway's
        (said(404, {"status": 404, "error": "Not Found"}), Presence.UNKNOWN),  # a framework's
        (said(404, {"timestamp": 1, "error": "Not Found", "path": "/"}), Presence.UNKNOWN),
        (said(404, b"[" * 100_000), Presence.UNKNOWN),
        (said(200, POST), Presence.THERE),
        (said(200, {**POST, "id": 115}), Presence.THERE),
        (said(200, {**POST, "id": "116"}), Presence.UNKNOWN),
        (said(200, {**POST, "id": True}), Presence.UNKNOWN),
        (said(200, {**POST, "id": None}), Presence.UNKNOWN),
        (said(200, NOT_FOUND), Presence.UNKNOWN),
        (said(200, PAGE), Presence.UNKNOWN),  # a login
        (said(200, b""), Presence.UNKNOWN),
        (said(200, json.dumps(POST).encode()[:-9]), Presence.UNKNOWN),
        (said(206, POST), Presence.UNKNOWN),
        (said(302, b""), Presence.UNKNOWN),
        (said(304, b""), Presence.UNKNOWN),
        *((said(status, NOT_FOUND), Presence.UNKNOWN) for status in (400, 401, 403, 422, 429, 500, 502, 503, 504)),
    ],
)
def test_only_the_platforms_own_word_says_that_a_post_is_gone_or_there(answer: Answer, presence: Presence) -> None:
    assert answers.presence(answer, "115") is presence


@pytest.mark.parametrize("platform_id", ["01J5QZX8K6W3N9V7T2R4Y1M0AB", "9kBxJoJ4cRyvIbVtVM", "115000000000000000999"])
def test_ids_that_are_no_small_numbers_are_compared_letter_by_letter(platform_id: str) -> None:
    assert answers.presence(said(200, {**POST, "id": platform_id}), platform_id) is Presence.THERE
    assert answers.presence(said(200, {**POST, "id": platform_id.lower() + "0"}), platform_id) is Presence.UNKNOWN


@pytest.mark.parametrize(
    ("status", "presence"),
    [
        (VEILED, Presence.VEILED),
        ({**VEILED, "content": WITHDRAWN}, Presence.VEILED),
        ({**VEILED, "media_attachments": [PICTURE]}, Presence.THERE),
        ({**VEILED, "spoiler_text": "what it was about"}, Presence.THERE),
        ({**VEILED, "card": {"title": "what it linked to"}}, Presence.THERE),
        ({**VEILED, "poll": {"options": []}}, Presence.THERE),
        ({**VEILED, "quote": {"state": "accepted"}}, Presence.THERE),
        ({**VEILED, "content": f"<p>{WITHDRAWN} Fresh bread</p>"}, Presence.THERE),
        ({**VEILED, "content": None}, Presence.THERE),
    ],
)
def test_a_veil_that_something_shows_through_is_no_veil(status: dict[str, Any], presence: Presence) -> None:
    assert answers.presence(said(200, status), "115") is presence


@pytest.mark.parametrize(
    ("body", "author"),
    [
        (POST, "7"),
        ({**POST, "account": {"id": 7}}, "7"),
        ({**POST, "account": {}}, None),
        ({**POST, "account": "7"}, None),
        ({**POST, "account": None}, None),
        ([POST], None),
        (NOT_FOUND, None),
        (PAGE, None),
    ],
)
def test_who_wrote_it_is_said_by_the_answer_or_by_nobody(body: object, author: str | None) -> None:
    assert answers.author(said(200, body).body) == author


def test_files_come_with_their_words_or_with_none_and_never_from_no_address() -> None:
    told = {**PICTURE, "description": "a loaf\u202e"}
    strange = [{"id": "1"}, {**PICTURE, "url": None}, {**PICTURE, "url": "file:///etc/passwd"}, "x", None, 7]
    strange += [{**PICTURE, "url": "http://[::1"}, {**PICTURE, "url": ["https://x"]}]
    found = answers.files({**POST, "media_attachments": [PICTURE, told, *strange, {**PICTURE, "type": 7}]})
    address = "https://files.example/9.png"
    assert found == (
        Shown(url=address, type="image"),
        Shown(url=address, type="image", alt="a loaf\u202e"),
        Shown(url=address, type="unknown"),
    )
    nothing: list[object] = [None, [], PAGE, {"media_attachments": None}, {"media_attachments": {"url": "https://x"}}]
    assert [answers.files(one) for one in nothing] == [()] * len(nothing)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"poll": {"id": "1"}}, "poll"),
        ({"reblog": POST}, "boost"),
        ({"quote": {"state": "pending"}}, "quotes"),
    ],
)
def test_what_an_edit_would_lose_or_cannot_cover_is_named(change: dict[str, Any], word: str) -> None:
    assert answers.hindrance(POST) is None
    assert word in (answers.hindrance({**POST, **change}) or "")


def test_the_edit_back_says_everything_that_the_veil_took() -> None:
    media = [PICTURE, {**PICTURE, "id": 10, "description": "a loaf"}, {"url": "https://no.id"}]
    status = {**POST, "sensitive": True, "language": "pl", "media_attachments": media}
    assert answers.edit_back(status, {"id": "115", "text": "Fresh *bread*", "spoiler_text": "food"}) == {
        "status": "Fresh *bread*",
        "spoiler_text": "food",
        "sensitive": True,
        "media_ids": ["9", "10"],
        "media_attributes": [{"id": "10", "description": "a loaf"}],
        "language": "pl",
    }
    nothing: list[object] = [None, {}, [], {"text": None}, {"text": 7}, {"text": f"{WITHDRAWN}\n"}, "text"]
    assert [answers.edit_back(status, one) for one in nothing] == [None] * len(nothing)


@pytest.mark.parametrize("language", [None, 7, "", "x" * 36, "en; DROP", "en\n"])
def test_a_language_that_is_none_is_left_out(language: object) -> None:
    assert answers.language_of({**POST, "language": language}) is None


@pytest.mark.parametrize(
    "one",
    [
        {"scheduled_at": "2090-01-01T00:00:00Z"},
        {"id": "1"},
        {"id": "1", "scheduled_at": None},
        {"id": "1", "scheduled_at": "tomorrow"},
        {"id": "1", "scheduled_at": "2090-01-01T00:00:00"},  # in which zone?
        "1",
        None,
    ],
)
def test_a_scheduled_post_that_cannot_be_read_leaves_a_doubt_and_is_not_skipped(one: object) -> None:
    with pytest.raises(Doubt):
        answers.natives([one])


def test_a_scheduled_post_is_read_with_whatever_it_has() -> None:
    at = {"id": 5, "scheduled_at": "1970-01-01T00:00:01.500Z"}
    (bare,) = answers.natives([at])
    assert (bare.id, bare.due, bare.text, bare.files, bare.raw) == ("5", 1500, "", (), at)
    full = {**at, "params": {"text": "\x1b[2J<b>later"}, "media_attachments": [PICTURE]}
    (found,) = answers.natives([full])
    assert (found.text, [one.alt for one in found.files]) == ("\x1b[2J<b>later", [None])
