"""When a platform says *not now*, when is it? Its headers come in several dialects.

The answer is in seconds from now.
"""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 15 * 60.0
EPOCH_FROM = 1_000_000_000


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds until the platform wants to hear from us again, between 0 and 15 minutes; None when it does not say.

    `Retry-After` (seconds or a date) comes first; else `X-RateLimit-Reset`, but only when nothing remains: Mastodon
    sends it with every answer, as an ISO time; others send an epoch or seconds.
    """
    now = time.time() if now is None else now
    said = headers.get("Retry-After")
    if said is None and headers.get("X-RateLimit-Remaining", "").strip() == "0":
        said = headers.get("X-RateLimit-Reset")
    seconds = None if said is None else _seconds(said.strip(), now)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST)


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
