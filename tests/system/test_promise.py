"""docs/promise.md names rows and tests: a name that leads nowhere proves nothing, a row it does not name is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.torture.catalogue import ROWS

ROOT = Path(__file__).resolve().parents[2]
PROMISE = (ROOT / "docs" / "promise.md").read_text("utf-8")
NAMED_ROWS = set(re.findall(r"`row:([a-z0-9-]+)`", PROMISE))
NAMED_TESTS = sorted(set(re.findall(r"`(tests/[a-z_0-9/]+\.py)(?:::(\w+))?`", PROMISE)))


def test_every_row_is_named_and_every_name_is_a_row() -> None:
    assert set(ROWS) == NAMED_ROWS


@pytest.mark.parametrize(("file", "name"), NAMED_TESTS)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not name or f"def {name}(" in text


def test_the_long_run_is_dated_and_says_of_which_commit_it_is() -> None:
    found = re.search(r"(\d{4}-\d\d-\d\d), commit `([0-9a-f]{7,40})`", PROMISE)
    assert found is not None
