"""Mastodon's rate limits, shown on every API answer and enforced only when asked for; any thread may call it.

Two families: all requests of an account, and those that take something down (deleting a post, taking back a boost),
which share a much smaller one. An answer's headers speak of the family that its request belongs to.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, fields

from guardian.rehearsal.shapes import iso

LIMIT = 300
WINDOW_SECONDS = 300
DELETE_LIMIT = 30
DELETE_SECONDS = 1800.0
_DELETION = re.compile(r"DELETE /api/v1/statuses/[^/]+|POST /api/v1/statuses/[^/]+/unreblog")
_MOST = 1_000_000

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteLimit:
    """How many deletions an account has in so many seconds, which begin with its first one; or only says it has."""

    limit: int = DELETE_LIMIT
    seconds: float = DELETE_SECONDS
    enforce: bool = True

    @classmethod
    def of(cls, options: object) -> DeleteLimit:
        """What a JSON object describes; ValueError says what is wrong with it."""
        if not isinstance(options, dict) or not set(options) <= {field.name for field in fields(cls)}:
            raise ValueError("cannot limit deletions, because it takes limit, seconds and enforce")
        return cls(**options)

    def __post_init__(self) -> None:
        if type(self.limit) is not int or not 0 < self.limit <= _MOST:
            raise ValueError("cannot limit deletions, because the limit is no number above 0")
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float) or not 0 < self.seconds <= _MOST:
            raise ValueError("cannot limit deletions, because seconds are no number above 0")
        if not isinstance(self.enforce, bool):
            raise ValueError("cannot limit deletions, because enforce is yes or no")  # noqa: TRY004  # as the others


class Rates:
    """Counts per account: requests in fixed windows of five minutes, deletions in windows of their own."""

    def __init__(self, *, enforce: bool = False, deletes: DeleteLimit | None = None) -> None:
        self._enforce = enforce
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}
        self._deletes = deletes or DeleteLimit(enforce=False)
        self._deleted: dict[str, tuple[float, int]] = {}  # account -> (when its window ends, how many so far)

    def limit_deletes(self, deletes: DeleteLimit) -> None:
        """Allow another number of deletions from now on; all counts begin again."""
        with self._lock:
            self._deletes = deletes
            self._deleted.clear()

    def count(self, account: str, method: str, path: str) -> tuple[bool, Headers]:
        """Count one request: whether it may pass, and the headers that say how many are left."""
        fine, shown = self._count_any(account)
        if not fine or not _DELETION.fullmatch(f"{method} {path}"):
            return fine, shown
        return self._count_deletion(account)

    def _count_any(self, account: str) -> tuple[bool, Headers]:
        window = int(time.time()) // WINDOW_SECONDS
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            used = self._counts[account] = self._counts.get(account, 0) + 1
        # Where nothing is enforced, never show "none left": a well-behaved client would wait for nothing.
        left = max(LIMIT - used, 0 if self._enforce else 1)
        return not self._enforce or used <= LIMIT, headers(left, reset_ms=(window + 1) * WINDOW_SECONDS * 1000)

    def _count_deletion(self, account: str) -> tuple[bool, Headers]:
        now = time.time()
        with self._lock:
            rule = self._deletes
            ends, used = self._deleted.get(account, (0.0, 0))
            if now >= ends:
                ends, used = now + rule.seconds, 0
            self._deleted[account] = (ends, used + 1)
        left = max(rule.limit - used - 1, 0 if rule.enforce else 1)
        shown = headers(left, limit=rule.limit, reset_ms=int(ends * 1000) + 1)
        return not rule.enforce or used < rule.limit, shown


def headers(left: int, *, reset_ms: int, limit: int = LIMIT) -> Headers:
    """The three headers."""
    return (
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Remaining", str(left)),
        ("X-RateLimit-Reset", iso(reset_ms)),
    )
