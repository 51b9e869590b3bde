"""What was ordered and answered, on one clock, and the rule from it: when no byte may arrive.

**The rule.** Let a freeze of scope S begin at b and be CONFIRMED at R, and a thaw of S be requested at q and answered
at a. A thaw that was answered before CONFIRMED (a < R) never opens what was CONFIRMED. One that names the freezes that
its person was shown, and was requested before this freeze began (q < b), never does either, however slow it is. A blind
one, which lifts whatever there is, may come last whenever the two overlap. Every other thaw ends the freeze from q on;
where that is before R, nothing is promised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

FOR_EVER = 1 << 62


@dataclass
class Stop:
    """One freeze, as its door told it. Times are monotonic ns; `confirmed_at` None means that it was not confirmed."""

    door: str
    scopes: tuple[str, ...]
    began: int
    confirmed_at: int | None = None
    returned: int = 0
    code: int | None = None
    document: dict[str, Any] = field(default_factory=dict)
    in_flight: list[tuple[str, str]] | None = None
    killed: bool = False
    said: str = ""
    elapsed: float | None = None  # ms, by the product's own word: without the start of a Python process

    @property
    def milliseconds(self) -> float:
        """From the call to CONFIRMED, as the caller felt it."""
        return ((self.confirmed_at or self.returned) - self.began) / 1e6


class Thaw(NamedTuple):
    """One thaw: requested just after `requested`, answered before `answered`; a blind one names no freezes."""

    scopes: tuple[str, ...]
    requested: int
    answered: int
    blind: bool
    opened: bool


class Closed(NamedTuple):
    """No byte of a publishing request that `scope` covers may arrive between these two instants."""

    scope: str
    start: int
    end: int


class History:
    """Every stop and every thaw of one house."""

    def __init__(self) -> None:
        self.stops: list[Stop] = []
        self.thaws: list[Thaw] = []

    def closed(self) -> list[Closed]:
        """The stretches during which the promise is in force."""
        found = []
        for stop in self.stops:
            if stop.confirmed_at is None:
                continue
            for scope in stop.scopes:
                end = self._end(scope, stop.began, stop.confirmed_at)
                if end > stop.confirmed_at:
                    found.append(Closed(scope, stop.confirmed_at, end))
        return found

    def _end(self, scope: str, began: int, confirmed: int) -> int:
        ends = [
            thaw.requested
            for thaw in self.thaws
            if scope in thaw.scopes and (thaw.blind or thaw.requested > began) and thaw.answered > confirmed
        ]
        return min(ends, default=FOR_EVER)

    @property
    def worst(self) -> float:
        """The slowest confirmed stop, in milliseconds as the caller felt it."""
        return max((stop.milliseconds for stop in self.stops if stop.confirmed_at), default=0.0)
