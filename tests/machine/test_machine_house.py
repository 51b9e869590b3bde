"""Runs the machine: shortly with every test run, as long as you like by hand (GUARDIAN_MACHINE=2000 examples)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.memory_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = int(os.environ.get("GUARDIAN_MACHINE", "60"))
STEPS = 40


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of lives, and nobody reads their logs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


def test_no_order_of_posts_freezes_thaws_crashes_and_clocks_breaks_a_promise() -> None:
    run_state_machine_as_test(
        House,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
