"""The stop against real processes that are inside the gates: polite, hung, stopped, killed, half dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import gates, limited, marker, permits, processes, scopes
from guardian.fence.passage import Stopped, look
from guardian.fence.stopping import Order, Stopping
from tests.fence.fence_stranger import open_the_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House

    Sender = Callable[..., subprocess.Popen[str]]


HOLD_FOR_LIFE = """
import sys, time
from guardian.fence import gates
gates.lock_for_life(sys.argv[1])
print("owns", flush=True)
time.sleep(30)
"""


AS_A_STRANGER = """
import os, sys
from guardian.fence import asking, command
os.setgroups([])
os.setgid(65533)
os.setuid(65533)
sys.exit(command.main(["--state-dir", sys.argv[1], "--runtime-dir", sys.argv[2]]))
"""


def wait_until(true: Callable[[], bool], within: float = 5.0) -> None:
    """Wait for something that another process does."""
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.002)


def hang(seconds: float) -> str:
    """A disk that does not answer."""
    time.sleep(seconds)
    return ""


def order(*names: str, drain: float = 5.0) -> Order:
    return Order(names or ("all",), "a bad joke is live", "the night shift", drain)


def test_an_idle_house_is_stopped_durably_and_the_reason_is_kept(house: House) -> None:
    with Stopping(house, order()) as stop:
        assert stop.confirm()
        assert stop.settle(limited.in_a_thread)
    assert not os.path.exists(house.permit("all"))
    assert not os.path.exists(house.durable("all"))
    found = marker.read(house.note("all"))
    assert found is not None
    assert (found.reason, found.by) == ("a bad joke is live", "the night shift")
    with pytest.raises(Stopped):
        look(house, ("all",))


def test_a_narrow_stop_leaves_the_other_accounts_alone(house: House) -> None:
    with Stopping(house, order("account:acme-m")) as stop:
        assert stop.confirm()
    assert look(house, ("all", "brand:acme", "platform:mastodon"))
    with pytest.raises(Stopped):
        look(house, ("account:acme-m", "all"))


def test_the_stop_waits_for_the_send_that_is_just_leaving(house: House, sender: Sender) -> None:
    process = sender(seconds=0.4)
    with Stopping(house, order()) as stop:
        assert stop.confirm()
        assert process.poll() is not None or process.wait(1) == 0
        assert stop.elapsed > 0.2
    assert stop.killed == []


def test_a_send_that_is_stuck_is_asked_first_and_not_killed_if_it_obeys(house: House, sender: Sender) -> None:
    process = sender(seconds=30, manner="obedient")
    with Stopping(house, order(drain=0.1)) as stop:
        assert stop.confirm()
    assert stop.killed == []
    assert process.wait(2) == 0
    assert not os.path.exists(house.reset("all"))


def test_a_stopped_process_is_killed_and_cannot_resume(house: House, sender: Sender) -> None:
    process = sender(seconds=30)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: processes.is_stopped(process.pid))
    with Stopping(house, order(drain=0.1)) as stop:
        assert stop.confirm()
    assert stop.killed == [process.pid]
    assert process.wait(2) == -signal.SIGKILL


def test_a_narrow_stop_kills_whoever_is_hung_inside_too(house: House, sender: Sender) -> None:
    process = sender(seconds=30)
    with Stopping(house, order("brand:acme", drain=0.05)) as stop:
        assert stop.confirm()
    assert stop.killed == [process.pid]


def test_a_door_that_may_not_kill_says_not_confirmed_and_names_the_process(house: House, sender: Sender) -> None:
    process = sender(seconds=30)
    with Stopping(house, order(drain=0.05), may_kill=False) as stop:
        assert not stop.confirm()
    assert [(one.scope, one.pid) for one in stop.unconfirmed] == [("all", process.pid)]
    assert "guardian freeze" in stop.unconfirmed[0].fix
    with pytest.raises(Stopped):  # not confirmed, and all the same closed for whoever comes next
        look(house, ("all",))


def test_five_stops_at_once_all_confirm_and_nobody_kills_another(house: House, sender: Sender) -> None:
    sender(seconds=0.3)
    results: list[bool] = []

    def stop_it() -> None:
        with Stopping(house, order()) as stop:
            results.append(stop.confirm() and stop.settle(limited.in_a_thread) and not stop.killed)

    threads = [threading.Thread(target=stop_it) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [True] * 5


def test_a_process_that_is_being_killed_is_waited_for_before_confirmed(house: House, sender: Sender) -> None:
    """The kernel may release the lock of a dying process before it has purged its sockets."""
    process = sender(seconds=30)
    with Stopping(house, order()) as stop:
        stop._watch.add(process.pid)
        threading.Timer(0.1, process.kill).start()
        assert stop.confirm()
        assert stop._watch.seen[process.pid].gone()


def test_a_permit_written_by_an_arming_that_slipped_in_is_removed_again(house: House, sender: Sender) -> None:
    sender(seconds=0.3)
    slip = threading.Timer(0.1, lambda: permits.write_volatile(house, "all", epoch=1, gate="1"))
    slip.start()
    with Stopping(house, order()) as stop:
        assert stop.confirm()
    slip.join()
    assert not os.path.exists(house.permit("all"))


def test_a_gate_replaced_under_our_hands_is_not_trusted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock on a file that the path no longer names proves nothing about those who lock the new one."""
    real = gates.try_exclusive
    swaps: list[int] = []

    def lock_then_swap(fd: int) -> bool:
        got = real(fd)
        if not swaps:
            swaps.append(fd)
            os.unlink(house.gate("all"))
            Path(house.gate("all")).touch(0o600)
        return got

    monkeypatch.setattr(gates, "try_exclusive", lock_then_swap)
    with Stopping(house, order()) as stop:
        assert stop.confirm()
        assert gates.same_file(stop.locks()[0], house.gate("all"))


def test_a_gate_that_had_to_be_made_vouches_for_no_daemon_that_runs_already(house: House, sender: Sender) -> None:
    """Whoever deletes the gates while a send holds them must not get a false CONFIRMED."""
    sender(seconds=30)
    os.unlink(house.gate("all"))
    words = [sys.executable, "-c", HOLD_FOR_LIFE, house.daemon_lock]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        with Stopping(house, order()) as stop:
            assert stop.confirm()
        assert stop.killed == [daemon.pid]


def test_a_full_reason_is_cut_and_its_control_characters_never_reach_a_file(house: House) -> None:
    wild = Order(("all",), "line\nbreak=\x1b[31m" + "x" * 5000, "me\nmark=fake", 1.0)
    with Stopping(house, wild) as stop:
        assert stop.confirm()
    found = marker.read(house.marker("all"))
    assert found is not None
    assert found.mark == stop.marker.mark
    assert "\x1b" not in found.reason
    assert len(found.reason) <= marker.MAX_REASON


def test_each_stop_leaves_a_mark_of_its_own(house: House) -> None:
    marks = set()
    for _ in range(3):
        with Stopping(house, order()) as stop:
            assert stop.confirm()
        found = marker.read(house.marker("all"))
        assert found is not None
        marks.add(found.mark)
    assert len(marks) == 3


def test_without_room_for_a_durable_step_the_stop_is_confirmed_but_not_durable(house: House) -> None:
    for name in os.listdir(house.permits):
        os.unlink(f"{house.permits}/{name}")
    os.rmdir(house.permits)
    with Stopping(house, order()) as stop:
        assert stop.confirm()
        assert not stop.settle(limited.in_a_thread)
    assert "is not there" in stop.not_durable


def test_a_disk_that_hangs_does_not_hold_up_the_stop() -> None:
    began = time.monotonic()
    assert limited.in_a_thread(lambda: hang(5), 0.1) == limited.TOO_LONG
    assert limited.in_a_child(lambda: hang(5), 0.1) == limited.TOO_LONG
    assert time.monotonic() - began < 2
    assert limited.in_a_child(lambda: "", 5.0) == ""
    assert limited.in_a_child(lambda: "why not", 5.0) == "why not"


def test_a_child_on_a_hung_disk_does_not_keep_the_gates_locked(house: House) -> None:
    with Stopping(house, order()) as stop:
        assert stop.confirm()
        limited.in_a_child(lambda: hang(1), 0.05, closing=stop.locks())
    fd = gates.open_shared(house, "all")
    assert gates.try_exclusive(fd)
    os.close(fd)


def test_a_scope_that_was_never_armed_stays_closed_after_it_was_frozen(house: House) -> None:
    with Stopping(house, order("brand:other")) as stop:
        assert stop.confirm()
        assert stop.settle(limited.in_a_thread)
    assert "brand:other" in scopes.listed(house)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_denied_and_nothing_is_said_to_be_stopped(house: House, tmp_path: Path) -> None:
    open_the_way(tmp_path)
    words = [sys.executable, "-c", AS_A_STRANGER, *house]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 13, done.stdout + done.stderr
    assert "FROZEN  CONFIRMED" not in done.stdout
    assert os.path.exists(house.permit("all"))


def test_a_stop_that_fails_half_way_keeps_no_gate_locked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the daemon a forgotten lock would outlive the request, and no later freeze or thaw would get the gate."""

    def no(path: str) -> None:
        if gates.holders(held := gates.open_shared(house, "all")):
            os.close(held)
            raise PermissionError(13, "Permission denied", path)
        os.close(held)

    monkeypatch.setattr(permits, "remove", no)
    with Stopping(house, order()) as stop:
        assert not stop.confirm()
        fd = gates.open_shared(house, "all")
        assert gates.try_exclusive(fd)
        os.close(fd)
