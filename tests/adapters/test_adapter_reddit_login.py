"""Logging in at Reddit: with what we were given and nothing else, through the gate, and never told to anybody."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake, Doubt, GuardianError, Refusal, TokenRefused
from guardian.gate import recording
from guardian.gate.intents import retracting
from guardian.model import Part
from tests.adapters.reddit_double import PAGE, Next
from tests.adapters.reddit_double import TOKEN as ACCESS
from tests.adapters.reddit_room import SECRETS, Room, account_at, adapter_at, double, room

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.model import Exchange
    from tests.adapters.reddit_double import RedditDouble

__all__ = ["double", "room"]

TOKEN = "/api/v1/access_token"


def test_a_refresh_token_is_handed_to_reddit_alone_once_for_as_long_as_it_lasts(room: Room) -> None:
    assert room.adapter.whoami().handle == "u/acme_brand"
    (asked,) = room.double.asked(TOKEN)
    assert asked.said == {"grant_type": "refresh_token", "refresh_token": SECRETS["refresh_token"]}
    assert asked.login.startswith("Basic ")
    assert room.adapter.whoami().id == "t2_9zzz"
    assert room.double.logins == 1


def test_a_script_logs_in_by_the_name_of_its_identity_and_its_password(double: RedditDouble) -> None:
    secrets = {name: value for name, value in SECRETS.items() if name != "refresh_token"}
    adapter = adapter_at(account_at(double.url, {**secrets, "password": "hush-password"}))
    assert adapter.whoami().handle == "u/acme_brand"
    assert double.asked(TOKEN)[0].said == {
        "grant_type": "password",
        "username": "acme_brand",
        "password": "hush-password",
    }


def test_a_login_that_is_lacking_never_becomes_a_reader_without_a_name(double: RedditDouble) -> None:
    secrets = {name: value for name, value in SECRETS.items() if name != "refresh_token"}
    with pytest.raises(ConfigMistake, match="neither refresh_token nor password"):
        adapter_at(account_at(double.url, secrets))
    with pytest.raises(ConfigMistake, match='identity = "u/NAME"'):
        adapter_at(account_at(double.url, identity="@acme@reddit.com"))
    for base in ("https://reddit.com", "https://oauth.reddit.com", "https://old.reddit.com", "https://evil.example"):
        with pytest.raises(ConfigMistake, match=r'base_url = "https://www[.]reddit[.]com"'):
            adapter_at(account_at(base))
    assert adapter_at(account_at("https://www.reddit.com"))  # connects to nothing yet
    assert double.log == []


def test_neither_a_praw_ini_nor_the_environment_nor_pypi_has_a_say(
    double: RedditDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = "[DEFAULT]\noauth_url=http://127.0.0.1:9\nreddit_url=http://127.0.0.1:9\nratelimit_seconds=600\n"
    (tmp_path / "praw.ini").write_text(planted + "[evil]\nclient_id=evil\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("client_id", "client_secret", "refresh_token", "username", "password", "user_agent"):
        monkeypatch.setenv(f"praw_{name}", "evil")
    monkeypatch.setenv("praw_site", "evil")
    monkeypatch.setenv("praw_check_for_updates", "true")
    adapter = adapter_at(account_at(double.url))
    settings = adapter._client.reddit.config
    assert (settings.client_id, settings.username, settings.password) == (SECRETS["client_id"], None, None)
    assert (settings.ratelimit_seconds, settings.check_for_updates, settings.check_for_async) == (-1, False, False)
    assert not adapter._client.reddit.read_only
    assert adapter.whoami().handle == "u/acme_brand"


@pytest.mark.parametrize(
    "what",
    [
        Next(status=400, body={"message": "Bad Request", "error": 400}),
        Next(status=401, body={"message": "Unauthorized", "error": 401}),
        Next(body={"error": "invalid_grant"}),
    ],
    ids=["revoked", "wrong app", "wrong password"],
)
def test_a_login_that_reddit_takes_no_more_says_which_file_to_mend_and_nothing_of_what_is_in_it(
    double: RedditDouble, what: Next
) -> None:
    double.next(TOKEN, what)
    adapter = adapter_at(account_at(double.url))
    with pytest.raises(TokenRefused, match="refresh_token or password into its file") as told:
        adapter.whoami()
    assert not [value for value in SECRETS.values() if value in str(told.value)]
    assert adapter.whoami().handle == "u/acme_brand"


@pytest.mark.parametrize("path", [TOKEN, "/api/v1/me"])
def test_an_app_that_was_not_approved_is_told_so_in_words(double: RedditDouble, path: str) -> None:
    double.next(path, Next(status=403, body=PAGE, type="text/html"))
    with pytest.raises(Refusal, match=r"approved.*docs/accounts/reddit[.]md"):
        adapter_at(account_at(double.url)).whoami()


def test_a_suspended_account_is_named_and_not_used(double: RedditDouble) -> None:
    double.me["is_suspended"] = True
    with pytest.raises(Refusal, match="u/acme_brand, because Reddit has suspended it"):
        adapter_at(account_at(double.url)).whoami()


@pytest.mark.parametrize("body", [PAGE, b"{}", b"[]", b'{"name": "acme_brand"}', b'{"name": 7, "id": 8}'])
def test_an_answer_that_names_nobody_is_no_identity(double: RedditDouble, body: bytes) -> None:
    double.next("/api/v1/me", Next(body=body))
    with pytest.raises(Doubt, match="named nobody"):
        adapter_at(account_at(double.url)).whoami()


def test_a_token_that_was_taken_away_is_asked_for_again_by_a_look_and_by_many_at_once(room: Room) -> None:
    ref = room.made(Part(text="Fresh bread", visibility="r/acme"))
    room.double.token = "access-2"
    assert {answer.status for answer in room.looked(ref).values()} == {200}
    assert room.double.logins <= 3  # one before; at the most one for each that had the old one
    assert room.adapter.presence(ref).value == "there"


def test_a_login_that_fails_for_good_ends_every_look_after_one_more_try(room: Room) -> None:
    room.double.token = "another"
    for _ in range(3):
        room.double.next(TOKEN, Next(body={"access_token": "stale", "expires_in": 3600, "scope": "*"}))
    with pytest.raises(TokenRefused):
        room.adapter.whoami()
    assert len(room.double.asked("/api/v1/me")) == 3  # one when the room was made


def test_no_secret_is_in_a_log_an_error_or_a_record(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kept: list[Exchange] = []
    with recording.record(kept.append):
        adapter = adapter_at(room.account)
        adapter.whoami()
        room.adapter = adapter
        room.publish(Part(text="A secret launch", visibility="r/acme"))
    told = caplog.text + "".join(map(repr, kept)) + repr(room.account) + repr(retracting(room.account, "t3_1"))
    assert len(kept) == 3
    for secret in (*SECRETS.values(), ACCESS):
        assert secret not in told
    assert "A secret launch" not in caplog.text


def test_a_house_without_reddit_never_imports_its_library() -> None:
    code = "import sys; from adapters.reddit import MAKER; assert MAKER; print('praw' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip() == "False"


def test_a_login_that_is_answered_with_503_is_nobodys_word_on_the_token(double: RedditDouble) -> None:
    double.next(TOKEN, Next(status=503))
    adapter = adapter_at(account_at(double.url))
    with pytest.raises(Exception, match="503") as told:
        adapter.whoami()
    assert not isinstance(told.value, GuardianError)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7", {"access_token": "x", "expires_in": 60}, {"scope": 7}])
def test_an_answer_to_a_login_that_is_none_is_said_to_be_that(
    double: RedditDouble, body: bytes | dict[str, object]
) -> None:
    double.next(TOKEN, Next(body=body))
    with pytest.raises(Doubt, match="because its answer is no login"):
        adapter_at(account_at(double.url)).whoami()
