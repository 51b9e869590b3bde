"""What lies where the control socket belongs: a stale socket, a live one, a file, a directory, a link."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence.telling import ask
from tests.torture.daemon import ROOT, DaemonProcess
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider


def freezes(house: TorturedHouse) -> bool:
    return ask(house.house.socket, "POST", "/v1/freeze", {"reason": "socket", "wait": 0}, within=15)[0] == 200


@pytest.fixture
def empty() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        found.start().terminate()
        yield found


def test_a_socket_that_a_dead_daemon_left_is_replaced(empty: TorturedHouse) -> None:
    empty.start().kill()
    assert Path(empty.house.socket).is_socket()
    empty.start()
    assert freezes(empty)


def test_a_second_daemon_neither_starts_nor_takes_the_socket_of_the_first(empty: TorturedHouse) -> None:
    empty.start()
    before = Path(empty.house.socket).stat().st_ino
    second = DaemonProcess(empty.house, empty.config, empty.directory / "second.log")
    assert second.wait_dead() != 0
    assert "runs this house" in second.tail()
    assert Path(empty.house.socket).stat().st_ino == before
    assert freezes(empty)


@pytest.mark.parametrize("kind", ["file", "directory", "link", "link to nowhere"])
def test_what_is_no_socket_is_neither_followed_nor_removed(empty: TorturedHouse, kind: str) -> None:
    place, other = Path(empty.house.socket), empty.directory / "other"
    place.unlink(missing_ok=True)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as elsewhere:
        elsewhere.bind(str(other))
        if kind == "file":
            place.write_text("precious", "utf-8")
        elif kind == "directory":
            place.mkdir()
        else:
            place.symlink_to(other if kind == "link" else empty.directory / "nothing")
        daemon = empty.start(ready=False)
        assert daemon.wait_dead() == 1
        assert "no socket has that name" in daemon.tail()
        assert "Traceback" not in daemon.tail()
        assert other.is_socket()
        assert place.is_symlink() or place.is_dir() or place.read_text("utf-8") == "precious"
    done = subprocess.run(
        [sys.executable, "-m", "guardian", "--config", str(empty.config), "freeze", "odd socket"],
        capture_output=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr  # a freeze needs no socket
