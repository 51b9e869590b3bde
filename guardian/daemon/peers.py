"""Who is at the other end of the control socket: the same word of the kernel that the fence agent goes by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from guardian.fence.peers import NOBODY, Peer, Right, peer_of

if TYPE_CHECKING:
    from guardian.config.in_force import InForce

__all__ = ["NOBODY", "Peer", "Right", "RightsInForce", "peer_of"]


class RightsInForce(Mapping[Right, tuple[str, ...]]):
    """The groups of each right as the configuration in force has them, at the moment of asking."""

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force

    def __getitem__(self, right: Right) -> tuple[str, ...]:
        groups: tuple[str, ...] = getattr(self._in_force.settings.rights, right.value)
        return groups

    def __iter__(self) -> Iterator[Right]:
        return iter(Right)

    def __len__(self) -> int:
        return len(Right)
