"""One command for the first five minutes, with real processes: stop, take down, hold what waits on the platform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import orders, processes
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider
ACCOUNT = "north-a"


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        yield found


def freeze(house: TorturedHouse, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardian", "freeze", "--config", str(house.config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def live(house: TorturedHouse) -> str:
    """A post of ours that is live; its id."""
    (post,) = house.feed(1, accounts=(ACCOUNT,))
    house.wait_all()
    return post


def deleted(house: TorturedHouse) -> list[bool]:
    return [bool(post["deleted"]) for post in house.witness.posts()]


def schedule(house: TorturedHouse, text: str, seconds: float) -> None:
    house.witness._ask("POST", "scheduled", {"account": ACCOUNT, "text": text, "seconds": seconds})


def test_one_command_stops_keeps_the_proof_takes_the_post_down_and_holds_the_rest(house: TorturedHouse) -> None:
    house.start()
    post = live(house)
    schedule(house, "buy now", 3600)
    done = freeze(house, "bad", "joke", "--takedown", post, "--delete", "--native", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, (document, done.stderr)
    (taken,) = document["takedown"]
    assert (taken["ref"], taken["state"]) == (post, "gone")
    assert Path(house.house.state_dir, "evidence", taken["evidence"]).is_dir()
    (native,) = document["native"]
    assert (native["account"], native["state"], native["text"]) == (ACCOUNT, "deferred", "buy now")
    assert deleted(house) == [True]
    assert house.client.get("/v1/natives")["natives"] == [native]
    assert document["incident"] == house.client.get("/v1/natives")["incident"]


def test_a_post_is_named_for_a_person_with_what_became_of_it(house: TorturedHouse) -> None:
    house.start()
    post = live(house)
    done = freeze(house, "bad", "joke", "--takedown", post)
    assert done.returncode == 0, done
    assert done.stdout.startswith("FROZEN  CONFIRMED")
    assert f"  takedown    {post}: kept, it stays live" in done.stdout
    assert "no decision was given" in done.stdout
    assert deleted(house) == [False]


def test_a_daemon_that_is_stopped_dead_gets_the_order_when_it_starts_again(house: TorturedHouse) -> None:
    daemon = house.start()
    post = live(house)
    os.kill(daemon.pid, signal.SIGSTOP)
    until = time.monotonic() + 20
    while not processes.is_stopped(daemon.pid) and time.monotonic() < until:
        time.sleep(0.005)
    done = freeze(house, "bad", "joke", "--takedown", post, "--delete", "--json", "--wait", "1")
    document = json.loads(done.stdout)
    assert (done.returncode, document["confirmed"]) == (14, True)
    assert document["takedown"][0]["state"] == "not_attempted"
    assert len(os.listdir(orders.directory_of(house.house))) == 1  # noqa: PTH208 (the fence's own path)
    daemon.kill()
    house.start()
    until = time.monotonic() + 30
    while deleted(house) != [True] and time.monotonic() < until:
        time.sleep(0.05)
    assert deleted(house) == [True]
    kinds = [entry["kind"] for entry in house.client.get("/v1/journal")["entries"]]
    assert kinds.count("takedown ordered") == 1
    until = time.monotonic() + 10
    while os.listdir(orders.directory_of(house.house)) and time.monotonic() < until:  # noqa: PTH208 (as above)
        time.sleep(0.05)
    assert os.listdir(orders.directory_of(house.house)) == []  # noqa: PTH208 (as above)
