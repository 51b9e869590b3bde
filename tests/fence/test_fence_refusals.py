"""What the kernel may refuse at each step of a stop, and who may stay in the way: never CONFIRMED without the proof."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.fence import gates, limited, marker
from guardian.fence.stopping import Order, Stopping
from tests.fence.fence_stranger import threads
from tests.fence.test_fence_marker import no_room
from tests.fence.test_fence_stopping import HOLD_FOR_LIFE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from guardian.fence.house import House

    Sender = Callable[..., subprocess.Popen[str]]

INHERITED = """
import os, sys, time
from guardian.fence import gates
from guardian.fence.house import House
fd = gates.open_shared(House(sys.argv[1], sys.argv[2]), "all")
gates.try_shared(fd)
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(30)
"""

TRACED = """
import sys, threading, time
from guardian.fence import gates
from guardian.fence.house import House
fd = gates.open_shared(House(sys.argv[1], sys.argv[2]), "all")
gates.try_shared(fd)
threading.Thread(target=time.sleep, args=(30,)).start()
print("inside", flush=True)
time.sleep(30)
"""

TRACER = """
import ctypes, os, sys, time
pid = int(sys.argv[1])
thread = max(int(name) for name in os.listdir(f"/proc/{pid}/task"))
print(ctypes.CDLL(None).ptrace(0x4206, thread, None, None), flush=True)  # PTRACE_SEIZE, and never wait for it
time.sleep(30)
"""


def stop(house: House, drain: float = 0.05) -> Stopping:
    return Stopping(house, Order(("all",), "why", "me", drain))


def begin(program: str, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start one, and wait for its first line."""
    process = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(5)
    assert process.stdout is not None
    process.stdout.close()


def test_a_stop_without_a_descriptor_takes_the_permit_away_and_is_not_confirmed(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    stopping = stop(house)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # with 0, no thread could so much as poll
    try:
        confirmed = stopping.confirm()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    stopping.release()
    assert not confirmed
    assert not os.path.exists(house.permit("all"))
    assert "Too many open files" in stopping.unconfirmed[0].why


def test_a_gate_that_is_replaced_again_and_again_is_never_confirmed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes into the directory between our lock and our look each time, which no test can time."""
    real = gates.try_exclusive

    def lock_then_swap(fd: int) -> bool:
        os.unlink(house.gate("all"))
        Path(house.gate("all")).touch(0o600)
        return real(fd)

    monkeypatch.setattr(gates, "try_exclusive", lock_then_swap)
    with stop(house) as stopping:
        assert not stopping.confirm()
    assert "keeps being replaced" in stopping.unconfirmed[0].why


def test_another_freeze_that_holds_the_gate_for_longer_is_waited_for_and_not_ended(house: House) -> None:
    other = gates.open_exclusive(house, "all")
    assert gates.try_exclusive(other.fd)
    letting_go = threading.Timer(0.8, os.close, (other.fd,))
    letting_go.start()
    with stop(house) as stopping:
        assert stopping.confirm()
    letting_go.join()
    assert stopping.killed == []


def test_the_owner_of_the_store_is_ended_when_a_gate_was_lost_and_the_daemons_lock_too(house: House) -> None:
    owner, _ = begin(HOLD_FOR_LIFE, house.store_lock)
    os.unlink(house.gate("all"))
    with stop(house) as stopping:
        assert stopping.confirm()
    assert stopping.killed == [owner.pid]
    assert owner.wait(5) == -signal.SIGKILL
    end(owner)


def test_a_killed_sender_that_a_debugger_does_not_let_end_is_not_taken_for_ended(house: House) -> None:
    sender, _ = begin(TRACED, *house)
    tracer, seized = begin(TRACER, str(sender.pid))
    assert seized == "0"
    with stop(house) as stopping:
        confirmed = stopping.confirm()
    end(tracer)
    end(sender)
    assert not confirmed
    assert any("does not end" in one.why and one.pid == sender.pid for one in stopping.unconfirmed)


def test_a_lock_that_a_child_inherited_is_not_confirmed_over_though_its_owner_was_ended(house: House) -> None:
    parent, child = begin(INHERITED, *house)
    with stop(house) as stopping:
        confirmed = stopping.confirm()
    os.kill(int(child), signal.SIGKILL)
    end(parent)
    assert not confirmed
    assert stopping.killed == [parent.pid]
    assert [one.why for one in stopping.unconfirmed] == ["somebody still holds its gate"]


def test_a_durable_permit_that_cannot_be_removed_is_said_to_be_what_a_reboot_undoes(house: House) -> None:
    os.unlink(house.durable("all"))
    os.mkdir(house.durable("all"))
    with stop(house) as stopping:
        assert stopping.confirm()
        assert not stopping.settle(limited.in_a_thread)
    assert house.durable("all") in stopping.not_durable


def test_a_stuck_sender_is_ended_though_the_question_could_not_be_asked(house: House, sender: Sender) -> None:
    process = sender(seconds=30)
    os.mkdir(house.reset("all"))
    with stop(house) as stopping:
        assert stopping.confirm()
    assert stopping.killed == [process.pid]


def test_a_lost_gate_without_room_for_its_number_is_confirmed_and_vouches_for_nobody(house: House) -> None:
    os.unlink(house.gate("all"))
    with threads(), stop(house) as stopping, no_room():
        confirmed = stopping.confirm()
    assert confirmed
    assert Path(house.gate("all")).read_text() == ""
    assert marker.read(house.marker("all")) == marker.UNREADABLE
