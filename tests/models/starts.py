"""A model of arming: two freezes against a daemon that starts, dies, starts again and thaws, at any instant.

That a send and a freeze exclude each other is what the other model shows, so here a send is one step, possible while
nobody holds the gate exclusively and both the permit and the absence of a marker allow it. This one is about who may
write a permit. A freeze is lifted only by a thaw that was shown it: CONFIRMED, or under way when the marker was laid
that was shown (a second freeze joins the first).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    Step = tuple[str, "State"]

FREEZES = (1, 2)  # a freeze's number is also the mark on its marker
NONE, EMPTY = 0, 9


class Fault(StrEnum):
    """What the disks may refuse: not the protocol's doing, and possible at any time."""

    DURABLE = "the durable permit cannot be removed (a read-only disk)"
    ROOM = "there is no room for the words of the second freeze's marker"
    MARKER = "no marker can be made at all (no inode left), though one that is there can be emptied"


class Mistake(StrEnum):
    """One thing left out of the real protocol."""

    ARMS_UNLOCKED = "arms without the exclusive lock"
    NO_MARKER = "lays no marker"
    ARMS_OVER_MARKER = "a start arms although a marker is there"
    NO_MARK = "a thaw does not compare the marker with the one that it was shown"
    NOT_LAID_AGAIN = "does not look again whether its marker still lies there"
    NOT_REMOVED_AGAIN = "does not remove the permit again under the lock"
    OLD_MARKER_STAYS = "leaves the marker of an earlier freeze where there is no room for its own"
    SENDS_OVER_MARKER = "a send looks at the permit alone, not at the marker"
    KEEPS_DURABLE = "says durable without removing the durable permit"


class State(NamedTuple):
    """Everything at one instant."""

    permit: bool = True
    durable: bool = True
    marker: int = NONE
    covered: frozenset[int] = frozenset()  # the freezes that were under way when that marker was laid
    lock: str = ""
    freezes: tuple[str, str] = ("idle", "idle")
    standing: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()  # those of the standing that were said to be durable
    daemon: str = "up"
    shown: tuple[int, frozenset[int]] = (NONE, frozenset())
    late: bool = False


def is_late(state: State) -> bool:
    """Whether something was sent under a freeze that was CONFIRMED and that nobody has lifted."""
    return state.late


class Model:
    """The steps of everybody, with the faults that may happen and the mistakes that are made."""

    def __init__(self, *mistakes: Mistake, faults: frozenset[Fault] = frozenset()) -> None:
        self.mistakes = frozenset(mistakes)
        self.faults = faults

    def steps(self, state: State) -> Iterator[Step]:
        """What may happen next."""
        for number in FREEZES:
            yield from self._freeze(state, number)
        yield from self._daemon(state)
        yield from self._thaw(state)
        yield from self._send(state)
        yield from self._power(state)

    def _freeze(self, state: State, number: int) -> Iterator[Step]:
        """The next line of fence/stopping.py."""
        at, me = state.freezes[number - 1], f"freeze {number}"
        if at == "idle":
            yield from self._lay(_at(state, number, "marked"), number, f"{me} lays its marker")
        elif at == "marked":
            yield f"{me} removes the permit", _at(state, number, "closed")._replace(permit=False)
        elif at == "closed" and not state.lock:
            yield f"{me} locks", _at(state, number, "locked")._replace(lock=me)
        elif at == "locked":
            permit = state.permit and Mistake.NOT_REMOVED_AGAIN in self.mistakes
            yield f"{me} removes the permit again", _at(state, number, "removed")._replace(permit=permit)
        elif at == "removed":
            confirmed = _at(state, number, "confirmed")._replace(standing=state.standing | {number})
            if state.marker or Mistake.NOT_LAID_AGAIN in self.mistakes:
                yield f"CONFIRMED {number}", confirmed
            else:
                yield from self._lay(confirmed, number, f"CONFIRMED {number}, its marker laid again")
        else:
            yield from self._settle(state, number)
        if at not in ("idle", "over"):
            yield f"{me} is killed", _at(_free(state, me), number, "over")

    def _settle(self, state: State, number: int) -> Iterator[Step]:
        at, me = state.freezes[number - 1], f"freeze {number}"
        if at == "confirmed":
            keeps = Mistake.KEEPS_DURABLE in self.mistakes
            done = _at(state, number, "durable")._replace(durable=state.durable and keeps, kept=state.kept | {number})
            yield f"{me} removes the durable permit", done
            if Fault.DURABLE in self.faults and state.durable:
                yield f"{me} cannot remove the durable permit", _at(state, number, "durable")
        elif at == "durable":
            yield f"{me} lets go", _at(_free(state, me), number, "over")

    def _lay(self, state: State, number: int, name: str) -> Iterator[Step]:
        if Mistake.NO_MARKER in self.mistakes:
            yield name, state
            return
        begun = frozenset(one for one in FREEZES if one == number or state.freezes[one - 1] != "idle")
        laid = state._replace(marker=number, covered=begun)
        yield name, laid
        stays = Mistake.OLD_MARKER_STAYS in self.mistakes and state.marker
        if Fault.ROOM in self.faults and number == FREEZES[-1]:
            yield f"{name}, without words", state if stays else laid._replace(marker=EMPTY)
        if Fault.MARKER in self.faults:
            yield f"{name} in vain", laid._replace(marker=EMPTY) if state.marker and not stays else state

    def _daemon(self, state: State) -> Iterator[Step]:
        """`resume` of fence/arming.py, at every start; the daemon may die anywhere."""
        unlocked = Mistake.ARMS_UNLOCKED in self.mistakes
        if state.daemon == "down" and (unlocked or not state.lock):
            yield (
                "a daemon starts and locks",
                state._replace(daemon="starts", lock=state.lock if unlocked else "daemon"),
            )
        elif state.daemon == "starts":
            clear = not state.marker or Mistake.ARMS_OVER_MARKER in self.mistakes
            may = clear and state.durable
            yield "the start looks", state._replace(daemon="may arm" if may else "ends arming")
        elif state.daemon == "may arm":
            yield "the start arms", state._replace(daemon="ends arming", permit=True)
        elif state.daemon == "ends arming":
            yield "the daemon unlocks and is up", _free(state, "daemon")._replace(daemon="up")
        if state.daemon != "down":
            down = _free(state, "daemon")._replace(daemon="down", shown=(NONE, frozenset()))
            yield "the daemon is killed", down

    def _thaw(self, state: State) -> Iterator[Step]:
        """`thaw` of duties/books.py and of fence/arming.py: a person is shown what stands, and lifts that."""
        unlocked = Mistake.ARMS_UNLOCKED in self.mistakes
        mark, shown = state.shown
        if state.daemon == "up" and (state.standing or state.marker):
            seen = state.marker, state.standing | state.covered
            yield "a person is shown the freezes", state._replace(daemon="thaws", shown=seen)
        elif state.daemon == "thaws" and (unlocked or not state.lock):
            yield "the thaw locks", state._replace(daemon="thaw locked", lock=state.lock if unlocked else "daemon")
        elif state.daemon == "thaw locked":
            same = state.marker in (NONE, mark) or Mistake.NO_MARK in self.mistakes
            if same:
                yield "the thaw lifts", state._replace(daemon="may thaw", standing=state.standing - shown)
            else:
                yield "the thaw is refused", state._replace(daemon="ends arming")
        elif state.daemon == "may thaw":
            yield "the thaw writes the durable permit", state._replace(daemon="unmarks", durable=True)
        elif state.daemon == "unmarks":
            yield "the thaw removes the marker", state._replace(daemon="may arm", marker=NONE, covered=frozenset())

    def _send(self, state: State) -> Iterator[Step]:
        clear = not state.marker or Mistake.SENDS_OVER_MARKER in self.mistakes
        if state.permit and clear and not state.lock.startswith("freeze") and state.daemon != "down":
            yield "something is sent", state._replace(late=bool(state.standing))

    def _power(self, state: State) -> Iterator[Step]:
        """A reboot empties memory; a freeze that was not said to be durable promised nothing for it."""
        over = tuple("idle" if at == "idle" else "over" for at in state.freezes)
        yield (
            "the machine boots",
            State(
                permit=False,
                durable=state.durable,
                freezes=(over[0], over[1]),
                standing=state.standing & state.kept,
                kept=state.kept,
                daemon="down",
            ),
        )


def _at(state: State, number: int, place: str) -> State:
    first, second = state.freezes
    return state._replace(freezes=(place, second) if number == 1 else (first, place))


def _free(state: State, who: str) -> State:
    return state._replace(lock="") if state.lock == who else state
