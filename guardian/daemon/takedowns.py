"""Takedowns at the control socket: the routes and what answers there. Called by the server's worker threads.

Ordering, and undoing, needs the right `takedown`; whoever may read may see what came of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query

from guardian.daemon import documents
from guardian.daemon.peers import Peer, Right
from guardian.daemon.routes import LONGEST_ID, Route, peer
from guardian.daemon.takedown_forms import SEVERITIES, TakedownBody, UndoBody
from guardian.duties.takedown import Wish
from guardian.errors import Mistake, Unfound
from guardian.fence.permits import boot_id
from guardian.model import Capture, Decision
from guardian.rules.takedown import COMPLETE, OPEN, TargetState
from guardian.store import takedowns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.takedown import Sibling, Takedowns
    from guardian.duties.undoing import Undoing
    from guardian.model import Takedown, Target

MAX_PAGE = 200
LATEST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class TakedownAnswers:
    """What the daemon answers about takedowns; one method per route."""

    takedowns: Takedowns
    undoing: Undoing
    in_force: InForce

    def order(self, body: TakedownBody, who: Peer) -> documents.Document:
        """Order it, and wait for what comes of it as long as the caller wishes."""
        given = {
            "refs": list(body.refs), "uid": who.uid, "boot": boot_id(), "with_freeze": body.with_freeze,
            "replies": body.replies, **body.caller.model_dump(),
        }  # fmt: skip
        wish = Wish(
            refs=body.refs,
            decision=Decision(body.decision),
            capture=None if body.capture is None else Capture(body.capture),
            reason=body.reason,
            severity=SEVERITIES.index(body.severity),
            agreed=tuple(body.agreed),
            given=given,
            key=body.key,
            siblings=body.siblings,
            urgent=body.with_freeze,
            evidence_only=body.evidence_only,
            overwrite=body.overwrite,
        )
        found, _ = self.takedowns.order(wish, who=who.name)
        return self._document(found, self.takedowns.wait(found.id, body.wait))

    def page(self, cursor: int | None, limit: int) -> documents.Document:
        """Orders, newest first."""
        size = min(max(limit, 1), MAX_PAGE)
        with self.takedowns.database.reading() as tx:
            found = takedowns.page(tx, before=LATEST if cursor is None else cursor, limit=size)
            told = [(one, takedowns.targets(tx, one.id)) for one in found]
        following = found[-1].at if len(found) == size else None
        return {"takedowns": [self._document(one, targets) for one, targets in told], "next": following}

    def one(self, name: str, wait: float) -> documents.Document:
        """An order, as it stands, or as soon as it is over."""
        with self.takedowns.database.reading() as tx:
            found = takedowns.get(tx, named(name))
        return self._document(found, self.takedowns.wait(found.id, wait))

    def undo(self, name: str, body: UndoBody, who: Peer) -> documents.Document:
        """Show again what was hidden."""
        with self.takedowns.database.reading() as tx:
            found = takedowns.get(tx, named(name))
            targets = takedowns.targets(tx, found.id)
        wanted = [one for one in targets if body.target in (None, one.id)]
        if len(wanted) != 1:
            names = ", ".join(one.id for one in targets)
            raise Mistake(f"cannot tell which one is meant, because {found.id} has: {names}", fix="name one as target")
        self.undoing.undo(wanted[0].id, reason=body.reason, who=who.name)
        return self.one(name, 0)

    def _document(self, found: Takedown, targets: Sequence[Target]) -> documents.Document:
        running = any(one.state in OPEN for one in targets)
        with self.takedowns.database.reading() as tx:
            lost = list(takedowns.ordered(tx, found.id).get("lost") or ())
        mine = [
            takedowns.Named(account=one.account, platform_id=one.platform_id, url=one.url, post=one.post, part=one.part)
            for one in targets
        ]
        return {
            "id": found.id,
            "incident": found.incident,
            "decision": found.decision,
            "overwrite": found.overwrite,
            "capture": found.capture,
            "severity": SEVERITIES[found.severity],
            "reason": found.reason,
            "by": found.by,
            "agreed": list(found.agreed),
            "at": documents.utc(found.at),
            "state": "running" if running else "done",
            "complete": not lost and all(_is_done(found, one) for one in targets),
            "lost": lost,
            "targets": [_target(found, one) for one in targets],
            "siblings": [_sibling(one) for one in self.takedowns.siblings(mine)],
            "waiting": [asdict(one) for one in self.takedowns.waiting(mine)],
        }


def routes(answers: TakedownAnswers) -> tuple[Route, ...]:
    """The routes of takedowns."""

    def order(body: TakedownBody, who: Peer = Depends(peer)) -> Any:
        return answers.order(body, who)

    def page(cursor: Annotated[int | None, Query(ge=0, lt=1 << 62)] = None, limit: int = 20) -> Any:
        return answers.page(cursor, limit)

    def one(takedown: str, wait: Annotated[float, Query(ge=0, le=60)] = 0) -> Any:
        return answers.one(takedown, wait)

    def undo(takedown: str, body: UndoBody, who: Peer = Depends(peer)) -> Any:
        return answers.undo(takedown, body, who)

    named_ = {"order": "takedown_order", "page": "takedowns", "one": "takedown", "undo": "takedown_undo"}
    for handler in (order, page, one, undo):
        handler.__name__ = named_[handler.__name__]
    return (
        Route("POST", "/v1/takedowns", Right.TAKEDOWN, order, "Evidence, then the act, then reading back", waits=True),
        Route("GET", "/v1/takedowns", Right.READ, page, "A page of the takedowns"),
        Route("GET", "/v1/takedowns/{takedown}", Right.READ, one, "A takedown and what came of it", waits=True),
        Route(
            "POST",
            "/v1/takedowns/{takedown}/undo",
            Right.TAKEDOWN,
            undo,
            "Show again, or lift a limit",
            waits=True,
        ),
    )


def named(takedown: str) -> str:
    """The id in a path. Raises Unfound for what is too long to be one."""
    if len(takedown) > LONGEST_ID:
        raise Unfound("cannot find that takedown, because its id is too long", fix="guardian takedown list")
    return takedown


def _is_done(order: Takedown, target: Target) -> bool:
    """Whether it is as it was ordered: a post that was to be hidden and is gone is more than that."""
    if order.decision is Decision.KEEP or order.decision.is_limit:
        return target.state in COMPLETE
    return target.state in COMPLETE and target.state != TargetState.KEPT


def _target(order: Takedown, found: Target) -> documents.Document:
    ref = found.post if found.post is not None else f"{found.account}/{found.platform_id}"
    if found.post is not None and found.part:
        ref = f"{found.post}#{found.part + 1}"
    return {
        "id": found.id,
        "ref": ref,
        "account": found.account,
        "platform_id": found.platform_id,
        "url": found.url,
        "post": found.post,
        "part": None if found.part is None else found.part + 1,
        "state": found.state,
        "why": found.why,
        "evidence": found.evidence,
        "grade": found.grade,
        "due": documents.utc(found.due_at) if found.state in OPEN else None,
        "reversible": found.undo is not None and (not order.decision.is_limit or found.state == TargetState.KEPT),
    }


def _sibling(found: Sibling) -> documents.Document:
    named_ = found.named
    ref = f"{named_.account}/{named_.platform_id}"
    return {"ref": ref, "post": named_.post, "account": named_.account, "url": named_.url, "why": found.why}
