"""How a record becomes a post on Reddit, counted and refused before Reddit would; and addresses, read by us alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from adapters import reddit_addresses as addresses
from adapters import reddit_words as words
from guardian.errors import Doubt
from guardian.model import Media, Part
from tests.adapters.reddit_double import Next, RedditDouble
from tests.adapters.reddit_room import Room, account_at, adapter_at, double, picture, room

__all__ = ["double", "room"]

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one sign to the eye, five to Reddit


def fields(part: Part) -> list[str]:
    return [problem.field for problem in words.problems(part, words.LIMITS, "acme_brand")]


@pytest.mark.parametrize(
    "part",
    [
        Part(text="a" * 300),
        Part(text="a" * 300 + "\n" + "b" * 40_000),
        Part(text="\u6f22" * 300),
        Part(text=FAMILY * 60),
        Part(text="  Title  \n\n  body  "),
        Part(text="Title", visibility="r/acme"),
        Part(text="Title", visibility="/r/acme"),
        Part(text="Title", visibility="u/Acme_Brand"),
        Part(text="Title", visibility="r/acme#0a1b2c3d-1111-11ee-8c99-0242ac120002"),
        Part(text="Title", warning="spoiler,NSFW"),
        Part(text="Title", language="sv"),
        Part(text="Title", media=tuple(picture(mark=f"{mark:x}") for mark in range(16))),
        Part(text="Title", media=(picture("a" * 1000),)),  # the alt text of one picture has no place at Reddit
        Part(text="a" * 10_000, follows=True),
        Part(text="Yes", follows=True, visibility="r/acme", warning="nsfw"),
    ],
)
def test_what_reddit_takes_is_not_refused(part: Part) -> None:
    assert fields(part) == []


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (Part(text="a" * 301), "text"),
        (Part(text=FAMILY * 61), "text"),
        (Part(text="Title\n" + "b" * 40_001), "text"),
        (Part(text=" \n "), "text"),
        (Part(text="", media=(picture(),)), "text"),
        (Part(text="a" * 10_001, follows=True), "text"),
        (Part(text=" ", follows=True), "text"),
        (Part(text="Yes", follows=True, media=(picture(),)), "media"),
        (Part(text="Title", visibility="public"), "visibility"),
        (Part(text="Title", visibility="r/"), "visibility"),
        (Part(text="Title", visibility="r/acme/new"), "visibility"),
        (Part(text="Title", visibility="r/acme,bread"), "visibility"),
        (Part(text="Title", visibility="r/acme&kind=link"), "visibility"),
        (Part(text="Title", visibility="u/somebody_else"), "visibility"),
        (Part(text="Title", warning="Flashing lights"), "warning"),
        (Part(text="Title", media=(Media(sha256="0" * 64, type="video/webm", size=1),)), "media1"),
        (Part(text="Title", media=(Media(sha256="0" * 64, type="image/png", size=20 << 20),)), "media1"),
        (Part(text="Title", media=(picture("a" * 181), picture(mark="1"))), "media1_alt"),
    ],
)
def test_what_reddit_would_refuse_is_told_before_with_the_field_that_it_is_about(part: Part, wanted: str) -> None:
    assert fields(part) == [wanted]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://www.reddit.com/r/acme/comments/4bbe4b/a_title/", "t3_4bbe4b"),
        ("https://www.reddit.com/r/acme/comments/4bbe4b/", "t3_4bbe4b"),
        ("https://old.reddit.com/r/acme/comments/4bbe4b/a_title/?context=3", "t3_4bbe4b"),
        ("http://reddit.com/comments/4BBE4B", "t3_4bbe4b"),
        ("https://www.reddit.com/gallery/4bbe4b", "t3_4bbe4b"),
        ("https://redd.it/4bbe4b", "t3_4bbe4b"),
        ("https://www.reddit.com/user/acme_brand/comments/4bbe4b/a_title/", "t3_4bbe4b"),
        ("https://www.reddit.com/u/acme_brand/comments/4bbe4b/a_title/", "t3_4bbe4b"),
        ("https://www.reddit.com/r/acme/comments/4bbe4b/a_title/d1680wu/", "t1_d1680wu"),
        ("https://www.reddit.com/r/acme/comments/4bbe4b/comment/d1680wu/", "t1_d1680wu"),
        ("https://www.reddit.com/comments/4bbe4b/_/d1680wu/", "t1_d1680wu"),
        ("https://www.reddit.com/r/acme/", None),
        ("https://www.reddit.com/user/acme_brand", None),
        ("https://www.reddit.com/r/acme/comments/4bbe4b/a/b/c/d/", None),
        ("https://www.reddit.com/r/acme/wiki/comments", None),
        ("https://evil.example/r/acme/comments/4bbe4b/a_title/", None),
        ("https://www.reddit.com.evil.example/r/acme/comments/4bbe4b/", None),
        ("https://evil.example/r/acme/s/AbCdEf1234", None),
        ("https://www.reddit.com:8443/comments/4bbe4b", None),
        ("https://me:pw@www.reddit.com/comments/4bbe4b", None),
        ("ftp://www.reddit.com/comments/4bbe4b", None),
        ("https://[::1/comments/4bbe4b", None),
        ("https://www.reddit.com/comments/" + "4" * 3000, None),
        ("https://redd.it/4bbe4b/x", None),
    ],
)
def test_addresses_say_the_id_themselves_and_nobody_is_asked(room: Room, url: str, wanted: str | None) -> None:
    before = len(room.double.log)
    found = room.adapter.resolve(url)
    assert (found and found.id) == wanted
    assert len(room.double.log) == before


def test_a_share_link_is_followed_once_at_reddit_and_without_our_token(double: RedditDouble) -> None:
    adapter = adapter_at(account_at(double.url))
    there = "https://www.reddit.com/r/acme/comments/4bbe4b/a_title/?share_id=x&utm_source=share"
    double.next("/r/acme/s/AbCdEf1234", Next(status=301, headers={"Location": there}, body=b"<html>"))
    found = adapter.resolve("https://www.reddit.com/r/acme/s/AbCdEf1234")
    assert found is not None
    assert (found.id, found.url) == ("t3_4bbe4b", f"{double.url}/r/acme/comments/4bbe4b/a_title/")
    (asked,) = double.log
    assert (asked.host, asked.login) == ("www.reddit.com", "")


@pytest.mark.parametrize("there", ["https://evil.example/r/acme/comments/4bbe4b/", "", "https://www.reddit.com/"])
def test_a_share_link_that_leads_elsewhere_names_nothing_and_nobody_goes_there(
    double: RedditDouble, there: str
) -> None:
    double.next("/r/acme/s/AbCdEf1234", Next(status=302, headers={"Location": there}, body=b"<html>"))
    assert adapter_at(account_at(double.url)).resolve("https://www.reddit.com/r/acme/s/AbCdEf1234") is None
    assert len(double.log) == 1


def test_a_share_link_that_nobody_answers_is_a_doubt() -> None:
    with pytest.raises(Doubt, match="give the address that it leads to"):
        adapter_at(account_at("http://127.0.0.1:9")).resolve("https://www.reddit.com/r/acme/s/AbCdEf1234")


def test_a_comment_whose_post_is_not_known_has_no_address_rather_than_a_made_up_one() -> None:
    assert addresses.public(None, "t1_d1680wu") is None
    assert addresses.public("//evil.example/", "t1_d1680wu", "t3_4bbe4b") == (
        "https://www.reddit.com/comments/4bbe4b/_/d1680wu/"
    )
    assert addresses.post_of(None, addresses.HOME) is None
    assert addresses.id_in(urlsplit("https://redd.it/")) is None
