"""The life of a post: one table, read by the code, by the checks in the database, by the diagram and by the tests.

The line between safe and unsafe is *intend*. Before it, nothing has left: a crash or a freeze puts the post back where
it was. After it, bytes may have left: nobody may send it again until the platform has been asked. So there are two
ways out of `sending` that need proof (`unsent`: the transport proves that nothing left; `landed`: the platform
answered with an id), one that is the platform's word (`refuse`), and one for everything else (`lose`). `unknown` is
left only by asking the platform (`landed`, `go on`, `absent`) or by a person (`cancel`), never by time.

`held` is not in the table. It means "queued, and a freeze covers it", is computed where it is shown, and so can never
be wrong after a thaw. `missed` is in it, because it is a promise: what was missed is never sent by itself.

Rule 1: every change of a post's state goes through `advance`. Rule 2: an illegal move raises and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.errors import Illegal
from guardian.model import Event, State

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Mapping[State, Mapping[Event, State]] = {
    State.QUEUED: {
        Event.CLAIM: State.CLAIMED,  # a lane has taken it; nothing has left
        Event.MISS: State.MISSED,  # its time has passed: too late, or under a freeze
        Event.RESCHEDULE: State.QUEUED,  # a person gives a new time
        Event.CANCEL: State.CANCELLED,
    },
    State.CLAIMED: {
        Event.UNCLAIM: State.QUEUED,  # frozen, throttled, or found after a crash before the intent
        Event.BLOCK: State.BLOCKED,  # a check said no
        Event.INTEND: State.SENDING,  # the intent is committed; from here bytes may leave
    },
    State.BLOCKED: {
        Event.MEND: State.QUEUED,  # a person mended or waived
        Event.MISS: State.MISSED,
        Event.RESCHEDULE: State.QUEUED,
        Event.CANCEL: State.CANCELLED,
    },
    State.SENDING: {
        Event.UNSENT: State.QUEUED,  # proven that nothing left: stopped at the gate, never connected
        Event.LANDED: State.PUBLISHED,  # the platform answered with an id
        Event.GO_ON: State.QUEUED,  # the same, and it was a part of a thread: the next one follows
        Event.REFUSE: State.REFUSED,  # the platform said no
        Event.LOSE: State.UNKNOWN,  # it left, no answer; also every one found after a crash
    },
    State.UNKNOWN: {
        Event.LANDED: State.PUBLISHED,  # the platform was asked, and has it
        Event.GO_ON: State.QUEUED,  # it has this part of a thread
        Event.ABSENT: State.QUEUED,  # it was asked often enough, and has it not; late ones are missed at once
        Event.CANCEL: State.CANCELLED,
    },
    State.MISSED: {
        Event.RELEASE: State.QUEUED,  # a person says *now*
        Event.RESCHEDULE: State.QUEUED,
        Event.CANCEL: State.CANCELLED,
    },
    State.REFUSED: {
        Event.RESCHEDULE: State.QUEUED,
    },
    State.PUBLISHED: {
        Event.RETRACT: State.RETRACTING,
    },
    State.RETRACTING: {
        Event.GONE: State.RETRACTED,  # confirmed by reading back
        Event.STILL_THERE: State.PUBLISHED,
    },
    State.RETRACTED: {},
    State.CANCELLED: {},
}


def advance(state: State, event: Event) -> State:
    """Where `event` leads from `state`. Raises Illegal, and changes nothing, when the table has no such move."""
    moves = TABLE[state]
    if event not in moves:
        can = ", ".join(sorted(moves)) or "nothing any more"
        raise Illegal(f"cannot {event} a post, because it is {state}", fix=f"what it allows: {can}")
    return moves[event]


def sources(event: Event) -> tuple[State, ...]:
    """Every state from which `event` is legal, in the order of the table."""
    return tuple(state for state, moves in TABLE.items() if event in moves)


def transitions() -> tuple[tuple[State, Event, State], ...]:
    """The table as rows, for the database's own check and for the diagram."""
    return tuple((state, event, to) for state, moves in TABLE.items() for event, to in moves.items())


def diagram() -> str:
    """The table as a Mermaid state diagram; `docs/lifecycle.md` holds its output, and a test holds the two together."""
    lines = ["stateDiagram-v2", "    [*] --> queued"]
    lines += [f"    {state} --> {to}: {event}" for state, event, to in transitions()]
    lines += [f"    {state} --> [*]" for state, moves in TABLE.items() if not moves]
    return "\n".join(lines) + "\n"
