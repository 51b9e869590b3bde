"""A short slice of the torture's row about the control socket under attack."""

from __future__ import annotations

import pytest

from tests.torture.results import Options
from tests.torture.rows_sockets import control_attacked

pytestmark = pytest.mark.outsider


def test_a_control_socket_under_attack_delays_no_freeze_and_lets_nothing_late_through() -> None:
    result = control_attacked(Options(seed=1, short=True))
    assert result.holds, result.line()
