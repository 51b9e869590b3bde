"""The fence agent with real uids and groups, socket-activated as the service user, without network.

Needs root to become other people; nothing is faked: the kernel says who calls.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.fence import reading, telling
from tests.torture.agent import AgentSocket
from tests.torture.house import SCOPES, TorturedHouse, soon
from tests.torture.people import (
    FREEZE_GROUP,
    ON_CALL,
    OPERATE_GROUP,
    OPERATOR,
    RIGHTS,
    SERVICE,
    STRANGER,
    as_person,
    interpreter_for_all,
    missing,
    run,
)
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.root,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse(config=RIGHTS, uid=SERVICE) as found:
        found.groups = (FREEZE_GROUP,)  # only a member may give the control socket to the group
        yield found


@pytest.fixture
def agent(house: TorturedHouse) -> Iterator[AgentSocket]:
    house.make_directories()
    with AgentSocket(
        house.house, house.config, house.directory / "agent.log", uid=SERVICE, group=FREEZE_GROUP
    ) as found:
        yield found


def asked(house: TorturedHouse, uid: int, groups: list[int], target: str) -> tuple[int, str]:
    """One raw request by somebody else to fence.sock; status (0: no connection) and text."""
    program = (
        "import sys; from guardian.fence.telling import ask\n"
        "try:\n    print(*ask(sys.argv[1], *sys.argv[2].split(), {} if sys.argv[2][0] == 'P' else None, within=20))\n"
        "except OSError as error:\n    print(0, repr(error))"
    )
    done = run(uid, groups, "-c", program, house.house.fence_socket, target)
    assert done.returncode == 0, done
    status, _, rest = done.stdout.partition(" ")
    return int(status), rest


def test_a_member_of_the_freeze_group_stops_a_daemon_that_hangs_in_the_middle_of_a_send(
    house: TorturedHouse, agent: AgentSocket
) -> None:
    daemon = house.start(failpoints="gate.checked=stop@3")
    house.feed(12, at=soon())
    daemon.wait_stopped()
    began = time.monotonic_ns()
    done = as_person(
        ON_CALL, [FREEZE_GROUP], "freeze", "a bad joke", "--config", str(house.config), "--json", "--drain", "0.5"
    )
    assert done.returncode == 0, done
    document = json.loads(done.stdout)
    assert (document["confirmed"], document["durable"], document["door"]) == (True, True, "agent")
    assert document["daemon_killed"]
    assert daemon.wait_dead() == -signal.SIGKILL
    time.sleep(0.3)
    made = [entry for entry in house.arrivals() if entry["last_byte"] > began]
    assert made == []
    assert Path("/proc/self/ns/net").readlink() != Path(f"/proc/{agent.pid}/ns/net").readlink()
    house.start()
    status = house.client.get("/v1/status")
    assert status["state"] == "frozen"
    assert (status["freezes"][0]["by"], status["freezes"][0]["reason"]) == (f"uid {ON_CALL}", "a bad joke")
    house.thaw(*SCOPES)
    publish_all(house)
    assert not house.judge()


@pytest.mark.usefixtures("agent")
def test_with_the_daemon_alive_the_agents_freeze_is_told_and_nobody_is_killed(house: TorturedHouse) -> None:
    daemon = house.start()
    house.feed(4)
    house.wait_all()
    done = as_person(ON_CALL, [FREEZE_GROUP], "freeze", "--config", str(house.config), "bad", "--scope", "brand:north")
    assert done.returncode == 0, done
    assert done.stdout.startswith("FROZEN  CONFIRMED  brand:north  in ")
    assert "door        agent" in done.stdout
    assert "0 posts wait behind it" in done.stdout
    assert daemon.state() in "RS"
    assert house.client.get("/v1/status")["state"] == "partly"


@pytest.mark.usefixtures("agent")
def test_whoever_may_not_see_the_fence_hears_from_its_agent_how_it_stands_while_the_daemon_hangs(
    house: TorturedHouse,
) -> None:
    daemon = house.start()
    them = (ON_CALL, [FREEZE_GROUP])
    assert as_person(*them, "freeze", "bad", "joke", "--config", str(house.config)).returncode == 0
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        done = as_person(*them, "status", "--config", str(house.config), "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, found["state"], found["daemon"]) == (20, "frozen", "hung")
        assert [(one["scope"], one["reason"]) for one in found["freezes"]] == [("all", "bad joke")]
        assert as_person(STRANGER, [], "status", "--config", str(house.config)).returncode == 22
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)


@pytest.mark.usefixtures("agent")
def test_where_proc_hides_other_peoples_processes_the_agent_is_not_taken_for_dead(house: TorturedHouse) -> None:
    """Hosts mount /proc with hidepid; units with ProtectProc= see it so."""
    house.start()
    python = interpreter_for_all()
    assert python is not None
    hide = 'mount -t proc proc /proc -o hidepid=invisible && exec "$@"'
    them = [
        "setpriv",
        "--reuid",
        str(ON_CALL),
        "--regid",
        str(ON_CALL),
        "--groups",
        str(FREEZE_GROUP),
        "--no-new-privs",
    ]
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh", *them,
         python.path, "-m", "guardian", "freeze", "bad", "--config", str(house.config), "--json"],
        cwd=python.tree, env={**os.environ, **python.environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["door"] == "agent"


@pytest.mark.usefixtures("agent")
def test_who_may_freeze_cannot_thaw_and_who_may_thaw_can(house: TorturedHouse) -> None:
    house.start()
    config = ["--config", str(house.config)]
    assert as_person(ON_CALL, [FREEZE_GROUP], *config, "freeze", "bad").returncode == 0
    refused = as_person(ON_CALL, [FREEZE_GROUP], *config, "thaw", "--reason", "please", "--yes")
    assert refused.returncode == 13, refused
    assert "operate" in refused.stderr
    assert reading.read_fence(house.house).state == "frozen"
    assert asked(house, ON_CALL, [FREEZE_GROUP], "POST /v1/thaw")[0] == 404
    thawed = as_person(
        OPERATOR, [FREEZE_GROUP, OPERATE_GROUP], *config, "thaw", "--reason", "statement is out", "--yes"
    )
    assert thawed.returncode == 0, thawed
    assert reading.read_fence(house.house).state == "open"


@pytest.mark.usefixtures("agent")
def test_a_stranger_can_do_nothing_even_through_a_socket_that_was_left_open(house: TorturedHouse) -> None:
    house.start()
    done = as_person(STRANGER, [], "freeze", "--config", str(house.config), "for fun")
    assert done.returncode == 13, done
    assert "you may not open" in done.stderr
    assert asked(house, STRANGER, [], "POST /v1/freeze")[0] == 0
    Path(house.house.fence_socket).chmod(0o666)
    for target in ("POST /v1/freeze", "GET /v1/fence"):
        status, said = asked(house, STRANGER, [], target)
        assert (status, "not_allowed" in said) == (403, True), said
    assert as_person(STRANGER, [], "freeze", "--config", str(house.config)).returncode == 13
    assert reading.read_fence(house.house).state == "open"
    Path(house.house.fence_socket).chmod(0o660)


@pytest.mark.usefixtures("agent")
def test_more_groups_than_are_read_and_the_overflow_uid_have_no_right(house: TorturedHouse) -> None:
    house.start().terminate()
    Path(house.house.fence_socket).chmod(0o666)
    many = [FREEZE_GROUP, *range(70000, 70299)]
    assert asked(house, ON_CALL, many, "POST /v1/freeze")[0] == 403
    assert asked(house, 65534, [FREEZE_GROUP], "POST /v1/freeze")[0] == 403
    assert asked(house, ON_CALL, [FREEZE_GROUP], "GET /v1/fence")[0] == 200
    assert reading.read_fence(house.house).state != "frozen"


def test_without_an_agent_the_daemon_is_asked(house: TorturedHouse) -> None:
    house.start()
    done = as_person(ON_CALL, [FREEZE_GROUP], "freeze", "--config", str(house.config), "bad", "--json")
    assert done.returncode == 0, done
    document = json.loads(done.stdout)
    assert (document["door"], document["confirmed"], document["in_flight"]) == ("control", True, [])


def test_without_an_agent_a_daemon_that_hangs_is_not_confirmed_and_the_text_says_what_to_do(
    house: TorturedHouse,
) -> None:
    daemon = house.start()
    daemon.send(signal.SIGSTOP)
    daemon.wait_stopped()
    done = as_person(ON_CALL, [FREEZE_GROUP], "freeze", "--config", str(house.config), "bad")
    assert done.returncode == 10, done
    assert done.stderr.startswith("NOT CONFIRMED")
    assert "stopped" in done.stderr
    assert "sudo guardian freeze" in done.stderr


def test_with_neither_agent_nor_daemon_it_says_that_nothing_was_frozen(house: TorturedHouse) -> None:
    house.start().terminate()
    done = as_person(ON_CALL, [FREEZE_GROUP], "freeze", "--config", str(house.config), "bad")
    assert done.returncode == 13, done
    assert done.stderr.startswith("NOT FROZEN")
    assert "sudo guardian freeze" in done.stderr


@pytest.mark.usefixtures("agent")
def test_the_service_user_goes_to_the_fence_directly(house: TorturedHouse) -> None:
    house.start().terminate()
    done = as_person(SERVICE, [], "freeze", "--config", str(house.config), "bad", "--json")
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["door"] == "direct"


@pytest.mark.usefixtures("agent")
def test_idle_callers_do_not_keep_the_next_one_out(house: TorturedHouse) -> None:
    import socket

    house.start().terminate()
    idle = [socket.socket(socket.AF_UNIX) for _ in range(12)]
    try:
        for one in idle:
            one.connect(house.house.fence_socket)
        answers = []
        for _ in range(40):
            status, document = telling.ask(house.house.fence_socket, "POST", "/v1/freeze", {"reason": "x"}, within=20)
            answers.append(status)
            if status == 200:
                break
            assert isinstance(document, dict)
            assert document["error"]["code"] == "busy"  # the same uid's own four places, for 2 s at the most
            time.sleep(0.2)
        assert answers[-1] == 200
        began = time.monotonic()
        assert asked(house, ON_CALL, [FREEZE_GROUP], "POST /v1/freeze")[0] == 200  # another uid has its own places
        assert time.monotonic() - began < 20
    finally:
        for one in idle:
            one.close()
