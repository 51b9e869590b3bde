"""What the incident's routes take and answer, as models: bounded in size, unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from guardian.daemon.bodies import Body
from guardian.duties.incidents import CLASSES, SEVERITIES

Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
Long = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"\S")]
Person = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Address = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Class = Annotated[str, Field(pattern=f"^({'|'.join(CLASSES)})$")]
Severity = Annotated[str, Field(pattern=f"^({'|'.join(SEVERITIES)})$")]
MOST = 50


class OpenBody(Body):
    """POST /v1/incidents."""

    reason: Words


class CloseBody(Body):
    """POST /v1/incidents/ID/close."""

    reason: Words


class Told(Body):
    """A body that becomes one line of the journal."""

    def said(self) -> dict[str, Any]:
        """What stands in the line, by the line's own keys."""
        return self.model_dump(exclude_none=True)


class NoteBody(Told):
    """POST /v1/incidents/ID/notes."""

    text: Long


class DecisionBody(Told):
    """POST /v1/incidents/ID/decisions: what was decided, the options that were weighed, who agreed, why."""

    decision: Words
    options: Annotated[list[Words], Field(max_length=MOST, default_factory=list)]
    agreed: Annotated[list[Person], Field(max_length=MOST, default_factory=list)]
    reason: Annotated[str, Field(max_length=1000)] = ""


class ClassBody(Told):
    """POST /v1/incidents/ID/class: the class, the severity, or both; the last word about each counts."""

    class_: Annotated[Class | None, Field(alias="class")] = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ClassBody:
        if self.class_ is None and self.severity is None:
            raise ValueError("it names neither a class nor a severity")
        return self

    def said(self) -> dict[str, Any]:
        """By the line's own keys."""
        return self.model_dump(exclude_none=True, by_alias=True)


class RoleBody(Told):
    """POST /v1/incidents/ID/roles: scribe, lead, legal, whatever the house calls them."""

    role: Person
    person: Person


class ActionBody(Told):
    """POST /v1/incidents/ID/actions: what is to be done, by whom, until which day."""

    text: Words
    owner: Person | None = None
    due: Day | None = None


class StatementBody(Told):
    """POST /v1/incidents/ID/statement: the first public statement, as a post of ours, an address, or its words."""

    post: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    url: Address | None = None
    text: Long | None = None

    @model_validator(mode="after")
    def _says_something(self) -> StatementBody:
        if self.post is None and self.url is None and self.text is None:
            raise ValueError("it names neither a post, nor an address, nor a text")
        return self


class IncidentHead(BaseModel):
    """An incident in a list. `opened_seq` and `closed_seq` are its first and last line of the journal."""

    id: str
    state: str
    reason: str
    by: str
    opened_at: str
    opened_seq: int
    closed_at: str | None
    closed_by: str | None
    closed_seq: int | None


class IncidentPage(BaseModel):
    """A page of incidents, newest first; `next` is the cursor of the next page."""

    incidents: list[IncidentHead]
    next: int | None


class IncidentOpened(BaseModel):
    """The open incident; `new` if this order opened it."""

    incident: IncidentHead
    new: bool


class IncidentTold(BaseModel):
    """The line that was written."""

    incident: IncidentHead
    line: dict[str, Any]


class IncidentClosed(BaseModel):
    """The incident at its end, and what stays frozen."""

    incident: IncidentHead
    freezes: list[dict[str, Any]]


class IncidentRecord(BaseModel):
    """All that was done, in figures, each with its lines of the journal. Null: not recorded."""

    incident: str
    state: str
    opened: dict[str, Any] | None
    closed: dict[str, Any] | None
    severity: dict[str, Any] | None
    head: dict[str, Any]
    freezes: list[dict[str, Any]]
    counts: dict[str, Any]
    takedowns: list[dict[str, Any]]
    landed: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    hindered: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    statement: dict[str, Any] | None
    timeline: list[dict[str, Any]]


class IncidentFacts(BaseModel):
    """What a report is computed from: lines of the journal. `head` is the last of them."""

    format: str
    incident: str
    head: dict[str, Any]
    left_out: int
    lines: list[dict[str, Any]]
    before: list[dict[str, Any]]


_ONE = "/v1/incidents/{incident}"
DONE: dict[tuple[str, str], Any] = {
    ("GET", "/v1/incidents"): IncidentPage,
    ("POST", "/v1/incidents"): IncidentOpened,
    ("GET", _ONE): IncidentRecord,
    ("GET", f"{_ONE}/report"): IncidentFacts,
    ("POST", f"{_ONE}/notes"): IncidentTold,
    ("POST", f"{_ONE}/decisions"): IncidentTold,
    ("POST", f"{_ONE}/class"): IncidentTold,
    ("POST", f"{_ONE}/roles"): IncidentTold,
    ("POST", f"{_ONE}/actions"): IncidentTold,
    ("POST", f"{_ONE}/statement"): IncidentTold,
    ("POST", f"{_ONE}/close"): IncidentClosed,
}
