"""A plan is a year long, and a government changes its clocks in between: wall times follow, and every move is told."""

from __future__ import annotations

import zoneinfo
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from guardian.duties.zones import Zones, fingerprint
from guardian.model import Part, State
from guardian.rules import timing
from guardian.store import posts
from guardian.store.posts import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardian.model import Post
    from tests.duties.conftest import Scene

STOCKHOLM, TOKYO = "Europe/Stockholm", "Asia/Tokyo"
NINE = "2090-07-04T09:00:00"
HOUR = 3_600_000


@pytest.fixture
def new_rules(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Gives this process a database of zones in which one zone has the rules of another."""
    before = zoneinfo.TZPATH
    place = tmp_path / "zones"

    def bring(zone: str, rules_of: str) -> None:
        target = place / zone
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(resources.files("tzdata").joinpath("zoneinfo", *rules_of.split("/")).read_bytes())
        zoneinfo.reset_tzpath([str(place), *before])

    yield bring
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


def planned(scene: Scene, wall: str | None, zone: str | None = STOCKHOLM) -> Post:
    """A post for a wall time, as the import enters it."""
    at = timing.resolve(wall or "2090-07-04T09:00:00+02:00", zone, now=scene.clock(), default_zone="UTC").at
    draft = Draft(account="acme", at=at, at_text=wall or "", zone=zone, wall=wall, part=Part(text="good morning"))
    with scene.database.transaction() as tx:
        return posts.enter(tx, draft, now=scene.clock(), who="a test").post


def test_nine_in_the_morning_stays_nine_in_the_morning_when_a_zone_gets_new_rules(
    scene: Scene, new_rules: Callable[[str, str], None]
) -> None:
    zones = Zones(database=scene.database, clock=scene.clock)
    post, other = planned(scene, NINE), planned(scene, NINE, "America/New_York")
    assert zones.follow() == []
    new_rules(STOCKHOLM, TOKYO)
    (moved,) = zones.follow()
    assert (moved.post, moved.was, moved.now) == (post.id, post.at, post.at - 7 * HOUR)
    assert scene.post(post).at == moved.now
    assert scene.post(post).entered_at == post.entered_at, "nobody entered it anew"
    assert scene.post(other).at == other.at
    (told,) = scene.journal("retimed")
    assert told.data["moved"] == [[post.id, moved.was, moved.now, None]]
    assert told.data["zone"] == STOCKHOLM
    assert zones.follow() == [], "the same rules moved it twice"


def test_a_time_with_an_offset_of_its_own_is_that_moment_whatever_becomes_of_the_zone(
    scene: Scene, new_rules: Callable[[str, str], None]
) -> None:
    post = planned(scene, None)
    zones = Zones(database=scene.database, clock=scene.clock)
    new_rules(STOCKHOLM, TOKYO)
    assert zones.follow() == []
    assert scene.post(post).at == post.at


def test_what_is_out_cancelled_or_missed_is_left_as_it_is(scene: Scene, new_rules: Callable[[str, str], None]) -> None:
    post = planned(scene, NINE)
    scene.queue.cancel(post.id, who="bo")
    new_rules(STOCKHOLM, TOKYO)
    assert Zones(database=scene.database, clock=scene.clock).follow() == []
    assert scene.post(post).state is State.CANCELLED
    assert scene.post(post).at == post.at


def test_a_wall_time_that_the_new_rules_skip_says_so(scene: Scene, new_rules: Callable[[str, str], None]) -> None:
    zones = Zones(database=scene.database, clock=scene.clock)
    post = planned(scene, "2030-03-31T02:30:00", TOKYO)
    zones.follow()
    new_rules(TOKYO, STOCKHOLM)
    (moved,) = zones.follow()
    assert "does not exist" in str(moved.note)
    (told,) = scene.journal("retimed")
    assert str(moved.note) in str(told.data["moved"])
    assert scene.post(post).at == moved.now


def test_a_zone_that_is_gone_moves_nothing(scene: Scene) -> None:
    post = planned(scene, NINE)
    zones = Zones(database=scene.database, clock=scene.clock)
    with scene.database.transaction() as tx:
        tx.execute("update posts set zone = 'Nowhere/Atlantis'")
    assert zones.follow() == []
    assert scene.post(post).at == post.at


def test_thousands_of_moves_are_all_named_in_the_journal(scene: Scene, new_rules: Callable[[str, str], None]) -> None:
    at = timing.resolve(NINE, STOCKHOLM, now=0, default_zone="UTC").at
    with scene.database.transaction() as tx:
        for number in range(1203):
            draft = Draft(
                account="acme", at=at, at_text=NINE, zone=STOCKHOLM, wall=NINE, part=Part(text=f"number {number}")
            )
            posts.enter(tx, draft, now=scene.clock(), who="a test")
    new_rules(STOCKHOLM, TOKYO)
    moved = Zones(database=scene.database, clock=scene.clock).follow()
    lines = scene.journal("retimed")
    named = [one for line in lines for one in line.data["moved"]]  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert {one[0] for one in named} == {one.post for one in moved}
    assert len(moved) == 1203


def test_the_rules_of_a_zone_are_told_apart_with_the_systems_files_and_without() -> None:
    before = zoneinfo.TZPATH
    try:
        assert fingerprint(STOCKHOLM) != fingerprint(TOKYO)
        assert fingerprint("Nowhere/Atlantis") == ""
        zoneinfo.reset_tzpath([])
        assert len(fingerprint(STOCKHOLM)) == 64
        assert fingerprint("Nowhere/Atlantis") == ""
    finally:
        zoneinfo.reset_tzpath(before)
