"""The fence's self-test: what is broken is caught by it, nobody but its own children is ended, and nothing stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.cli import proving
from guardian.errors import Taken
from guardian.fence import arming, gates, permits, reading
from guardian.fence.house import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INSIDE = """
import os, sys, time
from guardian.fence.house import House
from guardian.fence.passage import Crossing, look
house = House(sys.argv[1], sys.argv[2])
while True:
    for name in os.listdir(house.gates):
        if name.startswith("drill:") and name.endswith(".permit"):
            try:
                with Crossing(look(house, [name.removesuffix(".permit")])):
                    print(1, flush=True)
                    time.sleep(60)
            except Exception:
                pass
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "run").mkdir(mode=0o755)
    found = House(str(tmp_path / "state"), str(tmp_path / "run"))
    assert isinstance(arming.arm_new(found, "all"), arming.Armed)
    return found


@pytest.fixture
def untouched(house: House) -> Iterator[Callable[[], bool]]:
    """Whether the real scope is as it was, and nothing private is left."""

    def seen() -> dict[str, bytes]:
        places = (Path(house.gates), Path(house.permits))
        return {str(file): file.read_bytes() for place in places for file in sorted(place.iterdir())}

    before = seen()
    yield lambda: seen() == before
    assert seen() == before


def test_a_fence_that_holds_is_proven_in_a_second(house: House, untouched: Callable[[], bool]) -> None:
    proof = proving.prove(house)
    assert (proof.why, proof.left) == ("", [])
    assert proof.sent > 0
    assert proof.hung_ms is not None
    assert untouched()


def test_a_permit_that_cannot_be_read_is_caught(house: House) -> None:
    os.chmod(house.gates, 0o770)  # noqa: PTH101, S103 (the fault)
    proof = proving.prove(house)
    assert "could not send" in proof.why
    os.chmod(house.gates, 0o700)  # noqa: PTH101 (as before)
    assert reading.read_fence(house).state == reading.OPEN


def test_a_disk_that_keeps_no_freeze_is_caught(
    house: House, untouched: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The durable permit stays: as on a disk that fails between the arming and the stop."""
    remove = permits.remove

    def fails(path: str) -> None:
        if path.startswith(house.permits):
            raise OSError(5, "Input/output error", path)
        remove(path)

    monkeypatch.setattr(permits, "remove", fails)
    proof = proving.prove(house)
    assert "would not survive a reboot" in proof.why
    assert "Input/output error" in proof.why
    assert untouched()


def test_a_stranger_inside_the_private_gate_is_not_ended_and_the_test_says_so(
    house: House, untouched: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon, say: a self-test never ends anybody but its own children."""
    monkeypatch.setattr(proving, "DRAIN", 0.2)
    monkeypatch.setattr(proving, "SOME", 1.0)
    words = [sys.executable, "-c", INSIDE, *house]
    stranger = subprocess.Popen(words, stdout=subprocess.PIPE)
    try:
        proof = proving.prove(house)
        assert stranger.poll() is None
        assert "NOT CONFIRMED" in proof.why
        assert untouched()
    finally:
        stranger.kill()
        stranger.wait(5)
        assert stranger.stdout is not None
        stranger.stdout.close()


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (504, {"confirmed": False, "unconfirmed": [{"why": "somebody holds it"}]}, "somebody holds it"),
        (200, {"confirmed": True, "durable": True, "elapsed_ms": 1.0}, "could not stop"),
        (403, {"error": {"message": "no right"}}, "no right"),
    ],
)
def test_an_agent_that_says_what_is_not_so_is_not_believed(
    house: House, untouched: Callable[[], bool], status: int, said: dict[str, object], why: str
) -> None:
    with answering(house.fence_socket, status, said):
        proof = proving.prove(house, agent=True)
    assert proof.why == ""
    assert why in proof.agent_why
    assert untouched()


def test_an_agent_that_is_not_there_is_said(house: House, untouched: Callable[[], bool]) -> None:
    proof = proving.prove(house, agent=True)
    assert "the agent did not stop" in proof.agent_why
    assert untouched()


@contextlib.contextmanager
def answering(path: str, status: int, said: object) -> Iterator[None]:
    """Somebody who answers this to whatever is asked."""
    raw = json.dumps(said).encode()

    def serve() -> None:
        connection, _ = sock.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(raw)) + raw)

    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(10)
    Path(path).unlink()


def test_one_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PATIENCE", 0.0)
    with proving.alone(house), pytest.raises(Taken, match=f"process {os.getpid()} does so"):
        proving.prove(house)


def test_a_self_test_that_is_killed_leaves_nothing_armed(house: House, untouched: Callable[[], bool]) -> None:
    program = (
        "import sys; from guardian.fence.house import House; from guardian.cli import proving; proving.SOME = 60; "
    )
    program += "proving.prove(House(*sys.argv[1:]))"
    testing = subprocess.Popen([sys.executable, "-c", program, *house])
    try:
        _until(lambda: any(file.name.startswith("drill:") for file in Path(house.gates).iterdir()))
    finally:
        testing.send_signal(signal.SIGKILL)
        testing.wait(5)
    _until(untouched)
    _until(lambda: gates.owner(f"{house.runtime_dir}/drill.lock") is None)
    assert proving.prove(house).left == []


def test_what_one_left_that_was_killed_with_its_child_is_taken_away_by_the_next(
    house: House, untouched: Callable[[], bool]
) -> None:
    arming.arm_new(house, "drill:0123")
    assert {*proving.prove(house).left} == {"drill:0123.gate", "drill:0123.permit"}
    assert untouched()


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
