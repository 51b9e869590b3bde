"""The marker where there is no room: it may lose its words, but never let a thaw through that did not see it."""

from __future__ import annotations

import contextlib
import resource
from typing import TYPE_CHECKING

from guardian.fence import arming, limited, marker
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """The kernel takes no byte into any file, as on a full disk; names can still be made and removed.

    For a few lines only: what the tests print may go to a file, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def freeze(house: House) -> str:
    with Stopping(house, Order(("all",), "why", "me", 1.0)) as stop:
        assert stop.confirm()
        stop.settle(limited.in_a_thread)
        return stop.marker.mark


def test_a_freeze_without_room_for_its_marker_is_confirmed_and_leaves_an_empty_one(house: House) -> None:
    with no_room():
        freeze(house)
        found, kept = marker.read(house.marker("all")), arming.resume(house, "all", epoch=1)
    assert found == marker.UNREADABLE
    assert kept == arming.Kept("all", "it is frozen")


def test_a_freeze_without_room_for_its_marker_is_not_lifted_by_a_thaw_that_was_shown_the_freeze_before(
    house: House,
) -> None:
    """The model of starts finds it in fourteen steps: the old marker stayed, and its mark was the one shown."""
    shown = freeze(house)
    with no_room():
        freeze(house)
        found, kept = marker.read(house.marker("all")), arming.thaw(house, "all", epoch=3, mark=shown)
    assert found == marker.UNREADABLE
    assert kept == arming.Kept("all", "it was frozen again meanwhile")
