"""What the fence says of itself, read from its files alone: works with the daemon dead, and asks nobody."""

from __future__ import annotations

import os

from guardian.fence import gates, marker, permits, processes, scopes
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.permits import Permit

if TYPE_CHECKING:
    from guardian.fence.house import House

OPEN, FROZEN, PARTLY, UNKNOWN, UNARMED = "open", "frozen", "partly", "unknown", "unarmed"


class Seen(NamedTuple):
    """One scope as its files show it. `unarmed`: not frozen, but no daemon has armed it since the boot."""

    scope: str
    state: str
    why: str
    epoch: int | None
    by: str | None
    at: int | None
    reason: str | None
    mark: str | None


class Reading(NamedTuple):
    """The whole fence."""

    state: str
    scopes: tuple[Seen, ...]
    why: str


def read_fence(house: House) -> Reading:
    """Every listed scope and the verdict over all of them."""
    try:
        known = scopes.listed(house)
        os.listdir(house.permits if known else house.state_dir)
        seen = tuple(read_scope(house, scope) for scope in known)
    except OSError as error:
        return Reading(UNKNOWN, (), f"{error.filename}: {error.strerror}")
    if not seen:
        return Reading(UNKNOWN, (), "this house was never armed")
    return Reading(overall(seen), seen, "")


def read_scope(house: House, scope: str) -> Seen:
    """One scope. Raises OSError when the fence's directory cannot be entered at all."""
    found = permits.read_volatile(house, scope)
    mark = marker.read(house.marker(scope))
    if isinstance(found, Permit) and mark is None:
        return Seen(scope, OPEN, "", found.epoch, None, None, None, None)
    if not os.access(house.runtime_dir, os.X_OK) and os.path.isdir(house.runtime_dir):
        raise PermissionError(13, "Permission denied", house.runtime_dir)
    durable = permits.read_durable(house, scope)
    if mark is None and isinstance(durable, Permit) and not os.path.lexists(house.permit(scope)):
        return Seen(scope, UNARMED, "no daemon has armed it since the boot", durable.epoch, None, None, None, None)
    mark = mark or marker.read(house.note(scope))
    why = "" if isinstance(found, Permit) else found.why
    if mark is None:
        return Seen(scope, FROZEN, why, None, None, None, None, None)
    return Seen(scope, FROZEN, why, None, mark.by, mark.at, mark.reason, mark.mark)


def overall(seen: tuple[Seen, ...]) -> str:
    """`frozen` when nothing can be sent at all, `partly` when something cannot, else `open`."""
    frozen = {one.scope for one in seen if one.state == FROZEN}
    if "all" in frozen or (frozen and len(frozen) == len(seen)):
        return FROZEN
    return PARTLY if frozen else OPEN


def daemon_state(house: House) -> tuple[str, int | None]:
    """`running`, `hung` (stopped, so that it cannot answer) or `absent`, and the pid."""
    try:
        pid = gates.locker(house.daemon_lock)
    except PermissionError:  # seen from outside, its socket is all that there is to see
        return ("running" if os.path.exists(house.socket) else "absent"), None
    if pid is None:
        return "absent", None
    return ("hung" if processes.is_stopped(pid) else "running"), pid
