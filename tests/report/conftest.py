"""A journal of its own for every test of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.store.database import Database
from tests.report.story import Story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    database = Database(tmp_path / "guardian.db")
    yield Story(database)
    database.close()
