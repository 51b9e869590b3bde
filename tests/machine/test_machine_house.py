"""Runs the machine: shortly with every test run, as long as you like by hand (GUARDIAN_MACHINE=2000 houses)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis.stateful import run_state_machine_as_test

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
