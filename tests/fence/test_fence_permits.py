"""A permit that is not exactly right is no permit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.fence import passage, permits
from guardian.fence.permits import Flaw, Permit, read_volatile

if TYPE_CHECKING:
    from guardian.fence.house import House

UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SCOPE = "all"


def rewrite(house: House, text: bytes) -> None:
    Path(house.permit(SCOPE)).write_bytes(text)


def test_a_fresh_permit_is_read_back_as_it_was_written(house: House) -> None:
    found = read_volatile(house, SCOPE)
    assert isinstance(found, Permit)
    assert (found.scope, found.epoch, found.boot) == (SCOPE, 1, permits.boot_id())
    assert found.gate == Path(house.gate(SCOPE)).read_text() != ""


@given(raw=st.binary(max_size=600))
@settings(suppress_health_check=UNHURRIED, max_examples=300, deadline=None)
def test_garbage_in_a_permit_means_stop_whatever_it_is(house: House, raw: bytes) -> None:
    rewrite(house, raw)
    assert isinstance(read_volatile(house, SCOPE), Flaw)


@given(data=st.data())
@settings(suppress_health_check=UNHURRIED, max_examples=200, deadline=None)
def test_one_changed_byte_never_makes_another_permit_of_it(house: House, data: st.DataObject) -> None:
    permits.write_volatile(house, SCOPE, epoch=7, gate="42")
    raw = bytearray(Path(house.permit(SCOPE)).read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    rewrite(house, bytes(raw))
    found = read_volatile(house, SCOPE)
    if isinstance(found, Permit):  # only a digit of epoch or gate can change unseen here; the crossing compares both
        assert (found.scope, found.boot) == (SCOPE, permits.boot_id())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("scope=all", "scope=brand:acme"), "another scope"),
        (lambda text: text.replace("boot=", "boot=0"), "another boot"),
        (lambda text: text.replace("epoch=1", "epoch=-1"), "malformed"),
        (lambda text: text.replace("epoch=1", "epoch=1 "), "malformed"),
        (lambda text: text.replace("permit 1", "permit 2"), "malformed"),
        (lambda text: text + "more\n", "malformed"),
        (lambda text: text.rstrip("\n"), "malformed"),
        (lambda _: "", "malformed"),
    ],
)
def test_a_permit_that_says_something_else_is_refused_and_the_reason_said(
    house: House, change: object, why: str
) -> None:
    text = Path(house.permit(SCOPE)).read_text()
    rewrite(house, change(text).encode())  # type: ignore[operator]
    found = read_volatile(house, SCOPE)
    assert isinstance(found, Flaw)
    assert why in found.why


def test_a_permit_that_others_could_have_written_is_refused(house: House) -> None:
    Path(house.permit(SCOPE)).chmod(0o666)
    found = read_volatile(house, SCOPE)
    assert found == Flaw("its permit can be written by others")


def test_a_permit_behind_a_link_is_refused(house: House, tmp_path: Path) -> None:
    permit = Path(house.permit(SCOPE))
    other = tmp_path / "elsewhere"
    permit.rename(other)
    permit.symlink_to(other)
    assert isinstance(read_volatile(house, SCOPE), Flaw)
    permit.unlink()
    os.link(other, permit)
    assert read_volatile(house, SCOPE) == Flaw("its permit is no plain file with one name")


def test_a_directory_or_a_pipe_in_place_of_a_permit_does_not_hang_the_look(house: House) -> None:
    permit = Path(house.permit(SCOPE))
    permit.unlink()
    os.mkfifo(permit)
    assert isinstance(read_volatile(house, SCOPE), Flaw)
    permit.unlink()
    permit.mkdir()
    assert isinstance(read_volatile(house, SCOPE), Flaw)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_permit_of_a_foreign_owner_is_refused(house: House) -> None:
    os.chown(house.permit(SCOPE), 12345, 12345)
    assert read_volatile(house, SCOPE) == Flaw("its permit belongs to uid 12345")


def test_a_missing_permit_of_any_one_scope_stops_the_send(house: House) -> None:
    Path(house.permit("brand:acme")).unlink()
    with pytest.raises(passage.Stopped, match="brand:acme is stopped: it has no permit"):
        passage.look(house, ("all", "brand:acme"))


def test_a_marker_beside_a_permit_stops_the_send(house: House) -> None:
    Path(house.marker(SCOPE)).touch()
    with pytest.raises(passage.Stopped, match="all is frozen"):
        passage.look(house, (SCOPE,))
