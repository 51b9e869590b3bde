"""Arming is the one dangerous act: every way in which a scope could be armed that somebody has stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming, gates, limited, marker, permits, reading, scopes
from guardian.fence.arming import Armed, Kept
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    from guardian.fence.house import House


def freeze(house: House, *names: str, durable: bool = True) -> str:
    """Freeze; the mark that it left."""
    with Stopping(house, Order(names or ("all",), "why", "me", 1.0)) as stop:
        assert stop.confirm()
        if durable:
            assert stop.settle(limited.in_a_thread)
        return stop.marker.mark


def test_init_twice_never_arms_what_is_frozen(house: House) -> None:
    freeze(house)
    assert arming.arm_new(house, "all") == Kept("all", "it is not new")
    assert isinstance(permits.read_volatile(house, "all"), permits.Flaw)


def test_a_new_scope_that_was_frozen_before_it_was_ever_armed_stays_frozen(house: House) -> None:
    with Stopping(house, Order(("brand:new",), "", "me", 1.0)) as stop:
        assert stop.confirm()  # and no settle: the list does not know it
    assert arming.arm_new(house, "brand:new") == Kept("brand:new", "it is frozen")


def test_a_start_arms_only_with_the_durable_permit_of_the_epoch_that_the_store_knows(house: House) -> None:
    os.unlink(house.permit("all"))
    assert isinstance(arming.resume(house, "all", epoch=2), Kept)
    assert arming.resume(house, "all", epoch=1) == Armed("all", 1)
    os.unlink(house.durable("all"))
    assert arming.resume(house, "all", epoch=1) == Kept("all", "it has no durable permit")


def test_a_restart_in_the_middle_of_a_freeze_does_not_arm_from_a_permit_about_to_be_removed(house: House) -> None:
    """Reliability 2.2: without the marker, the model finds this in 12 steps."""
    freeze(house, durable=False)
    assert isinstance(permits.read_durable(house, "all"), permits.Permit)
    assert arming.resume(house, "all", epoch=1) == Kept("all", "it is frozen")


def test_arming_waits_for_nobody_who_is_inside_and_gives_up_in_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arming, "PATIENCE", 0.1)
    fd = gates.open_shared(house, "all")
    assert gates.try_shared(fd)
    assert arming.resume(house, "all", epoch=1) == Kept("all", "its gate is held by others")
    os.close(fd)


def test_a_thaw_lifts_the_freeze_that_it_was_shown(house: House) -> None:
    mark = freeze(house)
    assert arming.thaw(house, "all", epoch=3, mark=mark) == Armed("all", 3)
    for found in (permits.read_volatile(house, "all"), permits.read_durable(house, "all")):
        assert isinstance(found, permits.Permit)
        assert found.epoch == 3
    assert marker.of(house, "all") is None


def test_a_freeze_that_comes_after_the_thaw_began_wins(house: House) -> None:
    mark = freeze(house)
    newer = freeze(house)
    assert arming.thaw(house, "all", epoch=3, mark=mark) == Kept("all", "it was frozen again meanwhile")
    assert isinstance(permits.read_volatile(house, "all"), permits.Flaw)
    assert isinstance(permits.read_durable(house, "all"), permits.Flaw)
    found = marker.read(house.marker("all"))
    assert found is not None
    assert found.mark == newer


def test_an_unreadable_marker_is_lifted_only_by_a_thaw_that_saw_it(house: House) -> None:
    freeze(house)
    Path(house.marker("all")).write_bytes(b"")
    assert arming.resume(house, "all", epoch=1) == Kept("all", "it is frozen")
    assert isinstance(arming.thaw(house, "all", epoch=3, mark=None), Kept)
    assert isinstance(arming.thaw(house, "all", epoch=3, mark=marker.UNREADABLE.mark), Armed)


def test_the_list_of_scopes_survives_a_torn_line(house: House) -> None:
    with open(house.scopes, "ab") as file:
        file.write(b"\nbrand:to")
    scopes.enlist(house, "brand:torn")
    assert "brand:torn" in scopes.listed(house)
    assert "all" in scopes.listed(house)


@pytest.mark.parametrize(
    "name", ["", "ALL", "brand:", "brand:../x", "brand:.x", "planet:x", "brand:a/b", "brand:" + "x" * 64]
)
def test_what_is_no_scope_never_becomes_a_file_name(name: str) -> None:
    assert not scopes.is_scope(name)


def test_the_reading_tells_open_frozen_partly_and_not_yet_armed_apart(house: House) -> None:
    assert reading.read_fence(house).state == reading.OPEN
    freeze(house, "brand:acme")
    assert reading.read_fence(house).state == reading.PARTLY
    freeze(house)
    seen = {one.scope: one for one in reading.read_fence(house).scopes}
    assert reading.read_fence(house).state == reading.FROZEN
    assert (seen["all"].reason, seen["all"].by) == ("why", "me")
    os.unlink(house.permit("platform:mastodon"))
    assert reading.read_scope(house, "platform:mastodon").state == reading.UNARMED


def test_after_a_reboot_the_reason_of_a_freeze_is_still_known(house: House) -> None:
    freeze(house)
    for name in os.listdir(house.gates):
        os.unlink(f"{house.gates}/{name}")
    seen = reading.read_scope(house, "all")
    assert (seen.state, seen.reason) == (reading.FROZEN, "why")


def test_a_reboot_does_not_undo_a_freeze_and_does_not_freeze_what_was_open(house: House) -> None:
    freeze(house, "brand:acme")
    for name in os.listdir(house.gates):
        os.unlink(f"{house.gates}/{name}")
    assert isinstance(arming.resume(house, "brand:acme", epoch=1), Kept)
    assert arming.resume(house, "all", epoch=1) == Armed("all", 1)


def test_a_permit_of_the_last_boot_is_no_permit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permits, "_boot", ["another-boot"])
    assert permits.read_volatile(house, "all") == permits.Flaw("its permit is of another boot")
    assert isinstance(permits.read_durable(house, "all"), permits.Permit)


def test_a_house_without_any_scope_is_unknown_and_never_called_open(tmp_path: Path) -> None:
    from guardian.fence.house import House

    (tmp_path / "s").mkdir()
    (tmp_path / "r").mkdir()
    assert reading.read_fence(House(str(tmp_path / "s"), str(tmp_path / "r"))).state == reading.UNKNOWN
    assert reading.read_fence(House(str(tmp_path / "x"), str(tmp_path / "y"))).state == reading.UNKNOWN


def test_a_freeze_whose_marker_a_thaw_removed_unseen_lays_it_down_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thaw had looked at the old marker already; on a read-only disk only the new one keeps a restart closed."""
    real = gates.try_exclusive

    def a_thaw_ends_here(fd: int) -> bool:
        permits.remove(house.marker("all"))
        return real(fd)

    monkeypatch.setattr(gates, "try_exclusive", a_thaw_ends_here)
    mark = freeze(house, durable=False)
    found = marker.read(house.marker("all"))
    assert found is not None
    assert found.mark == mark


def test_a_reset_that_a_dead_freeze_left_behind_breaks_no_later_send(house: House) -> None:
    mark = freeze(house)
    Path(house.reset("all")).touch()
    assert isinstance(arming.thaw(house, "all", epoch=3, mark=mark), Armed)
    assert not os.path.exists(house.reset("all"))


def test_a_private_scope_is_armed_stopped_and_on_no_list(house: House) -> None:
    before = Path(house.scopes).read_bytes()
    assert scopes.is_scope("drill:0123abcd")
    assert not scopes.exists(house, "drill:0123abcd")
    assert isinstance(arming.arm_new(house, "drill:0123abcd"), arming.Armed)
    assert scopes.exists(house, "drill:0123abcd")
    with Stopping(house, Order(("drill:0123abcd",), "a self-test", "me")) as stop:
        assert stop.confirm()
        assert stop.settle(lambda action, _: action())
    assert Path(house.scopes).read_bytes() == before
    assert reading.read_fence(house).state == reading.OPEN
    Path(house.scopes).write_text("\nall\n\ndrill:0123abcd\n")  # not even one that stands there
    assert scopes.listed(house) == ("all",)
