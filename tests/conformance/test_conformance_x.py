"""X keeps every promise of the contract, before its double."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.conformance.suite import test_the_adapter_keeps_its_promises as test_x_keeps_its_promises
from tests.conformance.x_bench import x

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.conformance import Bench

__all__ = ["test_x_keeps_its_promises"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with x() as found:
        yield found
