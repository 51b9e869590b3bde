"""A daemon whose store is too large to be seen whole before the first send: the rest is seen while it runs."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import GuardianError
from guardian.fence import reading
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

LATER = datetime(2099, 1, 1, tzinfo=UTC)
POSTS = 60
WITHIN = 20.0
HURRIED = (
    "-c",
    """
import sys
from guardian.daemon import inspecting
from guardian.store import check, inspection
inspecting.AT_FIRST = 500
check.THE_REST_SECONDS = -1.0
inspection.PAGE = 10
from guardian.__main__ import main
sys.exit(main())
""",
)


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    """A house with a year's plan, and nobody at home."""
    with TorturedHouse() as found:
        found.start()
        found.feed(POSTS, at=LATER)
        assert found.daemon is not None
        found.daemon.terminate()
        yield found


def rot(house: TorturedHouse) -> None:
    """A byte in the text of a post that will not be its turn for years."""
    with contextlib.closing(
        sqlite3.connect(Path(house.house.state_dir) / "guardian.db", isolation_level=None)
    ) as found:
        found.execute("update posts set text = 'rotten' where seq = ?", (POSTS - 5,))


def until_told(house: TorturedHouse) -> dict[str, object]:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(GuardianError):  # while it begins anew nobody answers
            status: dict[str, object] = house.client.get("/v1/status")
            if "store" in status:
                return status
        time.sleep(0.02)
    raise AssertionError("the damage was not found")


def test_what_the_start_had_no_time_to_see_freezes_the_house_as_soon_as_it_is_seen(house: TorturedHouse) -> None:
    rot(house)
    house.start(program=HURRIED)
    house.feed(3)  # sent before the rest is seen: they are compared with what was entered in their turn
    house.wait(lambda counts: counts["published"] == 3, WITHIN, "the first sends")
    told = until_told(house)
    assert "is not what was entered" in str(told["store"])
    assert reading.read_fence(house.house).state == reading.FROZEN


def test_a_whole_store_is_seen_to_its_end_and_said_to_be(house: TorturedHouse) -> None:
    daemon = house.start(program=HURRIED)
    until = time.monotonic() + WITHIN
    while "looked at to its end" not in daemon.tail():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert "store" not in house.client.get("/v1/status")
