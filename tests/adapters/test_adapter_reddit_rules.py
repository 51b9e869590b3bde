"""The rules of a subreddit: asked once for a while, never in the way, and nothing refused that it would accept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import reddit_rules as rules
from adapters import reddit_words as words
from guardian.adapter import Answer
from guardian.beyond import Inquiring
from guardian.model import Part
from tests.adapters.reddit_double import PAGE, REQUIRED, Next
from tests.adapters.reddit_room import Room, double, picture, room

__all__ = ["double", "room"]

PLACE = words.Place("bread", None)
ABOUT, WANTED = "/r/bread/about", "/api/v1/bread/post_requirements"
TEXT = "Fresh bread\n\nFrom six on."


def part(text: str = TEXT, *, pictures: int = 0, alt: str | None = None, flair: str = "") -> Part:
    media = tuple(picture(alt, mark=f"{nr:x}") for nr in range(pictures))
    return Part(text=text, visibility=f"r/bread{flair}", media=media)


def said(document: object, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


def wrong(required: dict[str, Any], found: Part, about: dict[str, Any] | None = None) -> list[str]:
    """What is said to be wrong with it where these rules differ from the usual."""
    read = rules.read(said({"kind": "t5", "data": about or {"x": 1}}), said({**REQUIRED, **required}))
    assert read is not None
    place = words.place(found.visibility, "acme_brand")
    assert place is not None
    return [f"{one.field}: {one.message}" for one in rules.problems(read, found, place)]


@pytest.mark.parametrize(
    ("required", "refused", "accepted"),
    [
        ({"title_text_min_length": 12}, part(), part("Fresh bread!")),
        ({"title_text_min_length": 12}, part(), part("Fresh bre\U0001f35e!")),  # whoever counts how
        ({"title_text_max_length": 11}, part("Fresh bread!"), part()),
        ({"title_text_max_length": 11}, part("Fresh bread\U0001f35e"), part("Fresh brea\U0001f35e")),
        ({"title_blacklisted_strings": ["bread"]}, part(), part("Freshbread")),
        ({"title_blacklisted_strings": ["bread"]}, part(), part("Fresh BREAD")),
        ({"title_blacklisted_strings": [" (sale) "]}, part("Bread (sale) now"), part("Bread sale now")),
        ({"title_required_strings": ["[ad]", "[news]"]}, part(), part("Fresh bread [News]")),
        ({"body_restriction_policy": "required"}, part("Fresh bread"), part()),
        ({"body_restriction_policy": "required"}, part("Fresh bread"), part("Bread\nhttps://acme.example/")),
        ({"body_restriction_policy": "notAllowed"}, part(), part("Fresh bread")),
        ({"body_text_min_length": 13}, part(), part("Fresh bread")),  # what has no body has no short one
        ({"body_text_max_length": 11}, part(), part("Fresh bread\n\nFrom six o")),
        ({"body_blacklisted_strings": ["six"]}, part(), part("Fresh bread, six")),
        ({"body_required_strings": ["price"]}, part(), part("Fresh bread\nThe Price: 3")),
        ({"is_flair_required": True}, part(), part(flair="#0a1b2c3d")),
        (
            {"link_restriction_policy": "blacklist", "domain_blacklist": ["acme.example"]},
            part("Bread\nhttps://WWW.acme.example/shop"),
            part("Bread\nhttps://shop.acme.example/"),
        ),
        (
            {"link_restriction_policy": "whitelist", "domain_whitelist": ["bread.example"]},
            part("Bread\nhttps://notbread.example/"),
            part("Bread\nhttps://www.bread.example/"),
        ),
        ({"link_restriction_policy": "none", "domain_blacklist": ["a.example"]}, None, part("B\nhttps://a.example/")),
        ({"gallery_min_items": 3}, part(pictures=2), part(pictures=3)),
        ({"gallery_max_items": 2}, part(pictures=3), part(pictures=1)),
        ({"gallery_captions_requirement": "required"}, part(pictures=2), part(pictures=2, alt="Bread")),
        ({"gallery_captions_requirement": "notAllowed"}, part(pictures=2, alt="Bread"), part(pictures=2)),
        ({"gallery_urls_requirement": "required"}, part(pictures=2), part(pictures=1)),
        ({"title_regexes": ["(a+)+$"], "body_regexes": ["^no$"], "link_repost_age": 7}, None, part("a" * 40)),
    ],
)
def test_what_is_surely_refused_is_said_and_what_might_be_accepted_is_not(
    required: dict[str, Any], refused: Part | None, accepted: Part
) -> None:
    if refused is not None:
        assert len(wrong(required, refused)) == 1
        assert "r/bread " in wrong(required, refused)[0]
    assert wrong(required, accepted) == []


@pytest.mark.parametrize(
    ("about", "refused", "accepted"),
    [
        ({"submission_type": "self"}, part("Bread\nhttps://acme.example/"), part()),
        ({"submission_type": "self"}, part(pictures=1), part()),
        ({"submission_type": "link"}, part(), part(pictures=1)),
        ({"allow_images": False}, part(pictures=1), part(pictures=2)),
        ({"allow_galleries": False}, part(pictures=2), part(pictures=1)),
        ({"user_is_banned": True}, part(), None),
        ({"subreddit_type": "archived"}, part(), None),
        ({"subreddit_type": "restricted", "restrict_posting": True}, part(), None),
        ({"subreddit_type": "restricted", "restrict_posting": True, "user_is_contributor": True}, None, part()),
        ({"subreddit_type": "restricted", "restrict_posting": False}, None, part()),
        ({"subreddit_type": "private", "restrict_posting": True}, None, part()),
    ],
)
def test_who_may_post_what_there_at_all_is_told_by_the_subreddit_itself(
    about: dict[str, Any], refused: Part | None, accepted: Part | None
) -> None:
    if refused is not None:
        assert len(wrong({}, refused, about)) == 1
    if accepted is not None:
        assert wrong({}, accepted, about) == []


@pytest.mark.parametrize(
    ("about", "required", "why"),
    [
        (None, said({"reason": "SUBREDDIT_NOEXIST", "message": "Not Found", "explanation": "..."}, 404), "no such"),
        (None, said({"reason": "SUBREDDIT_NO_ACCESS", "message": "Forbidden"}, 403), "may not enter"),
        (said({"reason": "private", "message": "Forbidden", "error": 403}, 403), None, "it is private"),
        (said({"reason": "banned", "message": "Not Found", "error": 404}, 404), None, "Reddit has closed it"),
        (said({"kind": "Listing", "data": {"children": []}}), None, "no such subreddit"),
    ],
)
def test_a_subreddit_that_is_gone_closed_or_private_takes_nothing_and_the_reason_is_told(
    about: Answer | None, required: Answer | None, why: str
) -> None:
    found = rules.read(about, required)
    assert found is not None
    (problem,) = rules.problems(found, part(), PLACE)
    assert problem.field == "visibility"
    assert why in problem.message


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Answer(status=403, body=PAGE),
        Answer(status=404, body=PAGE),
        said({"message": "Forbidden", "error": 403}, 403),
        said({"message": "Not Found", "error": 404}, 404),
        said({"reason": ["SUBREDDIT_NOEXIST"]}, 404),
        said({"reason": "SUBREDDIT_NOEXIST"}, 503),
        said({"json": {"errors": [["USER_REQUIRED", "Please log in to do that.", None]]}}),
        said([]),
        said(7),
        Answer(status=200, body=PAGE),
    ],
)
def test_what_is_no_plain_word_of_reddit_says_nothing_of_a_subreddit(answer: Answer | None) -> None:
    assert rules.read(answer, answer) is None


def test_rules_of_no_sensible_form_refuse_nothing() -> None:
    mad: dict[str, Any] = dict.fromkeys(REQUIRED, "7") | {"title_text_max_length": True, "body_text_max_length": -1}
    mad |= {"title_blacklisted_strings": [7, None, "", "x" * 9_000], "title_required_strings": {"a": 1}}
    assert wrong(mad, part()) == []
    assert wrong({}, part("Bread\nhttps://[::1/"), {"submission_type": 7}) == []


def test_a_subreddit_is_asked_once_for_a_while_and_the_check_itself_asks_nobody(room: Room) -> None:
    adapter = room.adapter
    assert isinstance(adapter, Inquiring)
    room.double.required["bread"] = {"title_blacklisted_strings": ["Fresh"]}
    assert adapter.check(part(), adapter.limits()) == []  # nobody knows yet
    for _ in range(3):
        adapter.inquire(part())
        adapter.inquire(Part(text="On", visibility="r/Bread"))
    before = len(room.double.log)
    (problem,) = adapter.check(part(), adapter.limits())
    assert "r/bread does not take 'Fresh' in the title" in problem.message
    assert len(room.double.log) == before
    assert (len(room.double.asked(ABOUT)), len(room.double.asked(WANTED))) == (1, 1)
    adapter.inquire(Part(text="One more thing", follows=True, visibility="r/other"))
    adapter.inquire(Part(text="Our own"))
    assert len(room.double.log) == before


def test_what_cannot_be_asked_refuses_nothing_and_is_asked_again_after_a_minute(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.double.required["bread"] = {"is_flair_required": True}
    room.double.next(ABOUT, Next(status=500))
    room.double.next(WANTED, Next(body=PAGE, type="text/html"))
    room.adapter.inquire(part())
    room.adapter.inquire(part())
    assert room.adapter.check(part(), room.adapter.limits()) == []
    assert len(room.double.asked(WANTED)) == 1
    monkeypatch.setattr("adapters.reddit_account.UNSAID", -1.0)
    room.adapter._places.learn("bread", None)
    room.adapter.inquire(part())
    assert "wants a flair" in room.adapter.check(part(), room.adapter.limits())[0].message


def test_no_more_subreddits_are_remembered_than_a_house_has(room: Room) -> None:
    places = room.adapter._places
    for number in range(500):
        places.learn(f"s{number}", rules.Rules())
    assert len(places._found) == 200
    assert places.known("S499") == rules.Rules()
    assert places.known("s0") is None


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = wrong({"title_text_max_length": 5, "is_flair_required": True}, part())
    assert [one.partition(":")[0] for one in found] == ["text", "visibility"]
