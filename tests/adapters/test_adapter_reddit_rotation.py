"""A refresh token that Reddit changes: on the disk before it is used, asked for in turns, never spent twice."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Doubt, TokenRefused
from guardian.gate import recording
from tests.adapters.reddit_double import Next
from tests.adapters.reddit_room import SECRETS, account_at, adapter_at, double

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.reddit_account import RedditAdapter
    from guardian.model import Exchange
    from tests.adapters.reddit_double import RedditDouble

__all__ = ["double"]

TOKEN = "/api/v1/access_token"
CONFIGURED = SECRETS["refresh_token"]
ONCE = 6  # adapters of one account
IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from tests.adapters.reddit_room import account_at, adapter_at
print(adapter_at(account_at(sys.argv[1]), keep_in=Path(sys.argv[2])).whoami().handle)
"""


@pytest.fixture
def rotating(double: RedditDouble) -> RedditDouble:
    """Every refresh token is good for one use."""
    double.refresh = CONFIGURED
    return double


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


def used(double: RedditDouble) -> list[str]:
    return [one.said["refresh_token"] for one in double.asked(TOKEN)]


def again(adapter: RedditAdapter) -> str:
    """Its hour is over."""
    adapter._client.core.authorizer.access_token = None
    return adapter.whoami().handle


def test_a_token_that_is_good_once_is_followed_by_its_successor_over_restarts(
    rotating: RedditDouble, place: Path
) -> None:
    for _ in range(2):  # two lives
        adapter = adapter_at(account_at(rotating.url), keep_in=place)
        for _ in range(2):
            with contextlib.suppress(TokenRefused):
                again(adapter)
    assert used(rotating) == [CONFIGURED, "hush-rotated-1", "hush-rotated-2", "hush-rotated-3"]


def test_all_adapters_of_an_account_log_in_one_after_the_other_and_spend_no_token_twice(
    rotating: RedditDouble, place: Path
) -> None:
    adapters = [adapter_at(account_at(rotating.url), within=10.0, keep_in=place) for _ in range(ONCE)]
    with ThreadPoolExecutor(ONCE) as pool:
        assert list(pool.map(again, adapters)) == ["u/acme_brand"] * ONCE
    assert len(set(used(rotating))) == ONCE
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, rotating.url, str(place)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.endswith(
        "u/acme_brand\n"
    )
    assert again(adapters[0]) == "u/acme_brand"
    assert len(set(used(rotating))) == ONCE + 2


def test_another_configured_token_is_used_and_what_was_kept_under_the_old_one_is_forgotten(
    rotating: RedditDouble, place: Path
) -> None:
    adapter_at(account_at(rotating.url), keep_in=place).whoami()
    rotating.refresh = "hush-by-a-person"
    mended = account_at(rotating.url, {**SECRETS, "refresh_token": "hush-by-a-person"})
    assert adapter_at(mended, keep_in=place).whoami().handle == "u/acme_brand"
    assert used(rotating) == [CONFIGURED, "hush-by-a-person"]


def test_a_kept_token_that_reddit_takes_no_more_falls_back_to_the_configured_one(
    rotating: RedditDouble, place: Path
) -> None:
    adapter_at(account_at(rotating.url), keep_in=place).whoami()
    rotating.refresh = CONFIGURED  # somebody has made it good again
    adapter = adapter_at(account_at(rotating.url), keep_in=place)
    assert adapter.whoami().handle == "u/acme_brand"
    assert again(adapter) == "u/acme_brand"
    assert used(rotating) == [CONFIGURED, "hush-rotated-1", CONFIGURED, "hush-rotated-3"]
    rotating.refresh = "hush-elsewhere"
    with pytest.raises(TokenRefused):
        again(adapter)
    assert used(rotating)[-1] == CONFIGURED


def test_a_lost_answer_leaves_what_was_kept_and_a_token_that_does_not_change_is_never_written(
    double: RedditDouble, place: Path
) -> None:
    adapter = adapter_at(account_at(double.url), keep_in=place)
    adapter.whoami()
    assert [path.suffix for path in place.iterdir()] == [".turn"]
    double.next(TOKEN, Next(status=503))
    with pytest.raises(Exception, match="503"):
        again(adapter)
    assert again(adapter) == "u/acme_brand"
    assert used(double) == [CONFIGURED] * 3


def test_a_full_disk_stops_no_login_and_the_token_goes_to_the_disk_as_soon_as_there_is_room(
    rotating: RedditDouble, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = adapter_at(account_at(rotating.url), keep_in=place)
    place.mkdir(mode=0o700)
    (place / "acme.sealed").mkdir()  # what stands in the way as a full disk does
    assert [again(adapter), again(adapter)] == ["u/acme_brand"] * 2
    assert capsys.readouterr().out.count("refresh token not kept") == 2
    (place / "acme.sealed").rmdir()
    again(adapter)
    assert adapter_at(account_at(rotating.url), keep_in=place).whoami().handle == "u/acme_brand"
    assert used(rotating)[-2:] == ["hush-rotated-2", "hush-rotated-3"]


def test_whoever_has_the_turn_for_too_long_is_waited_for_and_then_doubted(
    rotating: RedditDouble, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = adapter_at(account_at(rotating.url), keep_in=place)
    keeping = adapter._client._tokens._keeping
    monkeypatch.setattr(type(keeping).turn, "__kwdefaults__", {"within": 0.05}, raising=False)
    with keeping.turn(), pytest.raises(Doubt, match="somebody else has been at it"):
        adapter.whoami()
    assert used(rotating) == []


def test_neither_disk_nor_log_nor_record_shows_a_token_that_reddit_gave(
    rotating: RedditDouble, place: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    kept: list[Exchange] = []
    with recording.record(kept.append):
        adapter = adapter_at(account_at(rotating.url), keep_in=place)
        adapter.whoami()
        again(adapter)
        rotating.refresh = "hush-elsewhere"
        with pytest.raises(TokenRefused) as told:
            again(adapter)
    files = b"".join(path.read_bytes() for path in place.iterdir())
    out = capsys.readouterr()
    said = caplog.text + out.out + out.err + "".join(map(repr, kept)) + repr(told.value) + str(told.value)
    assert len(kept) >= 4
    assert "hush-" not in said
    assert b"hush-" not in files
