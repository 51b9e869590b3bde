"""Every order of events in which sends and a freeze can meet: the protocol is safe, and each mistake in it is found."""

from __future__ import annotations

import pytest

from tests.models.search import Found, search
from tests.models.sends import Mistake, Model, is_late, start

ALL_STEPS, STEPS_WITH_ONE_GATE = 29, 24
LATE = {"a send writes", "the kernel transmits"}


def run(*mistakes: Mistake, lanes: int = 2, gates_change: bool = True) -> Found:
    return search(start(lanes), Model(*mistakes, gates_change=gates_change).steps, is_late)


def test_no_byte_of_two_sends_leaves_after_confirmed_whoever_is_killed_and_whatever_happens_to_the_gate() -> None:
    found = run()
    assert found.trace == ()
    assert found.states > 15_000


def test_no_byte_of_four_sends_leaves_after_confirmed_whoever_is_killed_or_held_up_and_whenever() -> None:
    found = run(lanes=4, gates_change=False)
    assert found.trace == ()
    assert found.states > 25_000


def test_the_models_take_every_step_that_they_know_and_so_are_not_empty() -> None:
    assert len(run().taken) == ALL_STEPS
    assert len(run(gates_change=False).taken) == STEPS_WITH_ONE_GATE
    assert {"CONFIRMED", "a send is refused", "a send cuts when it is asked", "the freeze kills"} <= run().taken


@pytest.mark.parametrize("mistake", list(Mistake), ids=[one.name for one in Mistake])
def test_each_mistake_lets_a_byte_out_after_confirmed(mistake: Mistake) -> None:
    found = run(mistake)
    assert found.trace, f"not found in {found.states} states: {mistake}"
    assert found.trace[-1] in LATE, found.trace
    assert "CONFIRMED" in found.trace or "the freeze removes the permit late" in found.trace


def test_the_shortest_way_to_each_mistake_of_order_is_the_one_that_a_person_would_tell() -> None:
    """Checked before locked: held up in between, through CONFIRMED and the end of the freeze; then locked and sent."""
    trace = run(Mistake.NO_SECOND_LOOK).trace
    assert trace[:2] == ("a send looks", "a send opens the gate")
    assert trace[-3:] == ("the freeze lets go", "a send locks", "a send writes")


@pytest.mark.parametrize("mistake", [Mistake.NO_LINGER, Mistake.NO_CUT, Mistake.EARLY_UNLOCK, Mistake.NO_PIDFD])
def test_what_a_kernel_still_holds_is_late_though_nobody_writes_after_confirmed(mistake: Mistake) -> None:
    trace = run(mistake, gates_change=False).trace
    assert trace[-1] == "the kernel transmits"
    assert "a send writes" not in trace[trace.index("CONFIRMED") :]
