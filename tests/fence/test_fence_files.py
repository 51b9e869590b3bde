"""Files of the fence that the kernel will not open, read, write or lock, and processes that are gone: never a go."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming, gates, limited, marker, passage, permits, processes

if TYPE_CHECKING:
    from guardian.fence.house import House

MARK = marker.Marker("m", "me", 1, "why")


def refuse(number: int) -> object:
    """A kernel that refuses: a disk with an error, a table of locks that is full cannot be had here."""

    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_gate_that_cannot_be_opened_arms_nothing(house: House) -> None:
    os.unlink(house.gate("all"))
    os.mkdir(house.gate("all"))
    assert arming.resume(house, "all", epoch=1) == arming.Kept("all", "its gate cannot be opened (Is a directory)")


def test_a_lock_on_a_gate_that_was_removed_proves_nothing(house: House) -> None:
    gate = gates.open_exclusive(house, "all")
    os.unlink(house.gate("all"))
    assert not gates.same_file(gate.fd, house.gate("all"))
    os.close(gate.fd)


def test_a_second_daemon_does_not_get_the_lock_for_life(house: House) -> None:
    first = gates.lock_for_life(house.daemon_lock)
    assert first is not None
    assert gates.lock_for_life(house.daemon_lock) is None
    os.close(first)


def test_a_refusal_of_the_disk_in_a_thread_is_an_answer_and_not_a_silence() -> None:
    def write() -> str:
        raise OSError(errno.EIO, "Input/output error")

    assert "Input/output error" in limited.in_a_thread(write, 5.0)


def test_a_marker_that_fits_in_part_is_not_called_whole(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        whole = marker.write(house.marker("all"), house.gates, MARK)
        found = marker.read(house.marker("all"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not whole
    assert found == marker.UNREADABLE


def test_a_link_or_a_directory_in_place_of_a_marker_still_means_frozen(house: House) -> None:
    os.symlink("nowhere", house.marker("all"))
    assert marker.read(house.marker("all")) == marker.UNREADABLE
    os.unlink(house.marker("all"))
    os.mkdir(house.marker("all"))
    assert marker.read(house.marker("all")) == marker.UNREADABLE
    assert not marker.write(house.marker("all"), house.gates, MARK)


def test_our_own_want_of_descriptors_is_no_marker(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    marker.write(house.marker("all"), house.gates, MARK)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # with 0, no thread could so much as poll
    caught = 0
    try:
        marker.read(house.marker("all"))
    except OSError as error:
        caught = error.errno or 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caught == errno.EMFILE


def test_a_marker_in_a_directory_that_is_gone_is_not_called_whole(house: House) -> None:
    assert not marker.write(f"{house.gates}/gone/all.frozen", f"{house.gates}/gone", MARK)


def test_a_marker_whose_old_end_could_not_be_cut_off_is_not_called_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "rename", refuse(errno.ENOSPC))
    monkeypatch.setattr(os, "ftruncate", refuse(errno.EIO))
    assert not marker.write(house.marker("all"), house.gates, MARK)


def test_a_gate_that_cannot_be_locked_stops_the_send(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = passage.look(house, ("all",))
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))
    with pytest.raises(passage.Stopped, match="cannot be locked"), passage.Crossing(ticket):
        pass


def test_a_permit_that_cannot_be_read_is_no_permit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "read", refuse(errno.EIO))
    assert permits.read_volatile(house, "all") == permits.Flaw("its permit cannot be read (Input/output error)")


def test_a_process_that_has_ended_needs_no_killing_and_its_number_is_not_taken_for_another() -> None:
    process = subprocess.Popen(["sleep", "30"])
    held, late = processes.Watch(), processes.Watch()
    held.add(process.pid)
    process.kill()
    process.wait(5)
    assert held.kill(process.pid) == ""
    assert late.kill(process.pid) == ""
    assert late.seen == {}
    held.close()
    assert processes.is_dying(process.pid)
    assert not processes.is_stopped(process.pid)


def test_a_thread_that_ended_under_our_look_does_not_condemn_its_process() -> None:
    assert not processes._thread_is_dying(f"/proc/{os.getpid()}/task/1")
