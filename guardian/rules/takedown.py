"""The life of a target: one table, as that of a post is. And what may be concluded from what the platform showed. Pure.

    ordered ──────► captured ──────► acting ──────► gone | hidden
       │                │               │  ▲
       │                └─► kept        ├──┘ look, then again (only if it is surely still there)
       ├─► kept                         └─────────► still_visible | unknown
       └─► not_attempted ◄── captured (the policy wanted proof, or nobody could prove that it is ours)

The line between safe and unsafe is *act*: after it a retracting request may have left. Whoever finds a target *acting*
after a crash asks the platform first, and sends another request only if the post is surely still there. `unknown` and
`still_visible` are left by later looks, never by hope.

A limit leaves the post where it is: *kept* is then a post on which the limit is in force, *still_visible* one on which
it is not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from guardian.errors import Illegal
from guardian.model import Decision, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping


class TargetState(StrEnum):
    """Where a target is."""

    ORDERED = "ordered"
    CAPTURED = "captured"
    ACTING = "acting"
    GONE = "gone"
    HIDDEN = "hidden"
    KEPT = "kept"
    STILL_VISIBLE = "still_visible"
    UNKNOWN = "unknown"
    NOT_ATTEMPTED = "not_attempted"


class Step(StrEnum):
    """What can happen to a target."""

    CAPTURE = "capture"
    ACT = "act"
    KEEP = "keep"
    REFUSE = "refuse"
    UNDO = "undo"
    FOUND_GONE = "found gone"
    FOUND_HIDDEN = "found hidden"
    FOUND_THERE = "found there"
    FOUND_LIMITED = "found limited"
    FOUND_FREE = "found without the limit"
    FOUND_NOTHING = "found nothing"


_READ_BACK = {
    Step.FOUND_GONE: TargetState.GONE,
    Step.FOUND_HIDDEN: TargetState.HIDDEN,
    Step.FOUND_THERE: TargetState.STILL_VISIBLE,
    Step.FOUND_LIMITED: TargetState.KEPT,
    Step.FOUND_FREE: TargetState.STILL_VISIBLE,
    Step.FOUND_NOTHING: TargetState.UNKNOWN,
}
TABLE: Mapping[TargetState, Mapping[Step, TargetState]] = {
    TargetState.ORDERED: {
        Step.CAPTURE: TargetState.CAPTURED,  # the essential proof is sealed, or the policy goes on without it
        Step.KEEP: TargetState.KEPT,
        Step.REFUSE: TargetState.NOT_ATTEMPTED,  # not ours, not possible here
        Step.FOUND_GONE: TargetState.GONE,  # somebody was faster
    },
    TargetState.CAPTURED: {
        Step.ACT: TargetState.ACTING,  # the intent is committed; from here a request may leave
        Step.KEEP: TargetState.KEPT,
        Step.REFUSE: TargetState.NOT_ATTEMPTED,
        Step.FOUND_GONE: TargetState.GONE,
        Step.FOUND_LIMITED: TargetState.KEPT,
    },
    TargetState.ACTING: {Step.ACT: TargetState.ACTING, **_READ_BACK},
    TargetState.STILL_VISIBLE: _READ_BACK,  # a later look
    TargetState.UNKNOWN: _READ_BACK,
    TargetState.GONE: {Step.FOUND_THERE: TargetState.STILL_VISIBLE},  # it came back
    TargetState.HIDDEN: {
        Step.UNDO: TargetState.KEPT,  # a person has it shown again
        Step.FOUND_THERE: TargetState.STILL_VISIBLE,
        Step.FOUND_GONE: TargetState.GONE,
    },
    TargetState.KEPT: {
        Step.FOUND_GONE: TargetState.GONE,
        Step.FOUND_FREE: TargetState.STILL_VISIBLE,  # somebody else has lifted the limit
        Step.UNDO: TargetState.KEPT,  # a person has it lifted
    },
    TargetState.NOT_ATTEMPTED: {},
}
OPEN = (TargetState.ORDERED, TargetState.CAPTURED, TargetState.ACTING)
COMPLETE = (TargetState.GONE, TargetState.HIDDEN, TargetState.KEPT)


def advance(state: TargetState, step: Step) -> TargetState:
    """Where `step` leads from `state`. Raises Illegal, and changes nothing, when the table has no such move."""
    moves = TABLE[state]
    if step not in moves:
        raise Illegal(f"cannot {step} a target, because it is {state}", fix="look at it: guardian takedown show")
    return moves[step]


def found(presence: Presence, decision: Decision) -> Step:
    """What a look means for the decision: a hidden post that is gone is gone, a deleted one that is veiled is there."""
    if presence is Presence.GONE:
        return Step.FOUND_GONE
    if decision.is_limit and presence is not Presence.UNKNOWN:
        return Step.FOUND_LIMITED if presence is Presence.LIMITED else Step.FOUND_FREE
    if presence is Presence.VEILED and decision is Decision.HIDE:
        return Step.FOUND_HIDDEN
    return Step.FOUND_NOTHING if presence is Presence.UNKNOWN else Step.FOUND_THERE
