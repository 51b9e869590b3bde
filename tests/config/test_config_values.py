"""Single values: what is accepted, in which form it comes out, and that nothing refused is repeated."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.config import parse_duration, values
from guardian.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("15m", 900_000),
        ("2h30m", 9_000_000),
        ("45s", 45_000),
        ("1d", 86_400_000),
        ("250ms", 250),
        ("0s", 0),
        ("1d2h3m4s5ms", 93_784_005),
        ("90m", 5_400_000),
        ("1m500ms", 60_500),
    ],
)
def test_a_duration_means_what_it_says(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "m",
        "15 m",
        " 15m",
        "15m ",
        "-5s",
        "1.5h",
        "5M",
        "30m2h",
        "5s5s",
        "5ms1s",
        "15min",
        "٣s",
        "1e3s",
        "5s\n",
    ],
)
def test_what_is_no_duration_is_not_guessed_at(text: str) -> None:
    with pytest.raises(Mistake):
        parse_duration(text)


@given(st.text(alphabet="0123456789dhms .-", max_size=12))
def test_any_text_is_a_duration_or_a_mistake(text: str) -> None:
    with suppress(Mistake):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://mastodon.example", "https://mastodon.example"),
        ("https://Mastodon.Example/", "https://mastodon.example"),
        ("https://mastodon.example:443", "https://mastodon.example"),
        ("https://mastodon.example:8443/", "https://mastodon.example:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:80/", "http://[::1]"),
    ],
)
def test_an_address_is_kept_in_one_form(written: str, kept: str) -> None:
    assert values.base_url(written) == kept
    assert values.base_url(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mastodon.example",
        "ftp://mastodon.example",
        "https://",
        "https:///path",
        "https://user:canary@mastodon.example",
        "https://@mastodon.example",
        "https://mastodon.example/path",
        "https://mastodon.example?",
        "https://mastodon.example/?a=1",
        "https://mastodon.example#x",
        "https://mastodon.example:0",
        "https://mastodon.example:99999",
        "https://mastodon.example:port",
        "https://mastodon .example",
        "https://mastodon\t.example",
        "https://mastodon.example\n",
        "https://mastodon.example\\@evil.example",
        "https://måstodon.example",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "http://mastodon.example",
        "http://localhost.evil.example",
        "http://127.evil.example",
        "http://128.0.0.1",
        "http://127.1",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
    ],
)
def test_a_token_never_goes_to_an_address_that_is_open_or_unclear(text: str) -> None:
    with pytest.raises(values.Bad) as caught:
        values.base_url(text)
    assert "canary" not in str(caught.value)


NAMES = ["", "A", "-a", ".a", "_a", "a..b", "a/b", "a b", "å", "a" * 64, "a\n", "a:b", "a\0"]


@pytest.mark.parametrize("text", NAMES)
def test_a_name_that_is_no_safe_file_name_is_refused(text: str) -> None:
    with pytest.raises(values.Bad):
        values.name(text)


@pytest.mark.parametrize("text", ["a", "0", "acme-mastodon", "a.b_c-d", "a" * 63])
def test_ordinary_names_pass(text: str) -> None:
    assert values.name(text) == text


@pytest.mark.parametrize("text", ["UTC", "Europe/Stockholm", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_zones_of_the_iana_list_pass(text: str) -> None:
    assert values.zone(text) == text


@pytest.mark.parametrize("text", ["", "Europe", "/etc/localtime", "../UTC", "Mars/Base", "a\0b", "\ud800", "x" * 5000])
def test_what_is_no_zone_is_refused_and_not_looked_up_as_a_path(text: str) -> None:
    with pytest.raises(values.Bad):
        values.zone(text)


def test_a_misspelt_zone_is_answered_with_the_right_one() -> None:
    with pytest.raises(values.Bad) as caught:
        values.zone("europe/stokholm")
    assert caught.value.do == 'write "Europe/Stockholm"'


@pytest.mark.parametrize("text", ["127.0.0.1:9464", "[::1]:9464", "metrics.example:80", "localhost:1"])
def test_where_to_listen_is_a_host_with_a_port(text: str) -> None:
    assert values.listen(text) == text


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1", ":9464", "::1:9464", "h:0", "h:70000", "a@h:1", "h:1/x", "h:1?", "h:x"]
)
def test_where_to_listen_is_nothing_else(text: str) -> None:
    with pytest.raises(values.Bad):
        values.listen(text)


@pytest.mark.parametrize(
    "text", ["@acme@mastodon.example", "@a@127.0.0.1:3000", "@a.b_c-d@x.example:8443", "@a@localhost"]
)
def test_a_mastodon_identity_names_its_server(text: str) -> None:
    assert values.identity(text, "mastodon") == text


@pytest.mark.parametrize(
    "text", ["", " ", "acme", "@acme", "acme@mastodon.example", "@a@b@c", "@@h", "@a@h:", "@a@h/x", "@a b@h"]
)
def test_a_mastodon_identity_without_its_server_is_refused(text: str) -> None:
    with pytest.raises(values.Bad):
        values.identity(text, "mastodon")


@pytest.mark.parametrize("text", ["@acme.bsky.social", "acme.example", "did:plc:v4cyu5ckfgb3xjp46w3qf24w"])
def test_a_bluesky_identity_is_a_whole_handle_or_a_did(text: str) -> None:
    assert values.identity(text, "bluesky") == text


@pytest.mark.parametrize("text", ["acme", "@acme", "@acme@mastodon.example", "https://bsky.app/profile/a.b", "@.b"])
def test_a_bluesky_identity_that_is_half_a_handle_is_refused(text: str) -> None:
    with pytest.raises(values.Bad):
        values.identity(text, "bluesky")


def test_an_identity_elsewhere_is_free_but_not_empty() -> None:
    assert values.identity("u/acme", "reddit") == "u/acme"
    with pytest.raises(values.Bad):
        values.identity("\t", "reddit")


@pytest.mark.parametrize(
    "reader", [values.base_url, values.name, values.zone, values.listen, values.group, values.directory]
)
@given(text=st.text(max_size=40))
def test_any_text_is_read_or_refused(reader: Callable[[str], str], text: str) -> None:
    with suppress(values.Bad):
        assert isinstance(reader(text), str)
