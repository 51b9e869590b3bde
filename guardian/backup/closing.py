"""The fence of a house that is being restored: `all` is frozen, durably, before the new house counts.

Nothing is sent, then, until a person thaws; not after a crash, not after a reboot. The narrower scopes are left as they
were, or as new ones are: whoever thaws `all` lifts one freeze, and not one for each account. Under the house's locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.errors import Refusal
from guardian.fence import arming, limited, marker, permits, scopes
from guardian.fence.permits import Permit
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.fence.house import House

ALL = "all"


def epochs(house: House) -> dict[str, int]:
    """The epochs that this fence has durably recorded, which a restored store must not fall behind (invariant I9)."""
    found = {scope: permits.read_durable(house, scope) for scope in scopes.listed(house)}
    return {scope: permit.epoch for scope, permit in found.items() if isinstance(permit, Permit)}


def close(house: House, *, reason: str, by: str) -> None:
    """Freeze everything. A freeze that stands keeps its words behind the new ones. Raises Refusal if it is not sure."""
    arming.keep_closed(house, ALL)  # after a boot: its gate vouches for us, who run nothing
    before = marker.of(house, ALL)
    if before is not None and before.reason and not before.reason.startswith(reason):
        reason = f"{reason}; frozen before by {before.by}: {before.reason}"
    with Stopping(house, Order((ALL,), reason, by), may_kill=False) as stop:
        stop.confirm()
        stop.settle(limited.within)
        why = next((f"{one.scope}: {one.why}" for one in stop.unconfirmed), stop.not_durable)
        if why or not stop.confirmed:
            raise Refusal(f"cannot restore, because the fence cannot be closed ({why})", fix="run: guardian freeze")


def settle(house: House, known: Mapping[str, int], frozen: frozenset[str]) -> None:
    """Let the narrower scopes be armed at the next start, by the epochs of the restored store.

    Those that are new here, and those that are armed here; never one that is closed here, or frozen by the store.
    """
    listed = scopes.listed(house)
    for scope, epoch in known.items():
        closed = scope in listed and (
            not isinstance(permits.read_durable(house, scope), Permit) or marker.of(house, scope) is not None
        )
        if scopes.is_scope(scope) and scope != ALL and scope not in frozen and not closed:
            scopes.enlist(house, scope)
            permits.write_durable(house, scope, epoch=epoch)
