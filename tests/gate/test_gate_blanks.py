"""What is a secret by its name, though nobody told us its value: signed addresses, tokens that an answer holds."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from guardian.gate.blanks import Blanks

BLANKS = Blanks()
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "refresh_token", "signature", "Signature", "sig", "X-Amz-Signature",
        "X-Amz-Credential", "X-Amz-Security-Token", "X-Goog-Signature", "oauth_token", "oauth_signature",
        "client_secret", "code", "key", "api_key", "Key-Pair-Id", "Policy", "auth", "password",
    ],
)  # fmt: skip
def test_a_secret_of_an_address_is_blanked_wherever_the_address_stands(name: str) -> None:
    url = f"https://cdn.example/a.png?w=1&{name}=s3cr3t&h=2#top"
    blank = f"https://cdn.example/a.png?w=1&{name}=******&h=2#top"
    assert BLANKS.url(url) == blank
    assert BLANKS.headers([("Location", url), ("Link", f'<{url}>; rel="next"')]) == (
        ("Location", blank),
        ("Link", f'<{blank}>; rel="next"'),
    )
    for spelling in (url, url.replace("&", "&amp;"), url.replace("&", "\\u0026")):
        body = f'{{"url":"{spelling}"}}'.encode()
        assert BLANKS.body(body, "application/json") == body.replace(b"s3cr3t", b"******")
    assert BLANKS.text(f"cannot read {url}") == f"cannot read {blank}"
    assert BLANKS.body(f"{name}=s3cr3t&x={name}".encode(), FORM) == f"{name}=******&x={name}".encode()


def test_a_password_in_an_address_is_blanked_and_a_handle_is_not() -> None:
    assert BLANKS.url("https://me:pass@h.example/@acme/1") == "https://*******@h.example/@acme/1"
    assert BLANKS.url("https://h.example/@acme/1?max_id=2") == "https://h.example/@acme/1?max_id=2"


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "accessJwt", "refreshJwt", "client_secret"])
def test_a_token_that_an_answer_hands_out_is_blanked_in_it(name: str) -> None:
    body = b'{"%s" : "ab\\"c","scope":"read"}' % name.encode()
    assert BLANKS.body(body, "application/json") == b'{"%s" : "*****","scope":"read"}' % name.encode()


@pytest.mark.parametrize(
    "name", ["AUTHORIZATION", "cookie", "Set-Cookie", "Proxy-Authorization", "X-Auth-Token", "DPoP"]
)
def test_of_a_secret_header_only_its_name_stays(name: str) -> None:
    assert BLANKS.headers([(name, "x")]) == ((name, "[removed]"),)


@pytest.mark.parametrize("filling", ["x", "x\n", '"x","y"', "<p>", "?&;"])
def test_a_long_answer_is_looked_through_to_its_end(filling: str) -> None:
    """Piece by piece, so that no other thread waits for it; no address is cut in two by that."""
    signed = '"https://cdn.example/a.png?w=1&X-Amz-Signature=s3cr3t","access_token":"s3cr3t",'
    body = ((filling * 3000)[:3000] + signed).encode() * 200
    found = BLANKS.body(body, "application/json")
    assert len(found) == len(body)
    assert b"s3cr3t" not in found


def test_a_film_is_looked_through_for_our_secrets_however_long_it_is() -> None:
    film = b"?token=abc canary-0815 " * 200_000
    for media_type in ("application/octet-stream", "text/html"):
        found = Blanks(["canary-0815"]).body(film, media_type)
        assert b"canary-0815" not in found
        assert len(found) == len(film)


def test_a_picture_is_looked_through_for_our_secrets_and_for_nothing_else() -> None:
    picture = b"\x89PNG?token=abc canary-0815"
    assert Blanks(["canary-0815"]).body(picture, "image/png") == b"\x89PNG?token=abc ***********"


@given(strategies.binary(max_size=300), strategies.sampled_from(["", "text/html", "image/png", FORM]))
def test_a_body_without_a_secret_keeps_its_length_and_never_breaks(body: bytes, media_type: str) -> None:
    assert len(Blanks(["canary-0815"]).body(body, media_type)) == len(body)


@given(strategies.text(min_size=1, max_size=30), strategies.text(max_size=30), strategies.text(max_size=30))
def test_whatever_a_secret_looks_like_it_is_in_no_text(secret: str, before: str, after: str) -> None:
    found = Blanks([secret]).text(before + secret + after)
    assert secret not in found or set(secret) == {"*"}
