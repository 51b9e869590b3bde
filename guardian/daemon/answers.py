"""The handlers behind the control socket's routes. Called by the server's worker threads.

Each asks duties and the store.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from guardian import __version__
from guardian.daemon import documents, takedowns_standing
from guardian.daemon import incidents as incidents_
from guardian.daemon.decisions import Decisions
from guardian.daemon.incidents import IncidentAnswers
from guardian.daemon.peers import Right, RightsInForce
from guardian.duties.foreign import TOOLS, Choices
from guardian.duties.freeze import in_flight
from guardian.duties.import_check import Plan
from guardian.duties.scheduled import LIST
from guardian.errors import Doubt, Mistake
from guardian.fence import reading, scopes
from guardian.fence.arming import Armed
from guardian.fence.stopping import Order
from guardian.rules import coverage
from guardian.rules.advice import NO_ACCOUNT, Seen, advise
from guardian.store import attempts, freezes, holds, journal, listing, posts
from guardian.store.posts import Entered
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader

    from guardian.config.in_force import InForce
    from guardian.daemon.bodies import AnyRecord, FreezeBody, ImportBody, Select, ThawBody
    from guardian.daemon.capabilities import Capabilities
    from guardian.daemon.doctor import DoctorAnswers
    from guardian.daemon.evidence import EvidenceAnswers
    from guardian.daemon.lanes import Bell
    from guardian.daemon.listener import Listener
    from guardian.daemon.peers import Peer
    from guardian.daemon.takedowns import TakedownAnswers
    from guardian.duties.books import Books
    from guardian.duties.deciding import Deciding
    from guardian.duties.freeze import Freezing
    from guardian.duties.holding import Keeping
    from guardian.duties.incidents import Incidents
    from guardian.duties.lane import Lane
    from guardian.duties.outside import Outside
    from guardian.duties.queue import Queue
    from guardian.duties.spooling import Spooling
    from guardian.duties.staging import Staging
    from guardian.model import Freeze
    from guardian.store.database import Tx
    from guardian.store.incoming import Incoming

NEXT = 10
MAY_NOT = "posts scheduled on the platforms were listed and not touched"
MAX_PAGE = 1000
MAX_RECORDS = 200  # of a page: a thread may have a hundred texts
MOST_WRONG = 1000
MOST_HOLDS = 100
MOST_LINES = 200
WAITING = ("queued", "blocked", "unknown")


class Answers(Decisions, IncidentAnswers):
    """What the daemon answers; one method per route."""

    def __init__(  # noqa: PLR0913 (one parameter for each duty it asks)
        self,
        *,
        books: Books,
        freezing: Freezing,
        queue: Queue,
        deciding: Deciding,
        keeping: Keeping,
        incidents: Incidents,
        spooling: Spooling,
        staging: Staging,
        bell: Bell,
        in_force: InForce,
        listener: Listener,
        evidence: EvidenceAnswers,
        capabilities: Capabilities,
        takedowns: TakedownAnswers,
        outside: Outside,
        doctor: DoctorAnswers,
    ) -> None:
        self.books = books
        self.freezing = freezing
        self.queue = queue
        self.deciding = deciding
        self.keeping = keeping
        self.incidents = incidents
        self.spooling = spooling
        self.staging = staging
        self.bell = bell
        self.in_force = in_force
        self.ring = bell.ring
        self.listener = listener
        self.evidence = evidence
        self.capabilities = capabilities
        self.takedowns = takedowns
        self.outside = outside
        self.doctor = doctor
        self.database = books.database

    @property
    def lanes(self) -> Sequence[Lane]:
        """Of the accounts in force."""
        return self.bell.lanes

    def status(self) -> documents.Document:
        """The state of everything, from the fence itself and from the store."""
        fence = reading.read_fence(self.books.house)
        with self.database.reading() as tx:
            standing, incident = freezes.in_force(tx), incidents_.standing(tx)
            taking_down = takedowns_standing.standing(tx, None if incident is None else incident["id"])
            counts = {row["state"]: row["n"] for row in Q.counts_by_state(tx)}
            flight = [in_flight(row) for row in attempts.in_flight(tx, since=self.books.clock() + 1)]
            upcoming = [
                documents.row(self._placed({**row, "held_by": listing.held_by(tx, row["id"])}))
                for row in Q.next_posts(tx, limit=NEXT)
            ]
            held = freezes.held(tx)
            on_hold, in_all = holds.in_force(tx, limit=MOST_HOLDS)
            waiting = [(row["account"], row["n"]) for row in Q.without_account(tx)]
        return {
            "state": fence.state,
            "daemon": "running",
            "clock": self._clock(),
            "config": documents.config(self.in_force.verdict),
            "version": __version__,
            "incident": incident,
            "takedowns": taking_down,
            "freezes": [documents.freeze(one) for one in standing],
            "counts": counts,
            "held": held,
            "holds": [documents.hold(one) for one in on_hold],
            "holds_in_all": in_all,
            "in_flight": flight,
            "next": upcoming,
            "accounts": [self._account(lane, standing) for lane in self.lanes],
            "metrics": self.listener.state(),
            "without_account": [{"account": name, "posts": n} for name, n in waiting if not self._is_known(name)],
        }

    def scrape(self) -> bytes:
        """The metrics, in Prometheus's text format."""
        return self.listener.text()

    def _clock(self) -> documents.Document:
        """What the watch found a moment ago: asking for the status never waits for the store's writer."""
        why = self.books.timekeeping.why() if self.books.timekeeping is not None else ""
        return {"state": "in doubt" if why else "steady", "why": why}

    def freeze(self, body: FreezeBody, peer: Peer) -> documents.Document:
        """Stop; the result document, whether confirmed or not."""
        wanted = tuple(sorted(set(body.scopes)))
        self._must_exist(wanted)
        by = body.by if body.by and body.told else peer.name
        drain = self.in_force.settings.fence.drain / 1000 if body.drain is None else body.drain
        may = body.native == LIST or peer.may(Right.TAKEDOWN, RightsInForce(self.in_force))
        order, native = Order(wanted, body.reason, by, drain), body.native if may else LIST
        document = self.freezing.freeze(order, wait=body.wait, told=body.told, native=native)
        return document if may else document | {"notes": [f"{MAY_NOT}, because {peer.name} may not take posts down"]}

    def natives(self, incident: str | None) -> documents.Document:
        """What the platforms themselves would publish, as the last incident found it, or another one."""
        return self.outside.document(incident)

    def restore_native(self, native_id: str, peer: Peer) -> documents.Document:
        """Have a post that was put off be published by its platform when it was due."""
        return {"native": self.outside.restore(native_id, self.books.house, by=peer.name)}

    def thaw(self, body: ThawBody, peer: Peer) -> documents.Document:
        """Lift freezes of these scopes, and say what stays frozen and what was missed."""
        wanted = tuple(sorted(set(body.scopes)))
        self._must_exist(wanted)
        done, missed = self.books.thaw(wanted, reason=body.reason, by=peer.name, shown=body.freezes)
        with self.database.reading() as tx:
            standing, incident = freezes.in_force(tx), incidents_.standing(tx)
        self.ring()
        return {
            "incident": incident,
            "state": reading.read_fence(self.books.house).state,
            "thawed": [one.scope for one in done if isinstance(one, Armed)],
            "refused": [one._asdict() for one in done if not isinstance(one, Armed)],
            "freezes": [documents.freeze(one) for one in standing],
            "missed": missed,
        }

    def posts(self, select: Select, cursor: str | None, limit: int) -> documents.Document:
        """A page of the queue."""
        wanted = self.filter(select)
        with self.database.reading() as tx:
            rows, following = listing.page(tx, wanted, cursor=cursor, limit=min(max(limit, 1), MAX_PAGE))
        return {"posts": [documents.row(self._placed(row)) for row in rows], "next": following}

    def add(self, record: AnyRecord, peer: Peer) -> documents.Document:
        """Enter one record."""
        found, note = self.queue.add(record, who=peer.name)
        self.ring()
        return {"post": self._shown(found.post), "fresh": isinstance(found, Entered), "note": note}

    def take_in(self, body: ImportBody, peer: Peer) -> documents.Document:
        """Import a file, all or nothing; `errors` names every line that is wrong."""
        with self._plan(body) as plan:
            found = self.queue.importing.take_in(plan, who=peer.name)
        self.ring()
        return {
            "entered": found.count,
            "known": found.known,
            "ids": list(found.entered),
            "notes": [{"line": line, "note": note} for line, note in found.notes],
            "notes_in_all": found.notes_in_all,
            "errors": [
                {"line": one.line, "column": one.column, "message": one.message} for one in found.wrong[:MOST_WRONG]
            ],
            "errors_in_all": len(found.wrong),
        }

    def staged(self, incoming: Incoming, peer: Peer) -> documents.Document:  # noqa: ARG002 (as every settling)
        """A file that has come whole, to be imported by its id."""
        return {"import": self.staging.settle(incoming)}

    def importing(self, name: str) -> documents.Document:
        """How far an import is."""
        return asdict(self.staging.progress(name))

    def records(self, select: Select, cursor: str | None, limit: int) -> documents.Document:
        """A page of the queue, each post as the record that would enter it again."""
        wanted = self.filter(select)
        with self.database.reading() as tx:
            rows, following = listing.page(tx, wanted, cursor=cursor, limit=min(max(limit, 1), MAX_RECORDS))
            found = [documents.record(posts.to_post(row)) for row in rows]
        return {"records": found, "next": following}

    @contextmanager
    def _plan(self, body: ImportBody) -> Iterator[Plan]:
        """The file of an import, staged or as text. Raises Mistake, Unfound."""
        if (body.text is None) == (body.staged is None):
            raise Mistake("cannot import that, because it is neither or both of text and staged", fix="give one")
        if body.format in TOOLS and body.account is None:
            raise Mistake(f"cannot import a table of {body.format}, because it names no account", fix="name one")
        choices = Choices(account=body.account or "", zone=body.zone, dates=body.dates)
        given: dict[str, Any] = {"form": body.format, "files": body.media, "choices": choices, "zone": body.zone}
        if body.text is not None:
            raw = body.text.encode("utf-8", "surrogatepass")
            yield Plan(stream=io.BytesIO(raw), size=len(raw), **given)
            return
        with self.staging.taken(str(body.staged)) as (file, staged):
            yield Plan(stream=file, size=staged.size, progress=staged.progress, **given)

    def post(self, post_id: str) -> documents.Document:
        """One post with its whole story, and what can be done about it."""
        now = self.books.clock()
        with self.database.reading() as tx:
            found = posts.get(tx, post_id)
            standing, covering = self._covering(tx, found.account), holds.covering(tx, post_id)
            waits = found.state in listing.HELD_STATES
            advice = advise(
                Seen(
                    post=found,
                    freezes=standing if waits else (),
                    holds=covering,
                    trouble=self._trouble(found.account),
                    doubt=self._clock()["why"],
                    since=posts.changed_at(tx, post_id),
                    now=now,
                )
            )
            told = documents.story(
                found,
                listing.held_by(tx, post_id),
                attempts=attempts.of_post(tx, post_id),
                live=posts.live_parts(tx, found),
                freezes=standing if waits else (),
                holds=covering,
                journal=journal.of_post(tx, post_id, limit=MOST_LINES),
                advice=advice,
            ) | {"takedowns": takedowns_standing.of_post(tx, post_id)}
        return told | self._strayed(found.account, found.state)

    def receiving(self) -> Incoming:
        """A file that is about to come in."""
        return self.spooling.receiving()

    def handed(self, incoming: Incoming, peer: Peer) -> documents.Document:
        """A file that has come whole: look at it, and keep it."""
        return documents.handed(self.spooling.settle(incoming, who=peer.name))

    def file(self, sha256: str) -> BufferedReader:
        """A file of the spool, open."""
        return self.spooling.file(sha256)

    def journal(self, after: int, limit: int) -> str:
        """A page of the journal, as JSON: it is as long as somebody's patience, and nothing of it is looked at."""
        with self.database.reading() as tx:
            return documents.entries(journal.rows_after(tx, after, limit=min(max(limit, 1), MAX_PAGE)))

    def _must_exist(self, wanted: Sequence[str]) -> None:
        for scope in wanted:
            try:
                known = scopes.is_scope(scope) and scopes.exists(self.books.house, scope)
            except OSError as error:
                raise Doubt(f"cannot look up the scope {scope!r}, because of this: {error}", fix="use all") from error
            if not known:
                raise Mistake(
                    f"cannot use the scope {scope!r}, because this house has no such scope",
                    fix=f"choose from: {', '.join(self.books.scopes)}",
                )

    def _account(self, lane: Lane, standing: Sequence[Any]) -> documents.Document:
        account = lane.account
        holding = coverage.covering(account, standing)
        return {
            "name": account.name,
            "platform": account.platform,
            "brand": account.brand,
            "identity": account.identity,
            "trouble": lane.trouble,
            "held_by": holding[0].id if holding else None,
        }

    def _placed(self, row: Any) -> dict[str, Any]:  # noqa: ANN401 (a row of the database)
        return {**dict(row), **self._strayed(row["account"], row["state"])}

    def _strayed(self, account: str, state: str) -> documents.Document:
        """A post that waits for an account which the configuration does not have: why nothing becomes of it."""
        if state not in WAITING or self._is_known(account):
            return {}
        return {"why": NO_ACCOUNT, "held_by": None}

    def _is_known(self, account: str) -> bool:
        return any(one.name == account for one in self.in_force.settings.accounts)

    def _covering(self, tx: Tx, account: str) -> Sequence[Freeze]:
        known = next((lane.account for lane in self.lanes if lane.account.name == account), None)
        return () if known is None else coverage.covering(known, freezes.in_force(tx))

    def _trouble(self, account: str) -> str | None:
        return next((lane.trouble for lane in self.lanes if lane.account.name == account), NO_ACCOUNT)
