"""Every order in which freezes, starts, thaws and reboots can meet, and what each mistake of arming lets out."""

from __future__ import annotations

import pytest

from tests.models.search import Found, search
from tests.models.starts import Fault, Mistake, Model, State, is_late

LATE = "something is sent"
NO_FAULT: frozenset[Fault] = frozenset()
DISK_FAILS = frozenset({Fault.DURABLE})
NO_ROOM = frozenset({Fault.ROOM})
FOUND = {
    Mistake.ARMS_UNLOCKED: NO_FAULT,
    Mistake.NO_MARKER: DISK_FAILS,
    Mistake.NO_MARK: NO_FAULT,
    Mistake.NOT_LAID_AGAIN: DISK_FAILS,
    Mistake.OLD_MARKER_STAYS: NO_ROOM,
    Mistake.KEEPS_DURABLE: NO_FAULT,
}
GUARDED_TWICE = (
    {Mistake.ARMS_OVER_MARKER, Mistake.SENDS_OVER_MARKER},
    {Mistake.NOT_REMOVED_AGAIN, Mistake.SENDS_OVER_MARKER},
)


def run(*mistakes: Mistake, faults: frozenset[Fault] = NO_FAULT) -> Found:
    return search(State(), Model(*mistakes, faults=faults).steps, is_late)


@pytest.mark.parametrize("faults", [NO_FAULT, DISK_FAILS, NO_ROOM, DISK_FAILS | NO_ROOM])
def test_nothing_is_sent_under_a_freeze_until_a_thaw_that_was_shown_it(faults: frozenset[Fault]) -> None:
    found = run(faults=faults)
    assert found.trace == ()
    assert found.states > 3_000
    assert {"something is sent", "CONFIRMED 1", "CONFIRMED 2", "the thaw lifts", "the thaw is refused"} <= found.taken
    assert {"the start arms", "the machine boots", "CONFIRMED 1, its marker laid again"} <= found.taken


@pytest.mark.parametrize("mistake", list(FOUND), ids=[one.name for one in FOUND])
def test_each_mistake_of_arming_sends_something_under_a_freeze(mistake: Mistake) -> None:
    found = run(mistake, faults=FOUND[mistake])
    assert found.trace, f"not found in {found.states} states: {mistake}"
    assert found.trace[-1] == LATE
    assert any(step.startswith("CONFIRMED") for step in found.trace)


def test_arming_outside_the_lock_without_marker_is_found_on_a_disk_that_fails() -> None:
    assert run(Mistake.ARMS_UNLOCKED, Mistake.NO_MARKER, faults=DISK_FAILS).trace[-1] == LATE


def test_a_restart_in_the_middle_of_a_freeze_arms_from_a_permit_that_cannot_be_removed_if_there_is_no_marker() -> None:
    trace = run(Mistake.NO_MARKER, faults=DISK_FAILS).trace
    assert trace[-5:] == (
        "the daemon is killed",
        "a daemon starts and locks",
        "the start looks",
        "the start arms",
        LATE,
    )


@pytest.mark.parametrize("both", GUARDED_TWICE)
def test_what_two_guards_keep_closed_falls_only_when_both_are_gone(both: set[Mistake]) -> None:
    for one in both:
        assert run(one, faults=DISK_FAILS | NO_ROOM).trace == ()
    assert run(*both, faults=DISK_FAILS).trace[-1] == LATE


def test_every_mistake_is_tried() -> None:
    assert {*FOUND, *(one for both in GUARDED_TWICE for one in both)} == set(Mistake)


def test_where_no_marker_can_be_made_at_all_a_restart_undoes_a_freeze_that_died_or_could_not_be_made_durable() -> None:
    """The limit of the promise: no inode left in memory, and on top of it a dead freeze command or a dead disk."""
    assert run(faults=frozenset({Fault.MARKER})).trace[-1] == LATE
