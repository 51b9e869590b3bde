"""A store that a stopped program has locked: whoever writes is told so in time, and the stop does not notice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import reading
from guardian.fence.telling import ask
from tests.torture import doors
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse
from tests.torture.intruder import Intruder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.torture.doors import Door

pytestmark = pytest.mark.outsider
ENOUGH = 20.0  # the writer waits 5 s for the file; the rest is for a loaded machine


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        found.start()
        yield found


def store_of(house: TorturedHouse) -> Path:
    return Path(house.house.state_dir) / "guardian.db"


@pytest.mark.parametrize("door", [doors.by_command, doors.by_json, doors.by_socket, doors.in_process])
def test_a_freeze_by_every_door_is_confirmed_while_a_stopped_program_has_the_store_locked(
    house: TorturedHouse, door: Door
) -> None:
    with Intruder(store_of(house)):
        began = time.monotonic()
        stop = house.freeze(door=door)
        took = time.monotonic() - began
        assert stop.confirmed_at is not None
        assert stop.code in (0, 200, None)
        assert not stop.killed
        assert took < ENOUGH + doors.WAIT
        assert reading.read_scope(house.house, "all").state == reading.FROZEN
        assert house.client.get("/v1/status")["state"] == "frozen"  # readers are not blocked
    until = time.monotonic() + 15
    while not house.standing():
        assert time.monotonic() < until, "the freeze was never written down"
        time.sleep(0.05)
    assert house.thaw()["state"] == "open"


def test_entering_a_post_says_in_time_that_the_store_is_locked_even_to_ten_at_once(house: TorturedHouse) -> None:
    record = {"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "x"}

    def enter(_: int) -> tuple[int, object, float]:
        began = time.monotonic()
        status, document = ask(house.house.socket, "POST", "/v1/posts", record, within=30)
        return status, document, time.monotonic() - began

    before = house.counts()
    with Intruder(store_of(house)), ThreadPoolExecutor(10) as pool:
        found = list(pool.map(enter, range(10)))
    for status, document, took in found:
        assert isinstance(document, dict)
        assert (status, document["error"]["code"]) == (503, "store_busy")
        assert document["error"]["message"].startswith("cannot write to the store")
        assert "locked by another process" in document["error"]["message"]
        assert took < ENOUGH
    assert house.counts() == before
    assert enter(0)[0] == 200


def test_the_queue_command_says_that_the_store_is_locked_and_what_to_do(house: TorturedHouse) -> None:
    words = ["queue", "add", "--account", "north-a", "--at", "2099-01-01T00:00:00Z", "x", "--json"]
    with Intruder(store_of(house)):
        done = subprocess.run(
            [sys.executable, "-m", "guardian", *words, "--config", str(house.config)],
            capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        )  # fmt: skip
    assert done.returncode == 1, done
    assert "locked by another process" in done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "store_busy"
    assert "fuser" in error["fix"]


def test_lanes_survive_a_locked_store_and_send_everything_once_it_is_free(house: TorturedHouse) -> None:
    house.feed(8, over=2.0)
    with Intruder(store_of(house)):
        time.sleep(3)
        assert house.daemon is not None
        assert house.daemon.process.poll() is None
    house.wait_all(within=40)
    assert not house.judge()


def test_a_daemon_ends_cleanly_with_the_store_locked_and_does_not_start_with_it(house: TorturedHouse) -> None:
    assert house.daemon is not None
    with Intruder(store_of(house)):
        assert house.daemon.terminate() == 0
        refused = house.start(ready=False)
        assert refused.wait_dead() == 1
        assert "cannot write to the store" in refused.tail()
        assert "damaged" not in refused.tail()
    house.start()
    assert house.client.get("/v1/status")["state"] == "open"
