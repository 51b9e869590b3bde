"""What the lanes know of their platforms, for whoever enters posts: what they accept, whether we may. Any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guardian.duties.lane import Lane
    from guardian.model import Limits, Part, Problem


class LanePlatforms:
    """The platforms behind the lanes that there are now."""

    def __init__(self, lanes: Callable[[], Iterable[Lane]]) -> None:
        self._lanes = lanes

    def problems(self, account: str, part: Part) -> Sequence[Problem] | None:
        """What the platform would refuse; None while it has not said what it accepts."""
        lane = self._lane(account)
        limits = None if lane is None else lane.publishing.limits
        return None if lane is None or limits is None else lane.publishing.adapter.check(part, limits)

    def limits(self, account: str) -> Limits | None:
        """What the platform has said that it accepts; None: it has not said yet."""
        lane = self._lane(account)
        return None if lane is None else lane.publishing.limits

    def refused(self, account: str) -> str | None:
        """Why the platform does not let us post there, when it has said so: the reason alone, for a sentence."""
        lane = self._lane(account)
        if lane is None or not lane.disowned or lane.trouble is None:
            return None
        return lane.trouble.rpartition("because ")[2].partition(", do ")[0]

    def _lane(self, account: str) -> Lane | None:
        return next((lane for lane in self._lanes() if lane.account.name == account), None)
