"""What the tokens of an account may do: everything that is usual, or less when a test says so; any thread may ask."""

from __future__ import annotations

import threading

USUAL = ("read", "write")
OUTSIDE = "This action is outside the authorized scopes"


class TokenRights:
    """By account: its scopes, or none any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, tuple[str, ...]] = {}

    def limit(self, name: str, scopes: tuple[str, ...]) -> None:
        """From now on its tokens have these scopes; with none they are no tokens any more."""
        with self._lock:
            self._of[name] = scopes

    def of(self, name: str) -> tuple[str, ...]:
        """The scopes of an account's tokens."""
        with self._lock:
            return self._of.get(name, USUAL)

    def covers(self, name: str, wanted: str) -> bool:
        """Whether a token may do what takes this scope; `write` covers `write:statuses`, as at Mastodon."""
        return bool({wanted, wanted.partition(":")[0]} & set(self.of(name)))
