"""The suite for pytest: import `test_the_adapter_keeps_its_promises`, and give it a fixture called `bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.conformance import CASES, NotOffered, NotPlayed, check

if TYPE_CHECKING:
    from guardian.conformance import Bench, Case

__all__ = ["test_the_adapter_keeps_its_promises"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_adapter_keeps_its_promises(case: Case, bench: Bench) -> None:
    """One case; what is not offered is counted as skipped, and says so."""
    try:
        check(case, bench)
    except (NotOffered, NotPlayed) as absent:
        pytest.skip(str(absent))
