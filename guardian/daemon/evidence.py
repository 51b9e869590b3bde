"""The routes of evidence and what answers there: shown to whoever may read, changed and handed out by `takedown` alone.

Called by the server's worker threads; what hands out bytes, by the threads of the downloads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query, Response

from guardian.daemon import documents
from guardian.daemon.bodies import NoBody  # noqa: TC001 (FastAPI reads the annotations)
from guardian.daemon.evidence_contract import EraseBody, HoldEvidenceBody  # noqa: TC001 (the same)
from guardian.daemon.peers import Peer, Right
from guardian.daemon.routes import Route, peer
from guardian.daemon.streams import Streams
from guardian.errors import Unfound
from guardian.store import bundles, stamps

if TYPE_CHECKING:
    from guardian.daemon.answers import Answers
    from guardian.duties.exporting_evidence import Exporting
    from guardian.duties.keeping_evidence import KeepingEvidence, Verified
    from guardian.duties.shelf import Shelf
    from guardian.evidence.keyring import Key
    from guardian.store.bundles import Kept

MAX_PAGE = 500
LONGEST_NAME = 100
MOST_SHOWN = 1000
TIMES = ("created_at", "erased_at", "purge_at")
Short = Annotated[str | None, Query(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAnswers:
    """What the daemon answers about evidence; one method per route."""

    shelf: Shelf
    keeping: KeepingEvidence
    exporting: Exporting

    def page(
        self, *, account: str | None, incident: str | None, post: str | None, held: bool, cursor: str | None, limit: int
    ) -> documents.Document:
        """A page of the bundles, the latest first."""
        with self.shelf.database.reading() as tx:
            found, following = bundles.page(
                tx,
                cursor=cursor,
                limit=min(max(limit, 1), MAX_PAGE),
                account=account,
                incident=incident,
                post=post,
                held=held,
            )
        return {"bundles": [_bundle(one) for one in found], "next": following}

    def one(self, name: str) -> documents.Document:
        """A bundle with its stamps and the journal's lines about it."""
        with self.shelf.database.reading() as tx:
            found = bundles.get(tx, name)
            lines = bundles.lines(tx, name)
            stamped = stamps.of_bundle(tx, name)
        return {
            **_bundle(found),
            "directory": str(self.shelf.root / name),
            "stamps": [
                {
                    "seal": one.seal,
                    "authority": one.authority,
                    "done_at": documents.utc(one.done_at),
                    "due_at": None if one.done_at else documents.utc(one.due_at),
                    "tries": one.tries,
                    "why": one.why,
                }
                for one in stamped
            ],
            "custody": [documents.entry(line) for line in lines],
        }

    def verify(self, name: str, peer: Peer) -> documents.Document:
        """Whether a bundle is what was sealed; `heads` for the stamped ends of the journal."""
        return _verified(self.keeping.verify(name, who=peer.name))

    def erase(self, name: str, body: EraseBody, peer: Peer) -> documents.Document:
        """Erase what other people wrote."""
        return {"name": name, "files": self.keeping.erase(name, ground=body.ground, who=peer.name)}

    def hold(self, name: str, body: HoldEvidenceBody, peer: Peer) -> documents.Document:
        """Keep all of it until the hold is lifted."""
        return _bundle(self.keeping.hold(name, reason=body.reason, who=peer.name))

    def unhold(self, name: str, body: HoldEvidenceBody, peer: Peer) -> documents.Document:
        """Lift the hold."""
        return _bundle(self.keeping.unhold(name, reason=body.reason, who=peer.name))

    def key(self) -> documents.Document:
        """The key that seals."""
        return _key(self.shelf.key())

    def rotate(self, peer: Peer) -> documents.Document:
        """Begin a new key."""
        old, new = self.shelf.rotate(who=peer.name)
        return {**_key(new), "before": old.fingerprint}


def routes(answers: Answers) -> tuple[Route, ...]:
    """The routes of evidence."""
    evidence, streams = answers.evidence, Streams(answers)

    def evidence_list(
        account: Short = None,
        incident: Short = None,
        post: Short = None,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: int = 100,
        *,
        held: bool = False,
    ) -> Any:
        return evidence.page(account=account, incident=incident, post=post, held=held, cursor=cursor, limit=limit)

    def evidence_one(name: str) -> Any:
        return evidence.one(_named(name))

    def evidence_verify(name: str, body: NoBody, who: Peer = Depends(peer)) -> Any:  # noqa: ARG001 (a body is refused)
        return evidence.verify(_named(name), who)

    def evidence_erase(name: str, body: EraseBody, who: Peer = Depends(peer)) -> Any:
        return evidence.erase(_named(name), body, who)

    def evidence_hold(name: str, body: HoldEvidenceBody, who: Peer = Depends(peer)) -> Any:
        return evidence.hold(_named(name), body, who)

    def evidence_unhold(name: str, body: HoldEvidenceBody, who: Peer = Depends(peer)) -> Any:
        return evidence.unhold(_named(name), body, who)

    async def evidence_export(
        name: str,
        form: Annotated[str, Query(pattern="^(tar|wacz)$")] = "tar",
        who: Peer = Depends(peer),
        *,
        others: bool = False,
    ) -> Response:
        return await streams.hand_out(
            lambda: evidence.exporting.export(_named(name), form=form, who=who.name, others=others)
        )

    may = Right.TAKEDOWN
    return (
        Route("GET", "/v1/evidence", Right.READ, evidence_list, "A page of the bundles of evidence"),
        *_keys(evidence),  # before the names: `key` is none
        Route("GET", "/v1/evidence/{name}", Right.READ, evidence_one, "One bundle with its custody"),
        Route("POST", "/v1/evidence/{name}/verify", may, evidence_verify, "Whether it is what was sealed"),
        Route("POST", "/v1/evidence/{name}/erase", may, evidence_erase, "Erase what other people wrote"),
        Route("POST", "/v1/evidence/{name}/hold", may, evidence_hold, "Keep all of it: a legal hold"),
        Route("POST", "/v1/evidence/{name}/unhold", may, evidence_unhold, "Lift the legal hold"),
        Route("GET", "/v1/evidence/{name}/export", may, evidence_export, "A copy, as tar or WACZ", streams=True),
    )


def _keys(evidence: EvidenceAnswers) -> tuple[Route, ...]:
    """The routes of the key that seals."""

    def evidence_key() -> Any:
        return evidence.key()

    def evidence_rotate(body: NoBody, who: Peer = Depends(peer)) -> Any:  # noqa: ARG001 (a body is refused)
        return evidence.rotate(who)

    return (
        Route("GET", "/v1/evidence/key", Right.READ, evidence_key, "The key that seals evidence"),
        Route("POST", "/v1/evidence/key/rotate", Right.TAKEDOWN, evidence_rotate, "Seal with a new key from now on"),
    )


def _named(name: str) -> str:
    """The name in a path. Raises Unfound for what is too long to be one."""
    if len(name) > LONGEST_NAME:
        raise Unfound("cannot find that bundle, because its name is too long", fix="look it up: guardian evidence list")
    return name


def _bundle(found: Kept) -> documents.Document:
    shown = found._asdict()
    return {**shown, **{key: documents.utc(shown[key]) for key in TIMES}}


def _verified(found: Verified) -> documents.Document:
    return {
        "name": found.name,
        "whole": not found.wrong,
        "wrong": [{"file": file, "what": what} for file, what in found.wrong[:MOST_SHOWN]],
        "wrong_in_all": len(found.wrong),
        "gaps": list(found.gaps[:MOST_SHOWN]),
    }


def _key(key: Key) -> documents.Document:
    return {"fingerprint": key.fingerprint, "public": key.line, "allowed_signers": key.allowed}
