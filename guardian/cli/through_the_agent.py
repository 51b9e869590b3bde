"""What the fence says of itself, by its agent: for people who may not see its files, while the daemon is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.fence import reading, telling
from guardian.fence.reading import Reading, Seen

if TYPE_CHECKING:
    from guardian.fence.house import House

WITHIN = 2.0
STATES = frozenset({reading.OPEN, reading.FROZEN, reading.PARTLY})
DAEMONS = frozenset({"running", "hung", "absent"})
MOST = 10_000


def read(house: House) -> tuple[Reading, str] | None:
    """The fence, and how the daemon is; None: no agent answers, or with something else."""
    try:
        status, found = telling.ask(house.fence_socket, "GET", "/v1/fence", within=WITHIN)
        if status != 200 or not isinstance(found, dict) or found.get("state") not in STATES:  # noqa: PLR2004 (done)
            return None
        rows = found.get("scopes")
        if not isinstance(rows, list) or found.get("daemon") not in DAEMONS:
            return None
        return Reading(str(found["state"]), tuple(_seen(one) for one in rows[:MOST]), ""), str(found["daemon"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _seen(one: dict[str, Any]) -> Seen:
    """Raises what the form raises when it is another."""
    at, epoch = one["at"], one["epoch"]
    return Seen(
        scope=str(one["scope"]),
        state=str(one["state"]),
        why=str(one["why"]),
        epoch=None if epoch is None else int(epoch),
        by=None if one["by"] is None else str(one["by"]),
        at=None if at is None else int(at),
        reason=None if one["reason"] is None else str(one["reason"]),
        mark=None,
    )
