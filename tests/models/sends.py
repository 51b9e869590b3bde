"""A model of sends and one freeze: lanes of one daemon at one gate, the kernel below them, and a stop that comes by.

A step is what happens between two system calls; whoever does not move is held up, or stopped by a signal. The kernel
may transmit, and transmit again, whatever it holds unacknowledged. A process that dies gives back its locks and its
sockets in any order. One gate stands for all four of a send, because a freeze proves each scope by itself. Somebody may
delete or replace the gate, and once something may arm: only while nobody is inside, as at a start or after a freeze.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    Step = tuple[str, "State"]

NOBODY = -1
OLD = 0  # the gate that the permit names
NEW = 1  # a new file in its place, empty until an arming writes a number into it


class Mistake(StrEnum):
    """One thing left out of the real protocol, or done in the wrong order."""

    NO_LOCK = "looks, and takes no lock"
    NO_SECOND_LOOK = "locks after the look, and does not look again"
    DRAIN_FIRST = "waits until nobody is inside, then removes the permit"
    NO_LINGER = "a dying process leaves its bytes to the kernel"
    NO_CUT = "gives up by an ordinary close"
    EARLY_UNLOCK = "unlocks before the send queue is empty"
    POSIX_LOCKS = "a lock is lost when the process closes any descriptor of the gate"
    NO_PIDFD = "takes a granted lock for the end of whoever held it"
    NOT_REMOVED_AGAIN = "does not remove the permit again under the lock"
    ANY_GATE_PASSES = "does not compare the number of the gate with the permit's"
    NO_SAME_FILE = "does not look whether the path still names the gate that it locked"
    NEW_GATE_VOUCHES = "believes a gate that it had to make, because the old one was gone"
    EMPTY_GATE_VOUCHES = "believes a gate without a number that somebody else has made"


class Sender(NamedTuple):
    """One lane: where it is, which gate it has open, whether it is locked, and whether the kernel holds bytes of it."""

    at: str = "idle"
    fd: int = NOBODY
    locked: bool = False
    queue: bool = False


class State(NamedTuple):
    """Everything at one instant. The lanes are alike, so their order means nothing and they are kept sorted."""

    senders: tuple[Sender, ...]
    daemon: str = "alive"
    permit: int = OLD
    gate: int = OLD
    numbered: bool = False
    reset: bool = False
    freeze: str = "begins"
    fd: int = NOBODY
    made: bool = False
    exclusive: bool = False
    confirmed: bool = False
    late: bool = False


def start(lanes: int) -> State:
    """An open house with so many lanes, and a freeze that is about to begin."""
    return State((Sender(),) * lanes)


def is_late(state: State) -> bool:
    """Whether a byte was handed to the kernel, or by the kernel to the network, after CONFIRMED."""
    return state.late


class Model:
    """The steps of everybody, with the mistakes that are made."""

    def __init__(self, *mistakes: Mistake, gates_change: bool = True) -> None:
        self.mistakes = frozenset(mistakes)
        self.gates_change = gates_change

    def steps(self, state: State) -> Iterator[Step]:
        """What may happen next."""
        for place in sorted({state.senders.index(one) for one in state.senders}):
            yield from self._kernel(state, place)
            if state.daemon == "alive":
                yield from self._lane(state, place)
            elif state.daemon == "dying":
                yield from self._death(state, place)
        yield from self._accidents(state)
        yield from self._freeze(state)

    def _lane(self, state: State, place: int) -> Iterator[Step]:
        """One lane's next line of code: `_publish` of gate/connection.py, which crosses the gate in between."""
        me = state.senders[place]
        if me.at == "checked":
            written = _with(state, place, me._replace(at="written", queue=True))
            yield "a send writes", written._replace(late=state.late or state.confirmed)
        elif me.at == "written":
            yield from self._wait(state, place)
        elif me.at == "cut":
            yield from self._unlock(state, place, "ended", "a send unlocks after the cut")
        elif me.at == "answer":
            left = me.queue and Mistake.NO_LINGER in self.mistakes
            yield "a send reads its answer and closes", _with(state, place, me._replace(at="ended", queue=left))
        else:
            yield from self._crossing(state, place)

    def _crossing(self, state: State, place: int) -> Iterator[Step]:
        """Look, lock, look again: fence/passage.py."""
        me = state.senders[place]
        if me.at == "idle":
            seen = me._replace(at="checked" if Mistake.NO_LOCK in self.mistakes else "looked")
            yield "a send looks", _with(state, place, seen if state.permit != NOBODY else _ended(me))
        elif me.at == "looked":
            opened = me._replace(at="opened", fd=state.gate)
            yield "a send opens the gate", _with(state, place, opened if state.gate != NOBODY else _ended(me))
        elif me.at == "opened":
            after = "checked" if Mistake.NO_SECOND_LOOK in self.mistakes else "locked"
            held = state.exclusive and state.fd == me.fd
            yield "a send locks", _with(state, place, _ended(me) if held else me._replace(at=after, locked=True))
        elif me.at == "locked":
            right = state.permit == me.fd or (state.permit != NOBODY and Mistake.ANY_GATE_PASSES in self.mistakes)
            if right:
                yield "a send looks again", _with(state, place, me._replace(at="checked"))
            else:
                yield from self._unlock(state, place, "ended", "a send is refused")

    def _wait(self, state: State, place: int) -> Iterator[Step]:
        """Inside, until all is acknowledged; or asked to stop, or out of time."""
        me = state.senders[place]
        if not me.queue or Mistake.EARLY_UNLOCK in self.mistakes:
            yield from self._unlock(state, place, "answer", "a send unlocks")
        why = "a send cuts when it is asked" if state.reset else "a send cuts by itself"
        yield why, _with(state, place, me._replace(at="cut", queue=me.queue and Mistake.NO_CUT in self.mistakes))

    def _unlock(self, state: State, place: int, after: str, name: str) -> Iterator[Step]:
        free = _with(state, place, state.senders[place]._replace(at=after, fd=NOBODY, locked=False))
        if Mistake.POSIX_LOCKS in self.mistakes:
            free = free._replace(senders=tuple(sorted(one._replace(locked=False) for one in free.senders)))
        yield name, free

    def _kernel(self, state: State, place: int) -> Iterator[Step]:
        me = state.senders[place]
        if me.queue:
            yield "the kernel transmits", state._replace(late=state.late or state.confirmed)
            yield "the far kernel acknowledges", _with(state, place, me._replace(queue=False))

    def _death(self, state: State, place: int) -> Iterator[Step]:
        """The kernel takes back a dying process's files, one by one, in any order."""
        me = state.senders[place]
        if me.locked:
            yield "a dying process loses a lock", _with(state, place, me._replace(locked=False))
        if me.at != "gone":
            queue = me.queue and Mistake.NO_LINGER in self.mistakes
            yield "a dying process loses a socket", _with(state, place, me._replace(at="gone", queue=queue))
        if all(one.at == "gone" and not one.locked for one in state.senders):
            yield "the process is dead", state._replace(daemon="dead")

    def _accidents(self, state: State) -> Iterator[Step]:
        if state.daemon == "alive":
            yield "the daemon is killed", state._replace(daemon="dying")
        if state.gate == OLD and self.gates_change:
            yield "somebody deletes the gate", state._replace(gate=NOBODY)
            yield "somebody replaces the gate", state._replace(gate=NEW)
        if not state.confirmed and not state.exclusive and self.gates_change and not _inside(state):
            gate = NEW if state.gate == NOBODY else state.gate
            if (state.permit, state.numbered) != (gate, gate == NEW):
                yield "something arms", state._replace(permit=gate, gate=gate, numbered=gate == NEW)

    def _freeze(self, state: State) -> Iterator[Step]:
        """The next line of fence/stopping.py."""
        drain_first = Mistake.DRAIN_FIRST in self.mistakes
        if state.freeze == "begins":
            name = "the freeze begins to wait" if drain_first else "the freeze removes the permit"
            yield name, state._replace(freeze="closed", permit=OLD if drain_first else NOBODY)
        elif state.freeze == "closed":
            made = state.gate == NOBODY
            gate = NEW if made else state.gate
            yield "the freeze opens the gate", state._replace(freeze="waits", gate=gate, fd=gate, made=made)
        elif state.freeze == "waits":
            yield from self._drain(state)
        elif state.freeze == "holds":
            yield from self._prove(state)
        elif state.freeze == "drained":
            yield "the freeze removes the permit late", state._replace(freeze="over", permit=NOBODY, confirmed=True)
        elif state.freeze == "confirmed":
            yield "the freeze lets go", state._replace(freeze="over", exclusive=False, fd=NOBODY, reset=False)

    def _drain(self, state: State) -> Iterator[Step]:
        if not any(one.locked and one.fd == state.fd for one in state.senders):
            yield "the freeze gets the lock", state._replace(freeze="holds", exclusive=True)
            return
        if not state.reset:
            yield "the freeze asks for a reset", state._replace(reset=True)
        elif state.daemon == "alive":
            yield "the freeze kills", state._replace(daemon="dying")

    def _prove(self, state: State) -> Iterator[Step]:
        if state.fd != state.gate and Mistake.NO_SAME_FILE not in self.mistakes:
            yield "the freeze opens the gate again", state._replace(freeze="closed", exclusive=False, fd=NOBODY)
        elif self._is_new(state) and state.daemon == "alive":
            yield "the freeze ends whoever ran before", state._replace(daemon="dying")
        elif state.daemon == "dying" and Mistake.NO_PIDFD not in self.mistakes:
            return  # it waits for the half dead
        elif Mistake.DRAIN_FIRST in self.mistakes:
            yield "the freeze has drained", state._replace(freeze="drained", exclusive=False, fd=NOBODY)
        else:
            permit = state.permit if Mistake.NOT_REMOVED_AGAIN in self.mistakes else NOBODY
            yield "CONFIRMED", state._replace(freeze="confirmed", confirmed=True, permit=permit)

    def _is_new(self, state: State) -> bool:
        """Whether the gate that the freeze holds can vouch for nobody."""
        if state.fd != NEW or state.numbered:
            return False
        return (Mistake.NEW_GATE_VOUCHES if state.made else Mistake.EMPTY_GATE_VOUCHES) not in self.mistakes


def _with(state: State, place: int, sender: Sender) -> State:
    rest = state.senders[:place] + state.senders[place + 1 :]
    return state._replace(senders=tuple(sorted((*rest, sender))))


def _inside(state: State) -> bool:
    return any(one.locked for one in state.senders)


def _ended(me: Sender) -> Sender:
    return me._replace(at="ended", fd=NOBODY, locked=False)
