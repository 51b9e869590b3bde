"""What the daemon tells the doctor, and where a drill is written down. Called by the server's worker threads."""

from __future__ import annotations

import os
import resource
import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from pydantic import BaseModel, Field

from guardian.daemon import documents
from guardian.daemon.bodies import Body, Reason
from guardian.daemon.peers import Peer, Right
from guardian.daemon.routes import Route, peer
from guardian.errors import GuardianError
from guardian.store import journal

if TYPE_CHECKING:
    from guardian.daemon.answers import Answers
    from guardian.duties.books import Books
    from guardian.duties.examining import Examining, Said
    from guardian.duties.shelf import Shelf

DRILL = "drill"
Measure = Annotated[int, Field(ge=0, lt=1 << 40)]
Named = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class Doctor(BaseModel):
    """What only the daemon knows. Of the platforms: what they said just now, or some minutes ago (`asked_at`)."""

    pid: int
    sqlite: str
    cores: dict[str, int | None]
    watchdog_ms: int | None
    clock: dict[str, str]
    store: dict[str, str]
    accounts: list[dict[str, Any]]
    config: dict[str, Any]
    evidence_key: str | None
    authorities: int


class DrillBody(Body):
    """POST /v1/drills: how a drill went; `measures` in ms."""

    ok: bool
    auto: bool
    why: Reason = ""
    measures: Annotated[dict[Named, Measure], Field(default_factory=dict, max_length=20)]


class Drilled(BaseModel):
    """The line of the journal that tells of it."""

    seq: int
    at: str


DONE: dict[tuple[str, str], Any] = {("GET", "/v1/doctor"): Doctor, ("POST", "/v1/drills"): Drilled}


class DoctorAnswers:
    """Asks nobody but `Examining`; nothing here waits for a lane."""

    def __init__(self, *, examining: Examining, books: Books, shelf: Shelf) -> None:
        self.examining = examining
        self.books = books
        self.shelf = shelf
        self.watched_for = 0  # ms that the supervisor waits for a sign of life; 0: nobody watches

    def document(self) -> documents.Document:
        """Everything that a look from outside cannot tell."""
        settings = self.books.in_force.settings
        proven = self.examining.proven()
        timekeeping = self.books.timekeeping
        why = timekeeping.why() if timekeeping is not None else ""
        return {
            "pid": os.getpid(),
            "sqlite": sqlite3.sqlite_version,
            "cores": cores(),
            "watchdog_ms": self.watched_for or None,
            "clock": {"state": "in doubt" if why else "steady", "why": why},
            "store": asdict(self.examining.store()),
            "accounts": [_account(one, proven.get(one.account.name)) for one in self.examining.ask()],
            "config": documents.config(self.books.in_force.verdict),
            "evidence_key": self._key(),
            "authorities": len(settings.evidence.authorities),
        }

    def drilled(self, body: DrillBody, who: Peer) -> documents.Document:
        """Write a drill down. It says how long people and programs took, and touches no account."""
        facts = {"ok": body.ok, "auto": body.auto, "why": body.why, "measures": dict(body.measures)}
        with self.books.database.transaction() as tx:
            line = journal.append(tx, DRILL, who=who.name, now=self.books.clock(), **facts)
        return {"seq": line.seq, "at": documents.utc(line.at)}

    def _key(self) -> str | None:
        try:
            return self.shelf.key().fingerprint
        except (GuardianError, OSError):
            return None


def cores() -> documents.Document:
    """How much memory a crash may leave on the disk, in bytes; null: all of it."""
    limits = dict(zip(("soft", "hard"), resource.getrlimit(resource.RLIMIT_CORE), strict=True))
    return {name: None if size == resource.RLIM_INFINITY else size for name, size in limits.items()}


def routes(answers: Answers) -> tuple[Route, ...]:
    """The doctor's question may take as long as the slowest platform: it waits beside the others."""

    def doctor() -> Any:
        return answers.doctor.document()

    def drilled(body: DrillBody, who: Peer = Depends(peer)) -> Any:
        return answers.doctor.drilled(body, who)

    return (
        Route("GET", "/v1/doctor", Right.READ, doctor, "What only the daemon knows of its readiness", waits=True),
        Route("POST", "/v1/drills", Right.OPERATE, drilled, "Write down how a drill went"),
    )


def _account(said: Said, proven: int | None) -> documents.Document:
    delete = said.delete
    return {
        "account": said.account.name,
        "platform": said.account.platform,
        "identity": said.account.identity,
        "asked_at": documents.utc(said.at),
        "token": said.token,
        "handle": said.handle,
        "why": said.why,
        "fix": said.fix,
        "may_delete": None if delete is None else delete.may,
        "delete_why": None if delete is None else delete.why,
        "delete_fix": None if delete is None else delete.fix,
        "deleted_at": None if proven is None else documents.utc(proven),
        "skew_ms": said.skew,
    }
