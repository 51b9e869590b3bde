"""Bluesky keeps every promise of the contract, before a real PDS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.conformance.suite import test_the_adapter_keeps_its_promises as test_bluesky_keeps_its_promises
from tests.bluesky.conftest import pds
from tests.conformance.bluesky_bench import BlueskyBench

if TYPE_CHECKING:
    from guardian.conformance import Bench
    from tests.bluesky.pds import Pds

__all__ = ["pds", "test_bluesky_keeps_its_promises"]


@pytest.fixture
def bench(pds: Pds) -> Bench:
    return BlueskyBench(pds, pds.brand())
