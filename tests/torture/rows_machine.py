"""Row `machine`: the state machine of `tests/machine`, for long: whatever may happen to a house, in any order.

A trial is one house with up to forty steps. What is wrong is shrunk to the fewest steps, and printed.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import structlog
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.memory_house import House, how_hard
from tests.torture.oracle import Findings
from tests.torture.results import Result

if TYPE_CHECKING:
    from tests.torture.results import Options

HOUSES = 1000


def machine(options: Options) -> Result:
    """I1 to I9 and I14 after every step."""
    houses = options.times(HOUSES, 40)
    wrong = ""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    try:
        run_state_machine_as_test(House, settings=how_hard(houses))
    except AssertionError as error:
        traceback.print_exc()
        wrong = str(error).splitlines()[0]
    finally:
        structlog.reset_defaults()
    return Result.of("machine", houses, Findings(), wrong=wrong)
