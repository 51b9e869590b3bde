"""The crossing: what a publishing request goes through, and every moment at which a freeze may come in between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import gates, permits
from guardian.fence.passage import Crossing, Stopped, look

if TYPE_CHECKING:
    from guardian.fence.house import House

SCOPES = ("account:acme-m", "all", "brand:acme", "platform:mastodon")


def test_a_crossing_holds_every_gate_shared_and_lets_go_of_all(house: House) -> None:
    with Crossing(look(house, SCOPES)):
        for scope in SCOPES:
            fd = gates.open_shared(house, scope)
            assert not gates.try_exclusive(fd)
            assert gates.holders(fd) == (gates.Holder(os.getpid(), exclusive=False),)
            os.close(fd)
    for scope in SCOPES:
        fd = gates.open_shared(house, scope)
        assert gates.try_exclusive(fd)
        os.close(fd)


def test_many_sends_cross_at_the_same_time(house: House) -> None:
    ticket = look(house, SCOPES)
    with Crossing(ticket), Crossing(ticket), Crossing(ticket):
        pass


def test_a_permit_removed_after_the_look_stops_the_crossing(house: House) -> None:
    ticket = look(house, SCOPES)
    Path(house.permit("all")).unlink()
    with pytest.raises(Stopped), Crossing(ticket):
        pytest.fail("a send went through")


def test_a_permit_removed_between_lock_and_check_stops_the_crossing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check after the locks is the one that counts: here the freeze comes right after the last lock is taken."""
    ticket = look(house, SCOPES)
    real = gates.try_shared

    def lock_then_freeze(fd: int) -> bool:
        got = real(fd)
        permits.remove(house.permit("account:acme-m"))
        return got

    monkeypatch.setattr(gates, "try_shared", lock_then_freeze)
    with pytest.raises(Stopped), Crossing(ticket):
        pytest.fail("a send went through")


def test_a_freeze_and_thaw_between_look_and_crossing_stop_the_send(house: House) -> None:
    ticket = look(house, SCOPES)
    permits.write_volatile(house, "all", epoch=3, gate=Path(house.gate("all")).read_text())
    with pytest.raises(Stopped, match="frozen and thawed meanwhile"), Crossing(ticket):
        pytest.fail("a send went through")


def test_a_gate_that_was_replaced_stops_the_send(house: House) -> None:
    ticket = look(house, SCOPES)
    gate = Path(house.gate("all"))
    gate.unlink()
    gate.touch(0o600)
    with pytest.raises(Stopped, match="the gate of all was replaced"), Crossing(ticket):
        pytest.fail("a send went through")


def test_a_gate_that_is_missing_stops_the_send(house: House) -> None:
    ticket = look(house, SCOPES)
    Path(house.gate("all")).unlink()
    with pytest.raises(Stopped, match="cannot be opened"), Crossing(ticket):
        pytest.fail("a send went through")


def test_a_send_never_waits_for_a_freeze_that_holds_the_gate(house: House) -> None:
    ticket = look(house, SCOPES)
    gate = gates.open_exclusive(house, "all")
    assert gates.try_exclusive(gate.fd)
    with pytest.raises(Stopped, match="being frozen or armed"), Crossing(ticket):
        pytest.fail("a send went through")
    os.close(gate.fd)


def test_a_refused_crossing_leaks_no_descriptor(house: House) -> None:
    ticket = look(house, SCOPES)
    Path(house.permit("platform:mastodon")).unlink()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        with pytest.raises(Stopped), Crossing(ticket):
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_stopped_send_looks_like_no_network_error(house: House) -> None:
    """Libraries retry what derives from OSError or from their own base classes."""
    assert Stopped.__bases__ == (Exception,)
    with Crossing(look(house, SCOPES)) as crossing:
        assert not crossing.closing()
        Path(house.permit("all")).unlink()
        assert crossing.closing()
        assert not crossing.reset_asked()
        Path(house.reset("brand:acme")).touch()
        assert crossing.reset_asked()
