"""A short slice of the torture of the store."""

from __future__ import annotations

import pytest

from tests.torture.catalogue import ROWS
from tests.torture.results import Options

pytestmark = pytest.mark.outsider
OPTIONS = Options(seed=1, short=True)


def _holds(name: str) -> None:
    result = ROWS[name](OPTIONS)
    assert result.holds, result.line()


def test_a_store_that_a_stopped_program_has_locked_delays_no_freeze_and_loses_no_post() -> None:
    _holds("store-locked")


def test_a_damaged_store_holds_the_house_and_loses_nothing_that_the_saved_copy_has() -> None:
    _holds("store-damaged")


def test_a_flipped_byte_is_noticed_or_does_no_harm() -> None:
    _holds("store-flipped")
