"""Addresses that people paste at three in the morning, and what they name."""

from __future__ import annotations

import pytest

from adapters import mastodon_addresses as addresses

ULID = "01J5QZX8K6W3N9V7T2R4Y1M0AB"


@pytest.mark.parametrize(
    ("path", "platform_id"),
    [
        ("/@acme/115", "115"),
        ("/@acme/115/", "115"),
        ("/@acme/115/embed", "115"),
        ("/@acme@elsewhere.example/115", "115"),
        ("/web/@acme/115", "115"),
        ("/deck/@acme/115", "115"),
        ("/web/statuses/115", "115"),
        ("/users/acme/statuses/115", "115"),
        ("/users/acme/statuses/115/activity", "115"),
        ("/ap/users/7/statuses/115", "115"),
        (f"/@acme/statuses/{ULID}", ULID),
        (f"/@acme/{ULID}", ULID),
        ("/notice/9kBxJoJ4cRyvIbVtVM", "9kBxJoJ4cRyvIbVtVM"),
        ("/@acme/posts/9kBxJoJ4cRyvIbVtVM", "9kBxJoJ4cRyvIbVtVM"),
        ("/p/acme/115", "115"),
        ("/@acme", None),
        ("/@acme/followers", None),
        ("/@acme/with_replies", None),
        ("/@acme/115/reblogs", None),
        ("/users/acme", None),
        ("/users/acme/statuses/../../accounts", None),
        ("/users/acme/statuses/1%2F2", None),
        ("/objects/0b8a6b1c", None),
        ("/", None),
        ("", None),
    ],
)
def test_the_id_is_read_from_the_forms_that_servers_use_and_from_no_other(path: str, platform_id: str | None) -> None:
    assert addresses.id_in(path) == platform_id


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme",
        "ftp://a.example/@acme/1",
        "javascript:alert(1)",
        "https:///@acme/1",
        "https://user:word@a.example/@acme/1",
        "https://a.example:99999/@acme/1",
        "https://[::1/@acme/1",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_what_is_no_plain_web_address_names_nothing(url: str) -> None:
    assert addresses.split(url) is None
    assert not addresses.is_at(url, "https://a.example")


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://a.example/@acme/1", True),
        ("http://A.EXAMPLE/@acme/1", True),
        ("https://a.example:443/x", True),
        (" https://a.example/x\n", True),
        ("https://b.a.example/x", False),
        ("https://a.example.evil/x", False),
        ("https://a.example:8443/x", False),
        ("https://a.example@evil/x", False),
    ],
)
def test_another_host_is_never_taken_for_ours(url: str, same: bool) -> None:
    assert addresses.is_at(url, "https://a.example") is same


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("https://a.example/@acme/1", True),
        ("https://a.example/@acme/1/", True),
        ("https://a.example/users/acme/statuses/1", True),
        ("https://a.example/@acme/2", False),
        ("https://a.example/@acme/1?page=2", False),
        ("https://b.example/@acme@a.example/999", True),
        ("https://b.example/@acme@A.example/999", True),
        ("https://b.example/@other@a.example/999", False),
        ("https://b.example/@acme@c.example/999", False),
    ],
)
def test_a_post_that_a_search_finds_is_the_one_that_was_asked_for_or_none(asked: str, found: bool) -> None:
    status = {
        "id": "1",
        "url": "https://a.example/@acme/1",
        "uri": "https://a.example/users/acme/statuses/1",
        "account": {"username": "acme"},
    }
    parts = addresses.split(asked)
    assert parts is not None
    assert addresses.names(status, parts) is found
    assert not addresses.names({"id": "1"}, parts)
    assert not addresses.names({"id": "1", "url": None, "uri": 7, "account": None}, parts)
