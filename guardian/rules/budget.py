"""How many deletions a platform takes in a while, and when the next ones may go.

Pure. Times are milliseconds. Mastodon takes 30 in 30 minutes from one account, whatever its other limits say
(platforms 3); whoever asks for a 31st is told to wait, and may lose the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def times(past: Sequence[int], *, now: int, wanted: int, count: int, window: int) -> list[int]:
    """When each of the next `wanted` requests may go, so that no window of that length holds more than `count`.

    `past` are the moments of those that went, in order. A moment in the future (the clock went back) counts as now.
    """
    went = sorted(min(at, now) for at in past)[-count:] if count > 0 else []
    found: list[int] = []
    for _ in range(wanted):
        oldest = went[-count] if count > 0 and len(went) >= count else None
        at = now if oldest is None else max(now, oldest + window + 1)
        if found:
            at = max(at, found[-1])
        found.append(at)
        went.append(at)
    return found
