"""The drill beside a daemon at work: as root, in the service user's house, with real posts going out all the while.

What it leaves is looked for everywhere: in the real fence byte for byte, in the queue, in the journal, on the disk,
among the processes, on the platform of the real accounts.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence import reading
from tests.torture.agent import AgentSocket
from tests.torture.house import TorturedHouse
from tests.torture.people import (
    FREEZE_GROUP,
    ON_CALL,
    OPERATE_GROUP,
    RIGHTS,
    SERVICE,
    as_person,
    interpreter_for_all,
    missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.root,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
FOR = 240  # seconds of posts, more than the drills take
EVERY = 0.5


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    """A daemon of the service user's that publishes two posts a second, and an agent."""
    with TorturedHouse(config=RIGHTS, uid=SERVICE) as found:
        found.groups = (FREEZE_GROUP, OPERATE_GROUP)
        found.make_directories()
        agent = AgentSocket(found.house, found.config, found.directory / "agent.log", uid=SERVICE, group=FREEZE_GROUP)
        with agent:
            found.start()
            found.feed(round(FOR / EVERY), at=datetime.now(UTC) + timedelta(seconds=1), over=FOR)
            yield found


def command(house: TorturedHouse, *words: str) -> tuple[list[str], dict[str, Any]]:
    """How root runs it."""
    python = interpreter_for_all()
    assert python is not None
    environment = {**os.environ, **python.environment, "GUARDIAN_CONFIG": str(house.config)}
    return [python.path, "-m", "guardian", *words], {"cwd": python.tree, "env": environment}


def fence(house: TorturedHouse) -> dict[str, tuple[bytes, int, int]]:
    """Every file of the real fence, but for the agent's own places."""
    places = (Path(house.house.gates), Path(house.house.permits))
    files = [file for place in places for file in place.iterdir() if not file.name.startswith(".agent.")]
    return {str(file): (file.read_bytes(), file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def left_behind(house: TorturedHouse) -> list[str]:
    """Processes and files of a drill."""
    ours = os.fsencode(house.house.runtime_dir)  # other tests may drill at the same time
    processes = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = (place / "cmdline").read_bytes() + b"\0" + (place / "environ").read_bytes()
        except OSError:
            continue
        if ours + b"/drill/" in told or (ours in told and (b".drill_tidying" in told or b".proving_sender" in told)):
            processes.append(place.name)
    files = [str(one) for place in house.house for one in Path(place).rglob("*drill*")]
    return [*processes, *(one for one in files if not one.endswith(("/drill.lock", "/last-drill.json")))]


def read_until(terminal: int, words: bytes, within: float = 90.0) -> bytes:
    found, end = b"", time.monotonic() + within
    while words not in found:
        assert select.select([terminal], [], [], max(end - time.monotonic(), 0))[0], found[-2000:]
        found += os.read(terminal, 1 << 16)
    return found


def test_a_drill_that_is_killed_in_the_middle_leaves_nothing_armed_and_nothing_running(house: TorturedHouse) -> None:
    before = fence(house)
    words, options = command(house, "drill")
    ours, theirs = pty.openpty()
    drill = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options)
    os.close(theirs)
    try:
        read_until(ours, b"drill> ")
        os.write(ours, b"echo no\n")
        read_until(ours, b"type a guardian command")
        os.write(ours, b"guardian status\n")
        read_until(ours, b"in flight")
        assert left_behind(house), "this test would find nothing"
    finally:
        drill.send_signal(signal.SIGKILL)
        drill.wait(10)
        os.close(ours)
    end = time.monotonic() + 20
    while left_behind(house):
        assert time.monotonic() < end, left_behind(house)
        time.sleep(0.1)
    assert fence(house) == before


def test_a_person_who_stops_one_account_is_held_to_that_one_and_the_other_goes_on(house: TorturedHouse) -> None:
    words, options = command(house, "drill")
    ours, theirs = pty.openpty()
    drill = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options)
    os.close(theirs)
    try:
        said = read_until(ours, b"drill> ").decode()
        url = said.partition("Live now: ")[2].split()[0]
        os.write(ours, f"guardian freeze a joke --scope account:drill-news --takedown {url} --delete\n".encode())
        told = read_until(ours, b"the report is written").decode()
        assert drill.wait(30) == 0
    finally:
        drill.kill()
        drill.wait(10)
        os.close(ours)
    assert "0 posts of what was stopped were sent after CONFIRMED; drill-shop: not stopped, " in told
    assert left_behind(house) == []


def test_a_drill_leaves_no_trace_on_real_accounts_which_go_on_publishing(house: TorturedHouse) -> None:
    for place, name in ((house.house.gates, "drill:0123.permit"), (house.house.permits, ".drill:0123.permit.7.new")):
        Path(place, name).write_text("left by one that was killed, with the child that should have taken it away")
    Path(house.house.state_dir, "drill").mkdir()
    before = {name: one for name, one in fence(house).items() if "drill:" not in name}
    known, lines = len(house.witness.posts()), len(house.client.get("/v1/journal", limit=1000)["entries"])
    words, options = command(house, "drill", "--auto", "--json")
    ran = subprocess.run(words, capture_output=True, text=True, timeout=150, check=False, **options)
    after = len(house.witness.posts())
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert (told["ok"], told["auto"], told["noted"]) == (True, True, True)
    measures = {"stop_ms", "hung_ms", "agent_ms", "freeze_ms", "confirm_ms", "takedown_ms", "report_ms"}
    assert set(told["measures"]) == measures
    assert told["self_test"]["sent"] > 0
    assert "what a drill before this one left was taken away" in ran.stderr

    assert fence(house) == before, "the real fence, byte for byte"
    assert left_behind(house) == []
    assert after > known, "the real daemon has published all the while"
    status = house.client.get("/v1/status")
    assert (status["state"], status["freezes"], status["incident"]) == ("open", [], None)
    assert status["counts"].get("missed", 0) == 0
    ours = set(house.imported.values())
    assert {row["text"] for row in house.witness.posts()} <= ours, "nothing of the drill on the real platform"
    assert not [one for one in house.witness.log() if one["method"] == "DELETE"]
    assert len(house.rows()) == len(house.imported)
    fresh = house.client.get("/v1/journal", after=lines, limit=1000)["entries"]
    kinds = [one["kind"] for one in fresh]
    assert kinds.count("drill") == 1
    assert not {"frozen", "thawed", "incident opened", "takedown ordered"} & set(kinds)
    (line,) = [one for one in fresh if one["kind"] == "drill"]
    assert (line["who"], line["data"]["ok"]) == ("root", True)

    kept = json.loads(Path(house.house.state_dir, "last-drill.json").read_text())
    assert (kept["ok"], kept["measures"]) == (True, told["measures"])
    assert Path(house.house.state_dir, "last-drill.json").stat().st_uid == SERVICE
    assert reading.read_fence(house.house).state == reading.OPEN


def test_the_doctor_sees_it_through_as_root_and_as_the_service_user(house: TorturedHouse) -> None:
    words, options = command(house, "doctor", "--json")
    as_root = json.loads(subprocess.run(words, capture_output=True, timeout=60, check=False, **options).stdout)
    python_options = ["-m", "guardian", "doctor", "--json", "--config", str(house.config)]
    theirs = json.loads(as_person(SERVICE, [FREEZE_GROUP], *python_options[2:]).stdout)
    for told in (as_root, theirs):
        wrong = {one["check"] for one in told["findings"] if one["verdict"] in ("wrong", "unchecked")}
        assert wrong <= {"clock"}, told  # this machine's own
        said = {one["check"]: one for one in told["findings"]}
        assert "it stopped the scope of the self-test" in said["agent"]["words"]
        assert said["drill"]["verdict"] == "well"


def test_who_may_not_touch_the_fence_is_told_so_and_still_learns_whether_the_agent_answers(
    house: TorturedHouse,
) -> None:
    refused = as_person(ON_CALL, [FREEZE_GROUP], "drill", "--auto", "--config", str(house.config))
    assert refused.returncode == 13
    assert "run it as root or as the service user" in refused.stderr
    ran = as_person(ON_CALL, [FREEZE_GROUP], "doctor", "--json", "--config", str(house.config))
    said = {one["check"]: one for one in json.loads(ran.stdout)["findings"]}
    assert ran.returncode == 1
    assert said["agent"]["verdict"] == "well"
    assert said["self-test"]["verdict"] == "unchecked"


def test_a_drill_off_a_terminal_asks_for_nothing_and_says_how(house: TorturedHouse) -> None:
    words, options = command(house, "drill")
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    assert ran.returncode == 2
    assert "--auto" in ran.stderr
