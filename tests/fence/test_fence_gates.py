"""Gates that somebody exchanges while a send is inside: what stands there now can vouch for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming, gates
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House

    Sender = Callable[..., subprocess.Popen[str]]

HOLD_FOR_LIFE = """
import sys, time
import pytest

from guardian.fence import arming, gates
gates.lock_for_life(sys.argv[1])
print("owns", flush=True)
time.sleep(30)
"""


def daemon_of(house: House) -> subprocess.Popen[bytes]:
    """A process that owns the house, as the daemon does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD_FOR_LIFE, house.daemon_lock], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def stop(house: House) -> Stopping:
    return Stopping(house, Order(("all",), "why", "me", 1.0))


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_gate_deleted_or_replaced_by_an_empty_file_vouches_for_no_daemon_that_runs_already(
    house: House, sender: Sender, replaced: bool
) -> None:
    """The model of sends finds it in ten steps: the send inside holds a lock on a file that no freeze can reach."""
    sender(seconds=30)
    os.unlink(house.gate("all"))
    if replaced:
        Path(house.gate("all")).touch(0o600)
    with daemon_of(house) as daemon, stop(house) as stopping:
        try:
            assert stopping.confirm()
            assert stopping.killed == [daemon.pid]
        finally:
            daemon.kill()


def test_a_start_that_keeps_a_scope_frozen_does_not_make_the_next_freeze_end_the_daemon(house: House) -> None:
    """After a reboot the gates are gone; the daemon makes the frozen scope's anew, and is in no other."""
    with stop(house) as first:
        assert first.confirm()
    os.unlink(house.gate("all"))
    assert isinstance(arming.resume(house, "all", epoch=1), arming.Kept)
    with daemon_of(house) as daemon, stop(house) as second:
        try:
            assert second.confirm()
            assert second.killed == []
        finally:
            daemon.kill()


def test_a_gate_that_a_freeze_has_made_vouches_for_whoever_comes_after(house: House) -> None:
    """Else every further freeze would end a daemon that started after the first, for nothing."""
    os.unlink(house.gate("all"))
    with stop(house) as first:
        assert first.confirm()
    with daemon_of(house) as daemon, stop(house) as second:
        try:
            assert second.confirm()
            assert second.killed == []
            assert gates.identity(second.locks()[0])
        finally:
            daemon.kill()
