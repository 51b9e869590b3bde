"""What landed although a freeze of it had been ordered: one line in the journal for each, so that it can be taken down.

Nothing that begins after CONFIRMED can land; what had left before, or was leaving, can. Its outcome may come long after
the freeze has answered, so the watch asks again as long as the incident is open. Any thread may call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.store import incidents, journal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Database, Tx

WHO = "guardian"
KIND = "landed during freeze"


def note_landed(database: Database, *, now: int, within: float = 2.0) -> int:
    """Write down what has landed since a freeze was ordered and no line names yet; how many. Raises Doubt, Busy."""
    with database.reading() as tx:
        if not _unnoted(tx):
            return 0
    with database.transaction(within=within) as tx:
        incident = incidents.current(tx)
        if incident is None:
            return 0
        found = _unnoted(tx)
        for row in found:
            facts = {key: row[key] for key in ("post", "account", "platform_id", "url")}
            journal.append(tx, KIND, who=WHO, now=now, incident=incident.id, landed_at=row["at"], **facts)
    return len(found)


def _unnoted(tx: Tx) -> list[Any]:
    incident = incidents.current(tx)
    if incident is None:
        return []
    rows = Q.landed_under_freeze(tx, since=incident.opened_at)
    return [row for row in rows if not _noted(tx, row)]


def _noted(tx: Tx, row: Any) -> bool:  # noqa: ANN401 (a row of the database)
    lines = journal.of_kind(tx, row["post"], KIND)
    return any(line.data.get("platform_id") == row["platform_id"] for line in lines)
