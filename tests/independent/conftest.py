"""The fixtures of the tests against servers and traffic that are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gate.gate_door import house
from tests.independent.mastodon_mock_server import MastodonMockServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["house"]


@pytest.fixture(scope="module")
def mock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonMockServer]:
    """One for all tests of a module: each of them posts words of its own."""
    with MastodonMockServer(tmp_path_factory.mktemp("mock")) as found:
        yield found
