"""Mastodon's rate limit, shown on every API answer and enforced only when asked for; any thread may call it."""

from __future__ import annotations

import threading
import time

from guardian.rehearsal.shapes import iso

LIMIT = 300
WINDOW_SECONDS = 300


class Rates:
    """Counts per account in fixed windows of five minutes."""

    def __init__(self, *, enforce: bool = False) -> None:
        self._enforce = enforce
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def count(self, account: str) -> tuple[bool, tuple[tuple[str, str], ...]]:
        """Count one request: whether it may pass, and the headers that say how many are left."""
        seconds = int(time.time())
        window = seconds // WINDOW_SECONDS
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            used = self._counts[account] = self._counts.get(account, 0) + 1
        # Where nothing is enforced, never show "none left": a well-behaved client would wait for nothing.
        left = max(LIMIT - used, 0 if self._enforce else 1)
        return not self._enforce or used <= LIMIT, headers(left, reset_ms=(window + 1) * WINDOW_SECONDS * 1000)


def headers(left: int, *, reset_ms: int) -> tuple[tuple[str, str], ...]:
    """The three headers."""
    return (
        ("X-RateLimit-Limit", str(LIMIT)),
        ("X-RateLimit-Remaining", str(left)),
        ("X-RateLimit-Reset", iso(reset_ms)),
    )
