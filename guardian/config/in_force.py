"""The configuration in force: one immutable snapshot, swapped whole. Any thread may read it; the reload alone swaps it.

Whoever needs something of it reads `settings` once for each piece of work, and keeps nothing of it beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.config.settings import Settings

IN_FORCE, REFUSED = "in force", "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the file when it was last read: `in force` or `refused`, when (ms), and what was wrong."""

    state: str
    at: int
    why: str = ""


class InForce:
    """The settings that hold now, and whether the file has been refused since."""

    def __init__(self, settings: Settings, *, at: int = 0) -> None:
        self._settings = settings
        self._verdict = Verdict(IN_FORCE, at)

    @property
    def settings(self) -> Settings:
        """The snapshot. Another one may hold a moment later."""
        return self._settings

    @property
    def verdict(self) -> Verdict:
        """What became of the last reading."""
        return self._verdict

    def swap(self, settings: Settings, *, at: int) -> None:
        """From now on, these hold."""
        self._settings = settings
        self._verdict = Verdict(IN_FORCE, at)

    def refuse(self, why: str, *, at: int) -> None:
        """What the file says now cannot be used: the settings stay, until a later reading succeeds."""
        self._verdict = Verdict(REFUSED, at, why)
