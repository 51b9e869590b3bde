"""What every test gets: the tripwire is stretched, unless the test plays an outsider on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.gate import tripwire

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _tripwire(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("outsider"):
        yield
        return
    tripwire.stretch()
    yield
    tripwire.slacken()
