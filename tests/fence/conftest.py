"""A house of its own for every test of the fence, processes that hold its gates, sockets that answer as told."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from guardian.fence import arming
from guardian.fence.house import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
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


class Door:
    """A real Unix socket that gives its connections these bytes, one after the other, and keeps what it was asked."""

    def __init__(self, path: str, answers: tuple[bytes, ...], *, most: int) -> None:
        self.asked: list[bytes] = []
        self._answers = answers
        self._most = most
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # nobody came, or the caller went away
            for answer in self._answers:
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(20)
                    self.asked.append(self._hear(connection))
                    connection.sendall(answer)

    def _hear(self, connection: socket.socket) -> bytes:
        found = b""
        while len(found) < self._most:
            found += connection.recv(min(65536, self._most - len(found)))
            head, end, body = found.partition(b"\r\n\r\n")
            if end and len(body) >= int(head.rpartition(b"Content-Length: ")[2]):
                break
        return found

    def close(self) -> None:
        """Wake whoever still waits for a caller, and end."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        self._listener.close()


@pytest.fixture
def door() -> Iterator[Callable[..., Door]]:
    """Opens such a socket: `door(path, answer, ...)`; `most` is how many bytes of a request it reads."""
    opened: list[Door] = []

    def opening(path: str, *answers: bytes, most: int = 1 << 22) -> Door:
        opened.append(Door(path, answers, most=most))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.fixture
def stranger() -> Callable[[str], AbstractContextManager[None]]:
    """Makes this very process, for a `with`, a user who may not pass through that directory; also where it is root."""

    @contextlib.contextmanager
    def become(closed: str) -> Iterator[None]:
        mode, user = os.stat(closed).st_mode & 0o7777, os.geteuid()
        os.chmod(closed, 0)
        if user == 0:
            os.seteuid(65533)
        try:
            yield
        finally:
            if user == 0:
                os.seteuid(0)
            os.chmod(closed, mode)

    return become
