"""A house of its own for every test of the fence, and processes that hold its gates."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming
from guardian.fence.house import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCOPES = ("account:acme-m", "all", "brand:acme", "platform:mastodon")

SENDER = """
import sys, time
from guardian.fence.house import House
from guardian.fence.passage import Crossing, look
house = House(sys.argv[1], sys.argv[2])
with Crossing(look(house, sys.argv[3].split(","))) as crossing:
    print("inside", flush=True)
    until = time.monotonic() + float(sys.argv[4])
    while time.monotonic() < until:
        if sys.argv[5] == "obedient" and crossing.reset_asked():
            break
        time.sleep(0.002)
print("outside", flush=True)
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    state, run = tmp_path / "state", tmp_path / "run"
    state.mkdir(mode=0o700)
    run.mkdir(mode=0o755)
    found = House(str(state), str(run))
    for scope in SCOPES:
        assert isinstance(arming.arm_new(found, scope), arming.Armed)
    return found


@pytest.fixture
def sender(house: House) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that is inside the gates for some seconds, as a send is."""
    started: list[subprocess.Popen[str]] = []

    def start(*, seconds: float, manner: str = "deaf", scopes: tuple[str, ...] = SCOPES) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", SENDER, *house, ",".join(scopes), str(seconds), manner]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(5)
        assert process.stdout is not None
        process.stdout.close()
