"""Runs the machine: shortly with every test run, as long as you like by hand (GUARDIAN_MACHINE=2000 houses)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis.stateful import run_state_machine_as_test

from guardian.fence import passage
from tests.machine import memory_house
from tests.machine.memory_house import House, how_hard

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSES = int(os.environ.get("GUARDIAN_MACHINE", "80"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of lives, and nobody reads their logs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


def test_no_order_of_posts_freezes_thaws_crashes_and_clocks_breaks_a_promise() -> None:
    run_state_machine_as_test(House, settings=how_hard(HOUSES))


def test_the_machine_sees_a_fence_that_takes_its_locks_and_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot find anything would prove nothing."""

    def lock_only(self: passage.Crossing) -> passage.Crossing:
        for scope, _ in self.ticket.epochs:
            self._lock(scope)
        return self

    monkeypatch.setattr(memory_house, "event", lambda _: None)  # there is no hypothesis here to tell it to
    house = House()
    try:
        house.begin()
        house.in_the_middle_of_a_send(place="lane.intended", kind="freeze")
        house.fence()
        monkeypatch.setattr(passage.Crossing, "__enter__", lock_only)
        house.in_the_middle_of_a_send(place="lane.intended", kind="freeze")
        with pytest.raises(AssertionError, match="was CONFIRMED"):
            house.fence()
    finally:
        house.teardown()
