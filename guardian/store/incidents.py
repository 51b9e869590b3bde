"""Incidents in the store: at most one is open, and it owns every line of the journal from its first to its last.

Inside a caller's transaction. What was said and done during it stands in the journal alone: here is only where it
begins and where it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.errors import Illegal, Unfound
from guardian.model import Incident
from guardian.store import journal
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from guardian.store.database import Tx

OPENED, CLOSED = "incident opened", "incident closed"


def open_or_join(tx: Tx, *, reason: str, by: str, cause: str, now: int) -> tuple[Incident, bool]:
    """The open incident, or a new one; with it whether it is new.

    `cause` is freeze, takedown, snapshot or person. Whoever comes second joins the first, whose words stand.
    """
    standing = current(tx)
    if standing is not None:
        return standing, False
    incident = new_id("i")
    entry = journal.append(tx, OPENED, who=by, now=now, incident=incident, reason=reason, cause=cause)
    Q.insert_incident(tx, id=incident, reason=reason, by_whom=by, at=now, seq=entry.seq)
    return get(tx, incident), True


def current(tx: Tx) -> Incident | None:
    """The incident that nobody has closed yet."""
    row = Q.open_incident(tx)
    return None if row is None else to_incident(row)


def latest(tx: Tx) -> Incident | None:
    """The incident that was opened last, open or closed."""
    row = Q.latest_incident(tx)
    return None if row is None else to_incident(row)


def get(tx: Tx, incident: str) -> Incident:
    """One incident. Raises Unfound."""
    row = Q.incident_by_id(tx, id=incident)
    if row is None:
        raise Unfound(f"cannot find the incident {incident!r}, because there is none", fix="guardian incident list")
    return to_incident(row)


def page(tx: Tx, *, before: int | None = None, limit: int) -> list[Incident]:
    """Incidents, newest first; `before` is the `opened_seq` of the last one of the page before."""
    return [to_incident(row) for row in Q.incidents_before(tx, before=before, limit=limit)]


def close(tx: Tx, incident: Incident, *, reason: str, by: str, now: int) -> Incident:
    """Close an incident; the line that says so is its last. Raises Illegal when somebody has closed it before."""
    if get(tx, incident.id).closed_at is not None:
        raise Illegal(f"cannot close {incident.id}, because it is closed already", fix="guardian incident show")
    entry = journal.append(tx, CLOSED, who=by, now=now, incident=incident.id, reason=reason)
    Q.close_incident(tx, id=incident.id, now=now, by_whom=by, seq=entry.seq)
    return get(tx, incident.id)


def to_incident(row: Any) -> Incident:  # noqa: ANN401 (a row of the database)
    """A row as an Incident."""
    return Incident(
        id=row["id"],
        reason=row["reason"],
        by=row["by_whom"],
        opened_at=row["opened_at"],
        opened_seq=row["opened_seq"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        closed_seq=row["closed_seq"],
    )
