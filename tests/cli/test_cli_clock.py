"""A clock in doubt is said out loud, with what to do; a thaw confirms it, even where nothing is frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardian.daemon.clocks import sight
from guardian.store import journal
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Place

HOUR = 3_600_000


@pytest.fixture
def set_back(place: Place) -> Place:
    """A daemon whose former life saw a wall clock that was an hour ahead of this one."""
    place.stop()
    now = sight()
    database = Database(place.base / "state" / "guardian.db")
    with database.transaction() as tx:
        facts: dict[str, object] = {"boot": now.boot, "offset": now.anchor.offset + HOUR, "why": "a test"}
        journal.append(tx, "clock_trusted", who="guardian", now=now.wall + HOUR, **facts)
    database.close()
    place.start()
    return place


def test_status_says_that_the_clock_is_in_doubt_and_a_thaw_confirms_it(
    guardian: Callable[..., Any], set_back: Place
) -> None:
    assert set_back.daemon is not None
    said = guardian("status")
    assert said.code == 0
    assert "IN DOUBT: it is" in said.out
    assert "before what was written down last. Nothing is sent or missed meanwhile" in " ".join(said.out.split())
    assert "guardian thaw --reason" in said.out
    assert guardian("status", "--json").json["clock"]["state"] == "in doubt"
    asked = guardian("thaw", "--reason", "it is right", stdin="n\n", terminal=True)
    assert asked.code == 1
    assert "to thaw says that it is right as it is" in " ".join(asked.err.split())
    assert guardian("status", "--json").json["clock"]["state"] == "in doubt", "it was confirmed by a no"
    done = guardian("thaw", "--reason", "it is right", "--yes")
    assert done.code == 0
    assert "confirmed as it is" in done.out
    assert guardian("status", "--json").json["clock"] == {"state": "steady", "why": ""}
