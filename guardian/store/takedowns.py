"""Takedowns and their targets in the store: every step by the law. Inside a caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from guardian.errors import Illegal, Unfound
from guardian.model import Capture, Decision, Grade, Takedown, Target
from guardian.rules.takedown import OPEN, Step, TargetState, advance
from guardian.store.posts import new_id
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.model import Presence
    from guardian.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A post on its platform as a reference names it; `post` and `part` where it is one of ours."""

    account: str
    platform_id: str
    url: str | None
    post: str | None
    part: int | None


def order(tx: Tx, found: Takedown, *, given: Mapping[str, object], key: str | None) -> None:
    """Write an order down, with the words and the person behind it; its targets follow."""
    Q.insert_takedown(
        tx,
        id=found.id,
        incident=found.incident,
        decision=Decision.KEEP if found.decision.is_limit else found.decision,
        limited_by=found.decision if found.decision.is_limit else None,
        capture=found.capture,
        severity=found.severity,
        reason=found.reason,
        by_whom=found.by,
        agreed=json.dumps(list(found.agreed)),
        ordered=json.dumps({**given, "overwrite": True} if found.overwrite else dict(given)),
        key=key,
        at=found.at,
    )


def add_target(tx: Tx, takedown: str, named: Named, *, nr: int) -> str:
    """One post that the order is about; the target's id."""
    target = new_id("g")
    Q.insert_target(tx, id=target, takedown=takedown, nr=nr, state=TargetState.ORDERED, why="", **asdict(named))
    return target


def get(tx: Tx, takedown: str) -> Takedown:
    """One order. Raises Unfound."""
    row = Q.takedown_by_id(tx, id=takedown)
    if row is None:
        raise Unfound(f"cannot find {takedown!r}, because no takedown has that id", fix="guardian takedown list")
    return to_takedown(row)


def by_key(tx: Tx, key: str) -> Takedown | None:
    """The order with a caller's own key."""
    row = Q.takedown_by_key(tx, key=key)
    return None if row is None else to_takedown(row)


def ordered(tx: Tx, takedown: str) -> dict[str, Any]:
    """Who ordered it, from where, in which words."""
    row = Q.takedown_by_id(tx, id=takedown)
    return {} if row is None else dict(json.loads(row["ordered"]))


def page(tx: Tx, *, before: int, limit: int) -> list[Takedown]:
    """Orders, newest first."""
    return [to_takedown(row) for row in Q.takedowns_page(tx, before=before, limit=limit)]


def targets(tx: Tx, takedown: str) -> list[Target]:
    """What an order is about, in its order."""
    return [to_target(row) for row in Q.targets_of(tx, takedown=takedown)]


def target(tx: Tx, target_id: str) -> Target:
    """One target. Raises Unfound."""
    row = Q.target_by_id(tx, id=target_id)
    if row is None:
        raise Unfound(f"cannot find {target_id!r}, because no target has that id", fix="guardian takedown list")
    return to_target(row)


def open_of(tx: Tx, account: str) -> list[Target]:
    """What is still to be done for an account: what is worse first, then what was ordered first."""
    return [to_target(row) for row in Q.targets_open(tx, account=account)]


def waiting(tx: Tx) -> dict[str, int]:
    """The accounts for which something is to be done, each with the earliest moment."""
    return {row["account"]: int(row["due"]) for row in Q.targets_open_accounts(tx)}


def same_post(tx: Tx, found: Target) -> list[Target]:
    """Every other target that is the same post on its platform."""
    rows = Q.targets_of_platform_post(tx, account=found.account, platform_id=found.platform_id)
    return [to_target(row) for row in rows if row["id"] != found.id]


def move(tx: Tx, found: Target, step: Step, *, why: str, now: int, due_at: int | None = None) -> Target:
    """One step by the law. Raises Illegal, and changes nothing, when the law has no such step from there."""
    to_state = advance(TargetState(found.state), step)
    ended_at = None if to_state in OPEN else now
    row = Q.move_target(
        tx, id=found.id, from_state=found.state, to_state=to_state, why=why, ended_at=ended_at, due_at=due_at
    )
    if row is None:
        raise Illegal(f"cannot move {found.id}, because somebody else just did", fix="look again")
    return to_target(row)


def note_evidence(tx: Tx, target_id: str, *, bundle: str | None, grade: Grade | None) -> None:
    """Which bundle is a target's."""
    Q.note_evidence(tx, id=target_id, evidence=bundle, grade=grade)


def postpone(tx: Tx, target_id: str, *, due_at: int, why: str) -> None:
    """It can be acted on at that time at the earliest."""
    Q.postpone_target(tx, id=target_id, due_at=due_at, why=why)


def intend(tx: Tx, found: Target, *, undo: Mapping[str, object] | None, now: int) -> None:
    """A retracting request is about to leave; counted, and with what undoes it kept before."""
    Q.intend_act(tx, id=found.id, undo=None if undo is None else json.dumps(dict(undo)), now=now)
    count(tx, found.account, found.id, now=now)


def forget_undo(tx: Tx, target_id: str) -> None:
    """What was done has been reversed: nothing is left to reverse."""
    Q.forget_undo(tx, id=target_id)


def count(tx: Tx, account: str, what: str | None, *, now: int) -> None:
    """Count a retracting request against the account's budget."""
    Q.insert_retraction(tx, id=new_id("r"), account=account, target=what, at=now)


def spent(tx: Tx, account: str, *, since: int) -> list[int]:
    """When the account's retracting requests since then were intended, oldest first."""
    return [int(row["at"]) for row in Q.retractions_since(tx, account=account, since=since)]


def strangers_acted_on(tx: Tx, account: str, *, since: int) -> int:
    """How many posts of the account have been deleted or hidden since then that nobody knew to be ours."""
    return int(Q.strangers_acted_on_since(tx, account=account, since=since) or 0)


def live_parts_left(tx: Tx, post: str) -> int:
    """How many parts of a post are on the platform still, as far as takedowns know."""
    return int(Q.live_targets_of_post(tx, post=post) or 0)


def part_of(tx: Tx, account: str, platform_id: str) -> Any:  # noqa: ANN401 (a row of the database)
    """Which part of which post of the account has this id on the platform: `post`, `part`, `url`; None: not ours."""
    return Q.part_by_platform_id(tx, account=account, platform_id=platform_id)


def want_looks(tx: Tx, target_id: str, times: Sequence[int]) -> None:
    """Look again at these times (ms)."""
    for nr, due_at in enumerate(times, 1):
        Q.want_look(tx, target=target_id, nr=nr, due_at=due_at)


def looks_due(tx: Tx, *, now: int, limit: int = 20) -> list[Any]:
    """Looks whose time has come, as rows."""
    return list(Q.looks_due(tx, now=now, limit=limit))


def next_look(tx: Tx) -> int | None:
    """When the next look is due."""
    found = Q.next_look(tx)
    return None if found is None else int(found)


def look_done(tx: Tx, look: Any, *, presence: Presence, why: str, now: int) -> None:  # noqa: ANN401 (a row of the database)
    """What a look showed."""
    Q.look_done(tx, target=look["target"], nr=look["nr"], presence=presence, why=why, now=now)


def unfinished(tx: Tx) -> list[Target]:
    """Targets that have ended, and whose bundle has one seal: whatever follows the answer was not done."""
    return [to_target(row) for row in Q.targets_unfinished(tx)]


def of_incident(tx: Tx, incident: str) -> list[Takedown]:
    """The orders of an incident, in their order."""
    return [to_takedown(row) for row in Q.takedowns_of_incident(tx, incident=incident)]


def looks_of(tx: Tx, target_id: str) -> list[Any]:
    """The looks after a takedown, as rows."""
    return list(Q.looks_of(tx, target=target_id))


def to_takedown(row: Any) -> Takedown:  # noqa: ANN401 (a row of the database)
    """A row as a Takedown."""
    return Takedown(
        id=row["id"],
        incident=row["incident"],
        decision=Decision(row["limited_by"] or row["decision"]),
        capture=Capture(row["capture"]),
        severity=row["severity"],
        reason=row["reason"],
        by=row["by_whom"],
        agreed=tuple(json.loads(row["agreed"])),
        at=row["at"],
        overwrite=json.loads(row["ordered"]).get("overwrite") is True,
    )


def to_target(row: Any) -> Target:  # noqa: ANN401 (a row of the database)
    """A row as a Target."""
    return Target(
        id=row["id"],
        takedown=row["takedown"],
        nr=row["nr"],
        account=row["account"],
        platform_id=row["platform_id"],
        url=row["url"],
        post=row["post"],
        part=row["part"],
        state=row["state"],
        why=row["why"],
        evidence=row["evidence"],
        grade=None if row["grade"] is None else Grade(row["grade"]),
        undo=None if row["undo"] is None else json.loads(row["undo"]),
        acts=row["acts"],
        acted_at=row["acted_at"],
        ended_at=row["ended_at"],
        due_at=row["due_at"],
    )
