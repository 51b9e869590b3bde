"""The worked example keeps every promise of the contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.conformance.suite import test_the_adapter_keeps_its_promises as test_the_example_keeps_its_promises
from tests.conformance.example.bench import bench as tidings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.conformance import Bench

__all__ = ["test_the_example_keeps_its_promises"]
HERE = Path(__file__).parent


def test_the_example_that_people_read_is_short() -> None:
    assert len((HERE / "example" / "tidings.py").read_text().splitlines()) < 150


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tidings() as found:
        yield found
