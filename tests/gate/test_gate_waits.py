"""When a platform says *not now*: whatever it writes there, the wait is bounded, and nothing breaks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies
from requests.structures import CaseInsensitiveDict

from guardian.gate import waits
from guardian.gate.waits import LONGEST, retry_after

NOW = 1_795_000_000.0
ABSURD = (
    "-1", "-1e308", "1e308", "1e309", "nan", "-nan", "inf", "-inf", "infinity", "0", "-0", "0x10", "1_000", "",
    " ", ",", ";", ":", "\t", "\x00", "soon", "1, 2", "60, 120", "60;60", "९", "Thu", "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 00 Jan 0000 00:00:00 GMT",
    "Fri, 31 Dec 99999 23:59:59 GMT", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "31536000000", "1795000060", "1795000060000", "99999999999999999999999",
    "9" * 5000, "9" * 60_000, "-" * 60_000, "Thu, " * 10_000, "1" + "0" * 400, "Thu, 01 Jan 1970 00:00:00 +99999999999",
)  # fmt: skip


def fine(found: float | None) -> bool:
    return found is None or 0 <= found <= LONGEST


@pytest.mark.parametrize("said", ABSURD, ids=lambda said: repr(said[:30]))
def test_an_absurd_stated_time_is_none_or_a_bounded_wait(said: str) -> None:
    began = time.monotonic()
    assert fine(retry_after({"Retry-After": said}, now=NOW))
    assert fine(retry_after({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": said}, now=NOW))
    assert time.monotonic() - began < 1  # 60,000 characters are one header's worth


@given(strategies.text() | strategies.from_regex(r"[-+0-9eE.:TZ, a-zA-Z]*"), strategies.floats(-1e12, 1e12))
def test_no_stated_time_raises_and_none_is_longer_than_it_may_be(said: str, now: float) -> None:
    assert fine(retry_after({"Retry-After": said}, now=now))
    assert fine(retry_after({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": said}, now=now))


@given(
    strategies.dictionaries(
        strategies.sampled_from(
            ("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Limit", "Date")
        ),
        strategies.text(),
    )
)
def test_any_mixture_of_headers_is_none_or_a_bounded_wait(headers: dict[str, str]) -> None:
    assert fine(retry_after(headers, now=NOW))


@given(strategies.floats(0, LONGEST), strategies.sampled_from(("seconds", "http", "iso", "epoch")))
def test_every_dialect_says_the_same_time(seconds: float, dialect: str) -> None:
    moment = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)
    said = {
        "seconds": str(seconds),
        "http": format_datetime(moment, usegmt=True),
        "iso": moment.isoformat(),
        "epoch": str(NOW + seconds),
    }[dialect]
    found = retry_after({"Retry-After": said}, now=NOW)
    assert found is not None
    assert abs(found - seconds) <= 1.01


def test_a_reset_counts_only_when_nothing_remains() -> None:
    """Mastodon sends it with every answer: whoever believed it always would rest after each post."""
    headers = {"X-RateLimit-Remaining": "17", "X-RateLimit-Reset": str(NOW + 60)}
    assert retry_after(headers, now=NOW) is None
    assert retry_after(headers | {"X-RateLimit-Remaining": " 0 "}, now=NOW) == 60


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(NOW) + 60)}, 60),  # X
        ({"x-rate-limit-remaining": "9", "x-rate-limit-reset": str(int(NOW) + 60)}, None),
        (  # X, of a day: believed for a quarter of an hour
            {"x-rate-limit-remaining": "9", "x-user-limit-24hour-remaining": "0"}
            | {"x-user-limit-24hour-reset": str(int(NOW) + 80_000)},
            LONGEST,
        ),
        ({"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "240"}, 240),  # Reddit
        ({"ratelimit-limit": "30", "ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW) + 7)}, 7),  # Bluesky
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-11-18T11:07:00.000Z"}, 20),  # Mastodon
        ({"x-rate-limit-remaining": "0"}, None),
    ],
)
def test_every_platform_is_understood_in_its_own_dialect(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(CaseInsensitiveDict(headers), now=NOW) == wait


def test_several_headers_of_one_name_are_no_stated_time() -> None:
    """The libraries join them with a comma, which is neither a number nor a date."""
    assert retry_after(CaseInsensitiveDict({"retry-after": "60, 5"}), now=NOW) is None


def test_without_headers_nothing_is_stated() -> None:
    assert waits.retry_after({}) is None
