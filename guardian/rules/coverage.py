"""Does a freeze cover this account? Deny wins.

One freeze that covers it is enough, and a narrow thaw lifts no wide freeze.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.model import Account, Freeze


def covering(account: Account, freezes: Iterable[Freeze]) -> tuple[Freeze, ...]:
    """The freezes in force that cover sends from `account`, widest first."""
    scopes = set(account.scopes)
    found = (freeze for freeze in freezes if freeze.lifted_at is None and freeze.scope in scopes)
    return tuple(sorted(found, key=lambda freeze: (_width(freeze.scope), freeze.at, freeze.id)))


def covered(account: Account, freezes: Iterable[Freeze]) -> bool:
    """Whether anything stops sends from `account`."""
    return bool(covering(account, freezes))


def frozen_until(account: Account, freezes: Iterable[Freeze], now: int) -> int:
    """The last moment at which a freeze covered `account`: `now` if one does, else the latest lift; 0 if none ever did.

    A post that is due before this moment and still unsent had its time pass under a freeze. A lift that is still to
    come was written by a clock that has gone back since: it says nothing about what is entered now.
    """
    scopes = set(account.scopes)
    ends = [now if freeze.lifted_at is None else freeze.lifted_at for freeze in freezes if freeze.scope in scopes]
    return max((end for end in ends if end <= now), default=0)


def _width(scope: str) -> int:
    order = ("all", "platform", "brand", "account")
    return order.index(scope.partition(":")[0])
