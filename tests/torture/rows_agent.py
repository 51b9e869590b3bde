"""Rows `agent-…`: the fence agent as the service user without network, asked by people with real uids and groups."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import threading
import time
from typing import TYPE_CHECKING

from guardian.fence import telling
from tests.torture import people
from tests.torture.agent import AgentSocket
from tests.torture.history import Stop
from tests.torture.house import SCOPES, TorturedHouse, soon
from tests.torture.people import FREEZE_GROUP, ON_CALL, RIGHTS, SERVICE
from tests.torture.results import NotRunError, Result
from tests.torture.rows_stopped import put_right

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from guardian.fence.house import House
    from tests.torture.results import Options

DRAIN = 0.5
POINTS = ("gate.checked", "gate.written")
ATTACKERS = 6
BOUNDED = 20_000.0  # ms: the busiest moment of an agent that is attacked, process starts included


def stopped(options: Options) -> Result:
    """A daemon stopped in the middle of a send, ended through the agent by somebody who is not root: 0 late."""
    _must_run()
    dice, trials, wrong = options.dice("agent-stopped"), options.times(12, 2), ""
    with TorturedHouse(config=RIGHTS, uid=SERVICE) as house:
        house.groups = (FREEZE_GROUP,)
        house.make_directories()
        with AgentSocket(house.house, house.config, house.directory / "agent.log", uid=SERVICE, group=FREEZE_GROUP):
            for trial in range(trials):
                if house.daemon is not None:
                    house.daemon.terminate()
                daemon = house.start(failpoints=f"{POINTS[trial % 2]}=stop@{dice.randint(1, 6)}")
                house.feed(12, at=soon())
                daemon.wait_stopped()
                later = threading.Timer(dice.uniform(0, 2), daemon.resume)
                later.start()
                stop = house.freeze(door=by_person, drain=DRAIN)
                later.join()
                time.sleep(0.3)  # for whatever would still come
                if stop.confirmed_at is None or stop.code != 0 or stop.document.get("door") != "agent":
                    wrong = wrong or f"not confirmed by the agent ({stop.code}): {stop.said[:300]}"
                put_right(house)
                options.progress("agent-stopped", trial + 1, trials)
        return Result.of("agent-stopped", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def attacked(options: Options) -> Result:
    """Idle, slow, huge, deep and broken requests from one person; another one's freeze gets through every time."""
    _must_run()
    dice, trials, wrong = options.dice("agent-attacked"), options.times(30, 5), ""
    with TorturedHouse(config=RIGHTS, uid=SERVICE) as house:
        house.groups = (FREEZE_GROUP,)
        house.make_directories()
        house.start()
        ending = threading.Event()
        with AgentSocket(house.house, house.config, house.directory / "agent.log", uid=SERVICE, group=FREEZE_GROUP):
            seeds = [dice.random() for _ in range(ATTACKERS)]
            threads = [
                threading.Thread(target=_attack, args=(house.house.fence_socket, random.Random(seed), ending))  # noqa: S311
                for seed in seeds
            ]
            for thread in threads:
                thread.start()
            for _ in range(trials):
                house.feed(4)
                stop = house.freeze(door=by_person)
                if stop.confirmed_at is None or stop.killed or stop.milliseconds > BOUNDED:
                    wrong = wrong or f"{stop.code} after {stop.milliseconds:.0f} ms: {stop.said[:300]}"
                house.thaw(*SCOPES)
                house.release()
            ending.set()
            for thread in threads:
                thread.join(30)
        house.wait_all()
        return Result.of("agent-attacked", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def by_person(_: House, config: Path, scopes: Sequence[str], *, drain: float | None = None) -> Stop:
    """The command as somebody on call types it, who is neither root nor the service user."""
    stop = Stop("person", tuple(scopes), time.monotonic_ns())
    words = ["freeze", "--config", str(config), "--json", "torture", *(f"--scope={scope}" for scope in scopes)]
    done = people.as_person(ON_CALL, [FREEZE_GROUP], *words, *([] if drain is None else [f"--drain={drain}"]))
    stop.returned = time.monotonic_ns()
    stop.code, stop.said = done.returncode, done.stdout + done.stderr
    stop.document = json.loads(done.stdout) if done.stdout else {}
    stop.confirmed_at = stop.returned if stop.document.get("confirmed") else None
    stop.killed = bool(stop.document.get("daemon_killed"))
    return stop


def _attack(path: str, dice: random.Random, ending: threading.Event) -> None:
    """As root, whom nobody refuses: the worst that a caller with every right can do to the door."""
    while not ending.is_set():
        with socket.socket(socket.AF_UNIX) as sock, contextlib.suppress(OSError):
            sock.settimeout(3)
            sock.connect(path)
            _misbehave(sock, dice)
    with contextlib.suppress(OSError):
        telling.ask(path, "GET", "/v1/fence", within=5)


def _misbehave(sock: socket.socket, dice: random.Random) -> None:
    ways = (
        b"",
        b"POST /v1/freeze HTTP/1.1\r\n",
        b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 60000\r\n\r\n{",
        b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + b"[" * 40000,
        b"X" * 100_000,
        os.urandom(2000),
    )
    raw = dice.choice(ways)
    if raw:
        sock.sendall(raw)
    if dice.random() < 0.5:
        sock.recv(1000)


def _must_run() -> None:
    why = people.missing()
    if why:
        raise NotRunError(why)
