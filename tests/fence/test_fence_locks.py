"""Whose lock is whose: a lock belongs to one descriptor, and is proof of nothing while its holder is only half dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming, gates, processes
from guardian.fence.passage import Crossing, Stopped, look
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    from guardian.fence.house import House

SCOPES = ("account:acme-m", "all", "brand:acme", "platform:mastodon")

TRY = """
import sys
from guardian.fence import gates
from guardian.fence.house import House
gate = gates.open_exclusive(House(sys.argv[1], sys.argv[2]), "all")
print(gates.try_exclusive(gate.fd))
"""

HALF_DEAD = """
import ctypes, sys, threading, time
from guardian.fence import gates
gates.lock_for_life(sys.argv[1])
threading.Thread(target=time.sleep, args=(30,)).start()
print("ends", flush=True)
ctypes.CDLL(None).syscall(60, 0)  # exit of this one thread: the process has begun to end, and has not ended
"""


def somebody_else_gets_the_gate(house: House) -> bool:
    done = subprocess.run([sys.executable, "-c", TRY, *house], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout == "True\n"


def test_a_send_that_ends_takes_no_other_sends_lock_with_it(house: House) -> None:
    """POSIX locks belong to the process: the first lane that closes its gate would unlock those of all lanes."""
    ticket = look(house, SCOPES)
    with Crossing(ticket):
        with Crossing(ticket):
            pass
        assert not somebody_else_gets_the_gate(house)
    assert somebody_else_gets_the_gate(house)


def test_two_freezes_in_one_process_exclude_each_other(house: House) -> None:
    first, second = gates.open_exclusive(house, "all"), gates.open_exclusive(house, "all")
    assert gates.try_exclusive(first.fd)
    assert not gates.try_exclusive(second.fd)
    os.close(second.fd)
    assert not somebody_else_gets_the_gate(house)
    os.close(first.fd)


def test_a_send_that_sees_the_house_closed_takes_no_lock_at_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else busy lanes keep the gate locked among them, and the freeze never gets it (thread-fence, correction 3)."""
    ticket = look(house, SCOPES)
    Path(house.permit("platform:mastodon")).unlink()
    locked: list[int] = []
    monkeypatch.setattr(gates, "try_shared", locked.append)
    with pytest.raises(Stopped), Crossing(ticket):
        pytest.fail("a send went through")
    assert locked == []


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of the call that ends one thread is x86_64's")
def test_a_daemon_that_is_half_dead_is_not_taken_for_dead_though_nobody_holds_the_gate(house: House) -> None:
    """Its lock may be gone before its sockets are; here it has lost its first thread and keeps everything else."""
    words = [sys.executable, "-c", HALF_DEAD, house.daemon_lock]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == b"ends\n"
            for _ in range(1000):
                if processes.is_dying(daemon.pid):
                    break
            with Stopping(house, Order(("all",), "why", "me", 1.0)) as stop:
                assert not stop.confirm()
            assert [(one.scope, one.pid) for one in stop.unconfirmed] == [("all", daemon.pid)]
            assert "half dead" in stop.unconfirmed[0].why
        finally:
            daemon.kill()
    with Stopping(house, Order(("all",), "why", "me", 1.0)) as stop:
        assert stop.confirm()


def test_an_arming_never_trusts_a_gate_that_was_replaced_while_it_waited(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A freeze that holds the new one would be armed over."""
    os.unlink(house.permit("all"))
    real = gates.try_exclusive

    def lock_then_swap(fd: int) -> bool:
        os.unlink(house.gate("all"))
        Path(house.gate("all")).touch(0o600)
        return real(fd)

    monkeypatch.setattr(gates, "try_exclusive", lock_then_swap)
    assert arming.resume(house, "all", epoch=1) == arming.Kept("all", "its gate was replaced")
    assert not os.path.exists(house.permit("all"))
