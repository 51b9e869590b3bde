"""Orders left on the disk: carried out once, withdrawn by removing the file, never trusted unread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.duties.orders import Orders
from guardian.errors import Doubt, Refusal
from guardian.fence import orders as left

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.duties.conftest import Scene

KEY = "0123456789abcdef" * 2


def order(**changed: object) -> dict[str, object]:
    found: dict[str, object] = {
        "key": KEY, "refs": ["p-1"], "decision": "delete", "capture": None, "reason": "bad joke", "by": "ann",
        "scopes": ["all"], "native": "list",
    }  # fmt: skip
    return {**found, **changed}


class Taken:
    """What was handed on, and what it answers."""

    def __init__(self) -> None:
        self.takedowns: list[dict[str, Any]] = []
        self.natives: list[dict[str, Any]] = []
        self.raises: Exception | None = None

    def takedown(self, given: dict[str, Any]) -> None:
        if self.raises is not None:
            raise self.raises
        self.takedowns.append(given)


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def picking(scene: Scene, taken: Taken) -> Callable[[], int]:
    return Orders(
        scene.house,
        database=scene.database,
        takedown=taken.takedown,
        native=taken.natives.append,
        clock=scene.clock,
    ).pick_up


def lying(scene: Scene) -> list[str]:
    return sorted(one.name for one in Path(left.directory_of(scene.house)).iterdir())


def test_an_order_that_the_freeze_left_is_carried_out_once_and_its_file_is_gone(
    scene: Scene, taken: Taken, picking: Callable[[], int]
) -> None:
    assert picking() == 0, "there is no directory yet"
    assert left.leave(scene.house, order()) == ""
    assert picking() == 1
    (given,) = taken.takedowns
    assert (given["key"], given["refs"], given["decision"], given["by"]) == (KEY, ["p-1"], "delete", "ann")
    assert lying(scene) == []
    (line,) = scene.journal("order found")
    assert (line.who, line.data["file"], line.data["refs"]) == ("ann", f"{KEY}.json", ["p-1"])
    assert picking() == 0
    assert taken.natives == []


def test_an_order_whose_file_was_removed_is_withdrawn(scene: Scene, taken: Taken, picking: Callable[[], int]) -> None:
    left.leave(scene.house, order())
    Path(left.path_of(scene.house, KEY)).unlink()
    assert (picking(), taken.takedowns) == (0, [])


def test_an_order_about_the_platforms_own_schedule_alone_is_carried_out_too(
    scene: Scene, taken: Taken, picking: Callable[[], int]
) -> None:
    left.leave(scene.house, order(refs=[], native="hold"))
    assert picking() == 1
    assert (taken.takedowns, taken.natives[0]["native"]) == ([], "hold")


def test_what_has_to_wait_stays_and_is_tried_again(scene: Scene, taken: Taken, picking: Callable[[], int]) -> None:
    left.leave(scene.house, order())
    taken.raises = Doubt("the store is locked")
    assert picking() == 0
    assert lying(scene) == [f"{KEY}.json"]
    taken.raises = None
    assert (picking(), lying(scene)) == (1, [])


def test_what_is_refused_is_set_aside_and_not_tried_for_ever(
    scene: Scene, taken: Taken, picking: Callable[[], int]
) -> None:
    left.leave(scene.house, order())
    taken.raises = Refusal("there is no such post")
    assert picking() == 0
    assert lying(scene) == [f"{KEY}.bad"]
    assert (picking(), scene.journal("order found")) == (0, [])


def test_where_nobody_takes_posts_down_the_order_stays(scene: Scene, taken: Taken) -> None:
    left.leave(scene.house, order())
    nobody = Orders(scene.house, database=scene.database, takedown=None, native=taken.natives.append, clock=scene.clock)
    assert (nobody.pick_up(), lying(scene)) == (0, [f"{KEY}.json"])


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"[" * 100_000, b"x" * (left.MOST_BYTES + 1),
        json.dumps(order(key="f" * 32)).encode(),
        json.dumps(order(refs="p-1")).encode(),
        json.dumps(order(refs=[""])).encode(),
        json.dumps(order(refs=["x" * 3000])).encode(),
        json.dumps(order(decision="purge")).encode(),
        json.dumps(order(decision=["delete"])).encode(),
        json.dumps(order(native="all")).encode(),
        json.dumps(order(by=None)).encode(),
        json.dumps(order(reason="x" * 1001)).encode(),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_file_that_is_no_order_is_set_aside_and_nothing_is_taken_down(
    scene: Scene, taken: Taken, picking: Callable[[], int], raw: bytes
) -> None:
    left.leave(scene.house, order())
    Path(left.path_of(scene.house, KEY)).write_bytes(raw)
    assert (picking(), taken.takedowns) == (0, [])
    assert lying(scene) == [f"{KEY}.bad"]


def test_a_link_to_another_file_is_no_order(
    scene: Scene, taken: Taken, picking: Callable[[], int], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(json.dumps(order()))
    left.leave(scene.house, order())
    place = Path(left.path_of(scene.house, KEY))
    place.unlink()
    place.symlink_to(elsewhere)
    assert (picking(), taken.takedowns) == (0, [])
    assert elsewhere.exists()


def test_a_reason_with_half_a_letter_never_stops_the_journal(
    scene: Scene, taken: Taken, picking: Callable[[], int]
) -> None:
    left.leave(scene.house, order(reason="bad \ud800 joke", refs=["p-\udcff"]))
    assert picking() == 1
    assert taken.takedowns[0]["refs"] == ["p-?"]


def test_orders_never_fill_the_disk(scene: Scene) -> None:
    assert left.leave(scene.house, order(refs=["x" * left.MOST_BYTES])) == "it is too long"
    Path(left.directory_of(scene.house)).mkdir(exist_ok=True)
    for nr in range(left.MOST_ORDERS):
        (Path(left.directory_of(scene.house)) / f"{nr}").touch()
    assert "is full of orders" in left.leave(scene.house, order())
