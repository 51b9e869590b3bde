"""The incident at the control socket: its answers and its routes. Called by the server's worker threads.

Who may stop may open one and write notes, for whoever is there first is not always who decides. Decisions, roles,
class, actions, the statement and the end are for those who may undo a freeze: the right `operate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query

from guardian.daemon import documents
from guardian.daemon.incident_forms import (
    ActionBody,
    ClassBody,
    CloseBody,
    DecisionBody,
    NoteBody,
    OpenBody,
    RoleBody,
    StatementBody,
)
from guardian.daemon.peers import Peer, Right
from guardian.daemon.routes import LONGEST_ID, Route, peer
from guardian.duties import incident_facts
from guardian.errors import Unfound
from guardian.report import figures, lines
from guardian.store import freezes, incidents

if TYPE_CHECKING:
    from guardian.duties.incidents import Incidents
    from guardian.model import Entry, Incident
    from guardian.store.database import Database, Tx

MAX_PAGE = 200


class IncidentAnswers:
    """The part of the answers that is about incidents."""

    database: Database
    incidents: Incidents

    def incident_page(self, cursor: int | None, limit: int) -> documents.Document:
        """Incidents, newest first."""
        size = min(max(limit, 1), MAX_PAGE)
        found = self.incidents.page(before=cursor, limit=size)
        following = found[-1].opened_seq if len(found) == size else None
        return {"incidents": [document(one) for one in found], "next": following}

    def incident(self, name: str) -> documents.Document:
        """The whole record of one, computed from the journal."""
        return figures.record(lines.read(incident_facts.gather(self.database, name)))

    def incident_facts(self, name: str) -> documents.Document:
        """What its report is made of: lines of the journal, and nothing else."""
        return incident_facts.gather(self.database, name)

    def incident_open(self, body: OpenBody, peer: Peer) -> documents.Document:
        """Open one by hand, or join the one that is open."""
        found, new = self.incidents.open(body.reason, who=peer.name)
        return {"incident": document(found), "new": new}

    def incident_tell(self, name: str, kind: str, body: Any, peer: Peer) -> documents.Document:
        """Add what a form says as one line."""
        found, entry = self.incidents.tell(name, kind, who=peer.name, **body.said())
        return _told(found, entry)

    def incident_close(self, name: str, body: CloseBody, peer: Peer) -> documents.Document:
        """End one. What is frozen stays frozen, and is named."""
        found = self.incidents.close(name, reason=body.reason, who=peer.name)
        with self.database.reading() as tx:
            standing = freezes.in_force(tx)
        return {"incident": document(found), "freezes": [documents.freeze(one) for one in standing]}


def document(found: Incident) -> documents.Document:
    """An incident in a list."""
    return {
        "id": found.id,
        "state": "open" if found.closed_at is None else "closed",
        "reason": found.reason,
        "by": found.by,
        "opened_at": documents.utc(found.opened_at),
        "opened_seq": found.opened_seq,
        "closed_at": documents.utc(found.closed_at),
        "closed_by": found.closed_by,
        "closed_seq": found.closed_seq,
    }


def standing(tx: Tx) -> documents.Document | None:
    """The open incident, for whoever shows the state of everything."""
    found = incidents.current(tx)
    return None if found is None else document(found)


def _told(found: Incident, entry: Entry) -> documents.Document:
    return {"incident": document(found), "line": documents.entry(entry)}


def routes(answers: IncidentAnswers) -> tuple[Route, ...]:
    """Every route of the incident."""

    def incident_list(
        cursor: Annotated[int | None, Query(ge=0, lt=1 << 63)] = None,
        limit: int = 50,
    ) -> Any:
        return answers.incident_page(cursor, limit)

    def incident_open(body: OpenBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_open(body, who)

    def incident_show(incident: str) -> Any:
        return answers.incident(named(incident))

    def incident_report(incident: str) -> Any:
        return answers.incident_facts(named(incident))

    def incident_note(incident: str, body: NoteBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "note", body, who)

    def incident_decide(incident: str, body: DecisionBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "decision", body, who)

    def incident_class(incident: str, body: ClassBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "classed", body, who)

    def incident_role(incident: str, body: RoleBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "role", body, who)

    def incident_action(incident: str, body: ActionBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "action", body, who)

    def incident_statement(incident: str, body: StatementBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_tell(named(incident), "statement", body, who)

    def incident_close(incident: str, body: CloseBody, who: Peer = Depends(peer)) -> Any:
        return answers.incident_close(named(incident), body, who)

    one = "/v1/incidents/{incident}"
    return (
        Route("GET", "/v1/incidents", Right.READ, incident_list, "A page of incidents"),
        Route("POST", "/v1/incidents", Right.FREEZE, incident_open, "Open an incident, or join the open one"),
        Route("GET", one, Right.READ, incident_show, "One incident: all that was done, in figures"),
        Route("GET", f"{one}/report", Right.READ, incident_report, "The facts that its report is made of"),
        Route("POST", f"{one}/notes", Right.FREEZE, incident_note, "Write a note"),
        Route("POST", f"{one}/decisions", Right.OPERATE, incident_decide, "Record a decision"),
        Route("POST", f"{one}/class", Right.OPERATE, incident_class, "Say of what class it is, and how severe"),
        Route("POST", f"{one}/roles", Right.OPERATE, incident_role, "Say who has which role"),
        Route("POST", f"{one}/actions", Right.OPERATE, incident_action, "Record what is to be done"),
        Route("POST", f"{one}/statement", Right.OPERATE, incident_statement, "Record the first public statement"),
        Route("POST", f"{one}/close", Right.OPERATE, incident_close, "Close it"),
    )


def named(incident: str) -> str:
    """The id in a path. Raises Unfound for what is too long to be one."""
    if len(incident) > LONGEST_ID:
        raise Unfound("cannot find that incident, because its id is too long", fix="guardian incident list")
    return incident
