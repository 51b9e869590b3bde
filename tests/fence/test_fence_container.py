"""A freeze from inside a container (another pid namespace): whom it cannot see, it must not take for gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from guardian.fence import gates

if TYPE_CHECKING:
    from guardian.fence.house import House

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a pid namespace"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (Debian: util-linux)"),
]


def freeze_in_a_container(house: House) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "guardian", "freeze", "why", "--drain", "0.2", "--wait", "0"]
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    inside = ["unshare", "--pid", "--fork", "--mount-proc", *words, *place]
    return subprocess.run(inside, capture_output=True, text=True, timeout=60, check=False)


def test_a_lost_gate_is_not_confirmed_while_a_daemon_outside_of_the_container_runs(house: House) -> None:
    lock = gates.lock_for_life(house.daemon_lock)
    assert lock is not None
    os.unlink(house.gate("all"))  # the daemon may be inside the one that is gone
    done = freeze_in_a_container(house)
    os.close(lock)
    assert done.returncode == 10, done
    assert "outside of this container" in done.stdout
    assert not os.path.exists(house.permit("all"))


def test_a_lost_gate_is_confirmed_in_a_container_when_no_daemon_runs_anywhere(house: House) -> None:
    os.unlink(house.gate("all"))
    assert freeze_in_a_container(house).returncode == 0
