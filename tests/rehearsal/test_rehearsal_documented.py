"""The page about the rehearsal names every fault and every address: what is not written down is not rehearsed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.rehearsal.faults import KINDS
from guardian.rehearsal.watching import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_fault_is_described(kind: str) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("path", sorted({path for method, path in ROUTES if method == "POST"}))
def test_every_address_that_sets_something_up_is_described(path: str) -> None:
    assert path in PAGE
