"""What a kernel does with the bytes of a send that was stopped, killed or cut: throws them away, every one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import processes
from guardian.fence.passage import Crossing
from guardian.fence.stopping import Order, Stopping
from guardian.gate import connection
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import declare
from guardian.model import Part
from tests.gate.gate_child import LENGTH
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.fence.house import House
    from tests.gate.gate_door import Door

    Send = Callable[..., subprocess.Popen[str]]

ROOT = Path(__file__).parents[2]
RESET_WITHIN = 5.0


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A platform whose kernel takes a few kilobytes, and whose program reads nothing until the test reads."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(10)
        yield server


@pytest.fixture
def send(house: House, deaf: socket.socket) -> Iterator[Send]:
    """Starts a process that publishes one large post to the deaf platform."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, failpoints: str = "") -> subprocess.Popen[str]:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gate.gate_child", *house, url, *words],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "GUARDIAN_FAILPOINTS": failpoints},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(5)
        assert process.stdout is not None
        process.stdout.close()


def wait_until(true: Callable[[], object], within: float = 15.0) -> None:
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.002)


def stop(house: House, drain: float = 0.1) -> Stopping:
    return Stopping(house, Order(("all",), "why", "me", drain))


def unacknowledged_at(port: int) -> int:
    """How many bytes our kernel still has for a port of this host, by its own table, whatever state they are in."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].partition(":")[0], 16) for row in rows if row[2].endswith(f":{port:04X}"))


def wait_until_stuck(deaf: socket.socket) -> None:
    """Until a request lies half in the platform's kernel and half in ours."""
    wait_until(lambda: unacknowledged_at(deaf.getsockname()[1]))


def arrived(deaf: socket.socket) -> int:
    """Read whatever still comes, to the end: how many bytes of the request the platform has in all."""
    got = 0
    there, _ = deaf.accept()
    there.settimeout(RESET_WITHIN)
    with there, contextlib.suppress(ConnectionResetError):
        while chunk := there.recv(65536):
            got += len(chunk)
    return got


def test_of_a_send_that_was_stopped_and_killed_the_kernel_delivers_nothing_after_confirmed(
    house: House, deaf: socket.socket, send: Send
) -> None:
    """With a socket as it comes, the dead process's request was delivered as soon as the platform read on."""
    process = send(failpoints="gate.written=stop")
    wait_until(lambda: processes.is_stopped(process.pid))
    with stop(house) as stopping:
        assert stopping.confirm(), stopping.unconfirmed
        assert stopping.killed == [process.pid]
    assert 0 < arrived(deaf) < LENGTH


def test_a_send_that_was_stopped_before_its_first_byte_sends_none_after_confirmed(
    house: House, deaf: socket.socket, send: Send
) -> None:
    """It has looked twice and holds the gates: whoever confirmed over its head would see it resume and write."""
    process = send(failpoints="gate.checked=stop")
    wait_until(lambda: processes.is_stopped(process.pid))
    with stop(house) as stopping:
        assert stopping.confirm(), stopping.unconfirmed
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: process.poll() is not None or unacknowledged_at(deaf.getsockname()[1]))
        assert process.poll() == -signal.SIGKILL
    assert arrived(deaf) == 0


def test_a_send_that_is_asked_to_stop_cuts_its_connection_and_its_process_lives(
    house: House, deaf: socket.socket, send: Send
) -> None:
    process = send()
    wait_until_stuck(deaf)
    with stop(house) as stopping:
        assert stopping.confirm(), stopping.unconfirmed
        assert stopping.killed == []
    assert 0 < arrived(deaf) < LENGTH
    assert process.wait(10) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "Uncertain\n"


def test_where_the_kernel_refuses_to_cut_the_process_ends_itself_and_nothing_more_leaves(
    house: House, deaf: socket.socket, send: Send
) -> None:
    process = send("refusing")
    wait_until_stuck(deaf)
    with stop(house) as stopping:
        assert stopping.confirm(), stopping.unconfirmed
    assert 0 < arrived(deaf) < LENGTH
    assert process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("platform_reads", [True, False], ids=["reading", "deaf"])
def test_at_the_instant_when_the_gates_are_let_go_nothing_of_the_request_can_leave_any_more(
    door: Door, deaf: socket.socket, monkeypatch: pytest.MonkeyPatch, platform_reads: bool
) -> None:
    """Either the far kernel has all of it, or ours has thrown it away: before the locks are released, not after."""
    port = int(door.platform.url.rpartition(":")[2]) if platform_reads else deaf.getsockname()[1]
    left: list[int] = []

    class Watched(Crossing):
        def leave(self) -> None:
            left.append(unacknowledged_at(port))
            super().leave()

    monkeypatch.setattr(connection, "Crossing", Watched)
    adapter = connect(account_at(f"http://127.0.0.1:{port}"), makers(), answer_within=0.5)
    with declare(door.intent()), contextlib.suppress(Exception):
        adapter.publish(Part(text="x" * (100 if platform_reads else LENGTH)), "key")
    assert left == [0]
