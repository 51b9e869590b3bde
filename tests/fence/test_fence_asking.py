"""The ladder of those who may not touch the fence: its agent, then the daemon. Only a whole verdict is a verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from guardian.fence import asking, command, processes, report
from guardian.fence.command import understand
from guardian.fence.stopping import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from guardian.fence.house import House
    from tests.fence.conftest import Door

LISTENER = """
import socket, sys
from guardian.fence import agent
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("listening", flush=True)
    connection, _ = listener.accept()
    with connection:
        agent.serve(connection, sys.argv[2])
"""
BUSY = (503, {"error": {"code": "busy", "message": "cannot hear you, because 4 are under way", "fix": "wait"}})


def answer(status: int, document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def verdict(**changed: object) -> dict[str, object]:
    """The daemon's document of a confirmed, durable freeze, with these changes."""
    found: dict[str, object] = {
        "state": "frozen", "confirmed": True, "durable": True, "scopes": ["all"], "elapsed_ms": None,
        "door": "control", "daemon_killed": False, "epoch": 7, "incident": "i-1", "held": 2, "in_flight": [],
        "not_covered": list(report.NOT_COVERED), "unconfirmed": [], "takedown": [],
    }  # fmt: skip
    return {**found, **changed}


def freeze(house: House, *words: str) -> int:
    wish = understand(["why", "--wait", "0", *words])
    return asking.carry_out(house, wish, Order(wish.scopes, wish.reason, "kim", wish.drain))


@pytest.fixture
def agent(house: House, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The real agent, for one connection on the fence's socket."""
    config = tmp_path / "guardian.toml"
    config.write_text(f'state_dir = "{house.state_dir}"\nruntime_dir = "{house.runtime_dir}"\n')
    words = [sys.executable, "-c", LISTENER, house.fence_socket, str(config)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "listening\n"
        yield process
        process.kill()
        process.wait(20)


@pytest.mark.usefixtures("agent")
def test_the_agent_stops_a_house_whose_daemon_is_gone(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    assert freeze(house) == command.OK
    said = capfd.readouterr().out
    assert said.startswith("FROZEN  CONFIRMED  all  in ")
    assert "  door        agent\n" in said
    assert "  held        not known: the daemon is absent" in said
    assert not os.path.exists(house.permit("all"))
    assert not os.path.exists(house.durable("all"))


@pytest.mark.usefixtures("agent")
def test_a_scope_with_a_slip_of_the_pen_is_wrong_use_and_never_confirmed(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    assert freeze(house, "--scope", "brand:acmee") == command.WRONG_USE
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        "NOT FROZEN: cannot freeze 'brand:acmee', because this house has no such scope, do choose"
    )
    assert os.path.exists(house.permit("all"))


def test_the_daemon_tells_what_is_held_after_the_agent_has_stopped_it(
    house: House, agent: subprocess.Popen[str], door: Callable[..., Door], capfd: pytest.CaptureFixture[str]
) -> None:
    daemon = door(house.socket, answer(200, verdict()))
    assert freeze(house, "--json") == command.OK
    document = json.loads(capfd.readouterr().out)
    assert (document["door"], document["held"], document["epoch"]) == ("agent", 2, 7)
    assert document["takedown"] == []
    assert b'"told": true' in daemon.asked[0]
    assert agent.wait(20) == 0


def test_a_stopped_agent_and_no_daemon_is_not_confirmed_and_nobody_waits(
    house: House, agent: subprocess.Popen[str], capfd: pytest.CaptureFixture[str]
) -> None:
    agent.send_signal(signal.SIGSTOP)
    until = time.monotonic() + 20
    while not processes.is_stopped(agent.pid) and time.monotonic() < until:
        time.sleep(0.002)
    assert freeze(house, "--drain", "500") == command.NOT_CONFIRMED
    said = capfd.readouterr().err
    assert said.startswith("NOT CONFIRMED: cannot say whether ")
    assert f"process {agent.pid} is stopped" in said
    assert "sudo guardian freeze" in said


def test_where_nobody_listens_nothing_is_said_to_be_frozen(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    assert freeze(house) == command.NOT_ALLOWED
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("NOT FROZEN: cannot freeze ")
    assert f"nobody listens on {house.fence_socket}; nobody listens on {house.socket}" in said.err


@pytest.mark.parametrize("words", [("why",), ("why", "--json")])
def test_a_busy_agent_sends_the_order_on_to_the_daemon(
    house: House, door: Callable[..., Door], capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    door(house.fence_socket, answer(*BUSY))
    daemon = door(house.socket, answer(200, verdict()))
    assert freeze(house, *words) == command.OK
    assert b'"scopes": ["all"]' in daemon.asked[0]
    said = capfd.readouterr().out
    assert ("control" in said, "CONFIRMED" in said or '"confirmed": true' in said) == (True, True)


def test_a_busy_agent_with_no_daemon_is_not_confirmed(
    house: House, door: Callable[..., Door], capfd: pytest.CaptureFixture[str]
) -> None:
    door(house.fence_socket, answer(*BUSY))
    assert freeze(house) == command.NOT_CONFIRMED
    assert "because 4 are under way, do wait; nobody listens on" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("changed", "words", "code"),
    [
        ({}, (), command.OK),
        ({"durable": False}, (), command.NOT_DURABLE),
        ({"confirmed": False, "durable": False}, (), command.NOT_CONFIRMED),
        ({}, ("--native",), command.TAKEDOWN_INCOMPLETE),
        ({"native": [{"state": "listed"}]}, ("--native",), command.TAKEDOWN_INCOMPLETE),
        ({"native": [{"state": "deferred"}, {"state": "deleted"}]}, ("--native",), command.OK),
        ({"native": [{"state": "deferred"}]}, ("--native=delete",), command.TAKEDOWN_INCOMPLETE),
        ({"native": [{"state": "unknown"}]}, ("--native=list",), command.OK),
    ],
)
def test_the_exit_code_is_that_of_the_verdict(
    house: House, door: Callable[..., Door], changed: dict[str, object], words: tuple[str, ...], code: int
) -> None:
    document = verdict(**changed)
    door(house.socket, answer(200 if document["confirmed"] else 504, document))
    assert freeze(house, *words) == code


def test_a_no_from_the_agent_is_not_asked_again_at_the_daemon(
    house: House, door: Callable[..., Door], capfd: pytest.CaptureFixture[str]
) -> None:
    no = {"error": {"code": "not_allowed", "message": "cannot do that as kim", "fix": "ask one of: on-call"}}
    door(house.fence_socket, answer(403, no))
    daemon = door(house.socket, answer(200, verdict()))
    assert freeze(house) == command.NOT_ALLOWED
    assert capfd.readouterr().err == "NOT FROZEN: cannot do that as kim, do ask one of: on-call\n"
    assert daemon.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\r\n\r\n", id="garbage"),
        pytest.param(answer(200, verdict())[:-20], id="cut short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", id="chunked"),
        pytest.param(answer(200, "confirmed"), id="no document"),
        pytest.param(answer(200, {"state": "frozen"}), id="no verdict"),
        pytest.param(answer(200, {"confirmed": True}), id="half a verdict"),
        pytest.param(answer(500, verdict()), id="a verdict with the wrong status"),
        pytest.param(answer(500, {"error": "\x1b[2J"}), id="an error without words"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (5 << 20), id="too large"),
    ],
)
def test_what_is_no_verdict_is_never_confirmed(
    house: House, door: Callable[..., Door], capfd: pytest.CaptureFixture[str], raw: bytes
) -> None:
    door(house.fence_socket, raw)
    assert freeze(house) == command.NOT_CONFIRMED
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("NOT CONFIRMED: cannot say whether ")


def test_a_stranger_who_may_open_no_door_is_told_so(
    house: House, stranger: Callable[[str], AbstractContextManager[None]], capfd: pytest.CaptureFixture[str]
) -> None:
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    with stranger(os.path.dirname(house.state_dir)):
        code = command.main(["why", *place])
    assert code == command.NOT_ALLOWED
    said = capfd.readouterr()
    assert said.out == ""
    assert f"you may not open {house.fence_socket}; you may not open {house.socket}" in said.err
    assert os.path.exists(house.permit("all"))
