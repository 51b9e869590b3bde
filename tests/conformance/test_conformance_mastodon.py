"""Mastodon keeps every promise of the contract, before the rehearsal platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.conformance.suite import test_the_adapter_keeps_its_promises as test_mastodon_keeps_its_promises
from tests.conformance.mastodon_bench import mastodon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.conformance import Bench

__all__ = ["test_mastodon_keeps_its_promises"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with mastodon() as found:
        yield found
