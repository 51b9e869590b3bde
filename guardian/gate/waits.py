"""When a platform says *not now*, when is it? Its headers come in several dialects.

The answer is in seconds from now.
"""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST = 15 * 60.0
EPOCH_FROM = 1_000_000_000
NOTHING = ("0", "0.0")  # Reddit counts in tenths
LIMITS = (
    ("X-RateLimit-Remaining", "X-RateLimit-Reset"),  # Mastodon, Reddit
    ("x-rate-limit-remaining", "x-rate-limit-reset"),  # X: of fifteen minutes,
    ("x-app-limit-24hour-remaining", "x-app-limit-24hour-reset"),  # and of a day
    ("x-user-limit-24hour-remaining", "x-user-limit-24hour-reset"),
    ("RateLimit-Remaining", "RateLimit-Reset"),  # Bluesky
)


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds until the platform wants to hear from us again, between 0 and 15 minutes; None when it does not say.

    `Retry-After` (seconds or a date) comes first; else the reset of a limit of which nothing remains, because it comes
    with every answer: Mastodon says an ISO time, Reddit seconds, X and Bluesky an epoch. Of several the latest.
    """
    now = time.time() if now is None else now
    said = headers.get("Retry-After")
    waits = [_seconds(said.strip(), now)] if said is not None else [_seconds(one, now) for one in _resets(headers)]
    seconds = max((one for one in waits if one is not None), default=None)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST)


def _resets(headers: Mapping[str, str]) -> Iterator[str]:
    for remaining, reset in LIMITS:
        if headers.get(remaining, "").strip() in NOTHING and reset in headers:
            yield headers[reset].strip()


def _seconds(said: str, now: float) -> float | None:
    try:
        number = float(said)
    except ValueError:
        moment = _moment(said)
        return None if moment is None else moment.timestamp() - now
    if number != number:  # noqa: PLR0124 (only a NaN is not itself)
        return None
    return number - now if number > EPOCH_FROM else number


def _moment(said: str) -> datetime | None:
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(said)
        except (ValueError, TypeError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
