"""`guardian run` and `guardian freeze` as processes: one daemon per house, a clean end, a stop that needs nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.torture import doors
from tests.torture.daemon import ROOT
from tests.torture.house import SCOPES, TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.outsider

HEAVY = ("typer", "pydantic", "requests", "urllib3", "fastapi", "structlog", "sqlite3", "asyncio")
FREEZE_AND_LIST = """
import os, sys
from guardian import __main__ as door
def leave(code):
    print("MODULES", *sys.modules, file=sys.stderr)
    return code
door.leave = leave
sys.argv = ["guardian", "freeze", "--config", sys.argv[1]]
sys.exit(door.main())
"""


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        yield found


def _freeze(house: TorturedHouse, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardian", "freeze", "--config", str(house.config), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def test_a_second_daemon_is_refused_and_told_the_pid_of_the_first(house: TorturedHouse) -> None:
    first = house.start()
    second = subprocess.run(
        [sys.executable, "-m", "guardian", "--config", str(house.config), "run"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert second.returncode == 1
    assert f"pid {first.pid}" in second.stderr
    assert first.process.poll() is None


def test_sigterm_finishes_the_send_that_runs_begins_no_other_and_exits_0(house: TorturedHouse) -> None:
    daemon = house.start()
    house.feed(4)
    house.wait_all()
    house.witness.fault("delay", times=None, seconds=0.5)
    house.feed(40)
    house.wait(lambda counts: counts["sending"] == 4, 10, "four posts on the wire")
    daemon.send(signal.SIGTERM)
    assert daemon.wait_dead() == 0
    made = len(house.witness.posts())
    assert 8 <= made < 16  # one of each lane, and whatever a lane began before the signal was read
    house.witness.clear_faults()
    house.start()
    assert house.counts()["unknown"] == 0
    house.wait_all()
    assert not house.judge()


@pytest.mark.parametrize("ending", ["stopped", "killed", "ended"])
def test_a_freeze_is_confirmed_whatever_became_of_the_daemon(house: TorturedHouse, ending: str) -> None:
    daemon = house.start()
    if ending == "stopped":
        daemon.send(signal.SIGSTOP)
        daemon.wait_stopped()
    elif ending == "killed":
        daemon.kill()
    else:
        assert daemon.terminate() == 0
    stop = house.freeze(door=doors.by_json)
    assert stop.code == 0, stop.said
    assert stop.document["confirmed"]
    assert stop.document["durable"]
    assert stop.document["in_flight"] is None
    assert not stop.killed  # it held no gate


def test_a_freeze_before_any_daemon_is_adopted_by_the_first(house: TorturedHouse) -> None:
    house.start().terminate()
    assert house.freeze().code == 0
    house.start()
    status = house.client.get("/v1/status")
    assert status["state"] == "frozen"
    assert [freeze["reason"] for freeze in status["freezes"]] == ["torture"]


def test_an_unknown_scope_is_wrong_use_and_never_confirmed(house: TorturedHouse) -> None:
    house.start()
    for scope in ("brand:nobody", "all:", "../all", ""):
        done = _freeze(house, "--scope", scope)
        assert done.returncode == 2, done
        assert "CONFIRMED" not in done.stdout
        assert done.stderr.startswith("NOT FROZEN")
    assert house.client.get("/v1/status")["state"] == "open"


def test_a_house_that_was_never_set_up_is_never_confirmed(house: TorturedHouse) -> None:
    done = _freeze(house)
    assert done.returncode == 10
    assert not done.stdout
    assert "no guardian was ever set up" in done.stderr
    assert not os.path.exists(house.house.runtime_dir)  # noqa: PTH110 (the fence speaks in plain paths)


def test_a_mistake_elsewhere_in_the_file_does_not_stop_the_stop(house: TorturedHouse) -> None:
    house.start()
    house.config.write_text(house.config.read_text("utf-8") + "\n[this is = no TOML ]]] \x01 at all\n", "utf-8")
    assert house.freeze().code == 0
    assert house.client.get("/v1/status")["state"] == "frozen"


def test_a_second_freeze_joins_the_first(house: TorturedHouse) -> None:
    house.start()
    assert [house.freeze(door=door).code for door in (doors.by_command, doors.by_json)] == [0, 0]
    assert house.thaw()["state"] == "open"


def test_every_door_gives_the_documents_keys_of_the_contract(house: TorturedHouse) -> None:
    house.start()
    keys = {
        *("state", "confirmed", "durable", "scopes", "elapsed_ms", "door", "daemon_killed", "epoch", "incident"),
        *("held", "in_flight", "not_covered", "unconfirmed", "native", "takedown"),
    }
    for door, name in ((doors.by_json, "direct"), (doors.by_socket, "control")):
        document = house.freeze(*SCOPES, door=door).document
        assert set(document) == keys
        assert document["door"] == name
        assert document["scopes"] == sorted(SCOPES)
        assert isinstance(document["epoch"], int)
        assert document["in_flight"] == []


def test_the_stop_imports_the_standard_library_and_nothing_heavy(house: TorturedHouse) -> None:
    house.start()
    command = [sys.executable, "-c", FREEZE_AND_LIST, str(house.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 0, done
    assert done.stdout.startswith("FROZEN  CONFIRMED  all")
    imported = next(line for line in done.stderr.splitlines() if line.startswith("MODULES")).split()
    assert not set(HEAVY) & {name.partition(".")[0] for name in imported}


def test_the_json_document_stands_alone_on_standard_output(house: TorturedHouse, tmp_path: Path) -> None:
    house.start()
    done = _freeze(house, "--json", "a", "reason")
    assert json.loads(done.stdout)["confirmed"]
    assert not done.stderr
    assert not list(tmp_path.iterdir())
