"""The fence on a host that fails: no room, no descriptors, hung disks, files that are not what they should be."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming, gates, limited, marker, passage, permits, reading, scopes
from guardian.fence.stopping import Order, Stopping
from tests.fence.fence_stranger import open_the_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.fence.house import House

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away and mount")
ORDER = Order(("all",), "a bad joke", "the night shift", 0.5)
HOLD_FOR_LIFE = """
import sys, time
from guardian.fence import gates
gates.lock_for_life(sys.argv[1])
print("owns", flush=True)
time.sleep(30)
"""


@pytest.fixture
def owner(house: House) -> Iterator[subprocess.Popen[bytes]]:
    """A process that owns the house as a daemon does."""
    words = [sys.executable, "-c", HOLD_FOR_LIFE, house.daemon_lock]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def replace(path: str, raw: bytes) -> None:
    beside = Path(f"{path}.other")
    beside.write_bytes(raw)
    beside.chmod(0o600)
    beside.rename(path)


def test_a_gate_that_was_replaced_before_the_freeze_came_vouches_for_nobody(
    house: House, owner: subprocess.Popen[bytes]
) -> None:
    """A send may be inside the old one, and its lock cannot be seen at the new one."""
    replace(house.gate("all"), b"0123456789abcdef")
    with Stopping(house, ORDER) as stop:
        assert stop.confirm()
    assert stop.killed == [owner.pid]


def test_the_second_freeze_knows_of_the_replaced_gate_if_the_first_could_not_end_anybody(
    house: House, owner: subprocess.Popen[bytes]
) -> None:
    """The permit that named the gate is gone by then; the marker of the first freeze names it."""
    replace(house.gate("all"), b"")
    with Stopping(house, ORDER, may_kill=False) as stop:
        assert not stop.confirm()
    assert owner.poll() is None
    with Stopping(house, ORDER) as stop:
        assert stop.confirm()
    assert stop.killed == [owner.pid]


def test_a_gate_that_was_replaced_is_the_gate_once_a_freeze_was_confirmed(
    house: House, owner: subprocess.Popen[bytes]
) -> None:
    """Else every later freeze would end the daemon again."""
    replace(house.gate("all"), b"0123456789abcdef")
    owner.kill()
    owner.wait(5)
    with Stopping(house, ORDER) as stop:
        assert stop.confirm()
    words = [sys.executable, "-c", HOLD_FOR_LIFE, house.daemon_lock]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        with Stopping(house, ORDER) as stop:
            assert stop.confirm()
        assert stop.killed == []
        daemon.kill()


@pytest.mark.parametrize("what", ["link", "directory", "pipe"])
def test_something_else_in_the_place_of_a_gate_is_named_and_never_confirmed(house: House, what: str) -> None:
    gate = Path(house.gate("all"))
    gate.rename(f"{gate}.old")
    if what == "link":
        gate.symlink_to(f"{gate}.old")
    elif what == "directory":
        gate.mkdir()
    else:
        os.mkfifo(gate)
    with Stopping(house, ORDER) as stop:
        assert not stop.confirm()
    assert "all.gate" in stop.unconfirmed[0].why
    assert "freeze again" in stop.unconfirmed[0].fix
    assert not os.path.exists(house.permit("all"))  # held all the same
    with pytest.raises(passage.Stopped):
        passage.look(house, ("all",))


def test_a_gate_with_a_second_name_holds_every_send(house: House, tmp_path: Path) -> None:
    (tmp_path / "second").hardlink_to(house.gate("all"))
    with (
        pytest.raises(passage.Stopped, match="no plain file with one name"),
        passage.Crossing(passage.look(house, ("all",))),
    ):
        pass


@pytest.mark.root
@NEEDS_ROOT
def test_a_gate_of_a_foreign_owner_holds_every_send(house: House) -> None:
    os.chown(house.gate("all"), 12345, 12345)
    with pytest.raises(passage.Stopped, match="belongs to uid 12345"), passage.Crossing(passage.look(house, ("all",))):
        pass


def test_a_directory_that_others_may_write_holds_every_send(house: House) -> None:
    Path(house.gates).chmod(0o777)
    with pytest.raises(passage.Stopped, match="its directory can be written by others"):
        passage.look(house, ("all",))


@pytest.mark.root
@NEEDS_ROOT
def test_a_user_does_not_believe_permits_in_a_directory_of_another_user(house: House, tmp_path: Path) -> None:
    open_the_way(tmp_path)
    Path(house.gates).chmod(0o755)
    os.chown(house.gates, 12345, 12345)
    for name in os.listdir(house.gates):
        os.chown(f"{house.gates}/{name}", 12345, 12345)
        Path(f"{house.gates}/{name}").chmod(0o644)
    code = (
        "import os,sys; from guardian.fence import permits; from guardian.fence.house import House\n"
        "os.setgroups([]); os.setgid(65533); os.setuid(65533)\n"  # our tree may be out of their reach
        "print(permits.read_volatile(House(sys.argv[1], sys.argv[2]), 'all'))"
    )
    words = [sys.executable, "-c", code, *house]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert "its directory belongs to uid 12345" in done.stdout, done.stdout + done.stderr


def test_a_link_in_the_place_of_the_directory_is_named_and_its_permits_are_taken_away(
    house: House, tmp_path: Path
) -> None:
    Path(house.gates).rename(tmp_path / "moved")
    Path(house.gates).symlink_to(tmp_path / "moved")
    with Stopping(house, ORDER) as stop:
        assert not stop.confirm()
    assert "no directory of its own" in stop.unconfirmed[0].why
    assert not os.path.exists(house.permit("all"))


def test_a_scopes_list_that_is_a_link_is_not_read(house: House, tmp_path: Path) -> None:
    Path(house.scopes).rename(tmp_path / "elsewhere")
    Path(house.scopes).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        scopes.listed(house)
    assert reading.read_fence(house).state == reading.UNKNOWN
    assert isinstance(arming.arm_new(house, "brand:new"), arming.Kept)


@pytest.mark.root
@NEEDS_ROOT
def test_without_room_for_a_new_marker_the_old_one_does_not_speak_for_the_new_freeze(house: House) -> None:
    """A thaw that was asked for before would take it for the freeze that it lifts, and open what was CONFIRMED."""
    os.rename(house.gates, f"{house.gates}.kept")
    os.mkdir(house.gates, 0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", house.gates], check=True)
    try:
        for name in os.listdir(f"{house.gates}.kept"):
            Path(f"{house.gates}/{name}").write_bytes(Path(f"{house.gates}.kept/{name}").read_bytes())
        with Stopping(house, ORDER) as first:
            assert first.confirm()
        fill(house.gates)
        with Stopping(house, ORDER) as second:
            assert second.confirm()
            assert second.settle(limited.in_a_thread)
        found = marker.read(house.marker("all"))
        assert found is not None
        assert found.mark in (second.marker.mark, "unreadable")
        assert isinstance(arming.thaw(house, "all", epoch=2, mark=first.marker.mark), arming.Kept)
    finally:
        subprocess.run(["umount", "-l", house.gates], check=True)


def fill(place: str) -> None:
    with open(f"{place}/stuff", "ab", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def test_our_own_want_of_descriptors_is_no_freeze_and_no_permit(house: House) -> None:
    """The daemon's watch would write a freeze into the books that nobody ordered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            reading.read_scope(house, "all")
        with pytest.raises(passage.Stopped, match="Too many open files"):
            passage.look(house, ("all",))
        assert "nobody could be started" in limited.in_a_child(lambda: "", 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert reading.read_scope(house, "all").state == reading.OPEN


def test_a_child_that_is_late_is_ended_and_keeps_no_output_open() -> None:
    """Whoever reads the command's output to its end would wait for a disk that hangs."""
    code = (
        "import time\nfrom guardian.fence import limited\n"
        "print(limited.in_a_child(lambda: time.sleep(30) or '', 0.1), flush=True)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.strip() == limited.TOO_LONG
    assert time.monotonic() - began < 10


def test_a_caller_that_ignores_its_children_still_gets_an_answer(house: House) -> None:
    """SIGCHLD is inherited as ignored; then there is nothing to wait for."""
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    done = subprocess.run(
        [sys.executable, "-m", "guardian", "freeze", *place],
        capture_output=True, text=True, check=False, timeout=20,
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_without_a_thread_or_a_process_to_spare_the_stop_is_confirmed_and_says_not_durable(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    def no_fork() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(threading.Thread, "start", none_left)
    monkeypatch.setattr(os, "fork", no_fork)
    ways: tuple[Callable[..., str], ...] = (limited.in_a_thread, limited.in_a_child)
    for way in ways:
        with Stopping(house, ORDER) as stop:
            assert stop.confirm()
            assert not stop.settle(way)
        assert "nobody could be started" in stop.not_durable


def test_a_marker_tells_which_gate_its_freeze_was_about(house: House) -> None:
    found = permits.read_volatile(house, "all")
    assert isinstance(found, permits.Permit)
    with Stopping(house, ORDER) as stop:
        assert stop.confirm()
        laid = marker.read(house.marker("all"))
        assert laid is not None
        assert laid.gate == found.gate == gates.identity(stop.locks()[0])
