"""Our own stop, measured as a person meets it: the command of root, the command of somebody on call, the socket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.timing import CPU, Measured, cpu, missing
from guardian.fence import telling
from tests.torture.agent import HAS_SYSTEMD, AgentSocket
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse
from tests.torture.people import interpreter_for_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from bench.timing import Sample

SERVICE, ON_CALL, GROUP = 61001, 61002, 60  # 60 is games: every Debian has it
RIGHTS = '[rights]\nread = ["games"]\nfreeze = ["games"]\n'
IDLE, BUSY, SLOW = "idle", "lanes busy", "platform answers after 4 s"
DIRECT, AGENT, SOCKET = "direct", "agent", "control socket"
WITHIN = 20.0
POSTS = 60
DELAY = 4.0
CONFIRMED, COMMAND = "start to CONFIRMED", "whole command"


def figure(door: str, what: str, weather: str) -> str:
    """The name of a figure."""
    return f"{door}, {what}, {weather}"


def doors(stack: ExitStack) -> list[Measured]:
    """All of ours, each against a house and a daemon of its own kind; they end with the stack."""
    house = stack.enter_context(TorturedHouse())
    house.start()
    slow = stack.enter_context(TorturedHouse())
    slow.start()
    slow.witness.fault("delay", seconds=DELAY, times=None)
    typed = _typed(house)
    words = _typed(slow)
    return [
        Measured(figure(DIRECT, COMMAND, IDLE), lambda: _take(house, typed, DIRECT, IDLE), 2),
        Measured(figure(SOCKET, COMMAND, IDLE), lambda: _ask(house), 7),  # 100 figures: its p99 has a goal
        Measured(figure(DIRECT, COMMAND, BUSY), lambda: _take(house, typed, DIRECT, BUSY)),
        Measured(figure(DIRECT, COMMAND, SLOW), lambda: _take(slow, words, DIRECT, SLOW)),
        *_through_the_agent(stack),
    ]


def _typed(house: TorturedHouse) -> Callable[[], subprocess.Popen[bytes]]:
    """The installed command if there is one: it is what is typed. The tree that we stand in is what it runs."""
    installed = Path(sys.executable).parent / "guardian"
    program = [str(installed)] if installed.exists() else [sys.executable, "-m", "guardian"]
    words = [*program, "freeze", "bench", "--wait", "0", "--config", str(house.config)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return lambda: subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, env=environment)


def _take(house: TorturedHouse, start: Callable[[], subprocess.Popen[bytes]], door: str, weather: str) -> Sample:
    """One freeze by command, and the thaw after it."""
    if weather != IDLE:
        _get_busy(house, sent=weather == BUSY)
    before, began = cpu(), time.perf_counter()
    with start() as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        confirmed = (time.perf_counter() - began) * 1000
        rest = process.stdout.read()
    whole, used = (time.perf_counter() - began) * 1000, cpu() - before
    house.thaw()
    if not first.startswith(b"FROZEN  CONFIRMED") or (door == AGENT) != (b"door        agent" in rest):
        raise AssertionError(f"not confirmed, or not by this door: {(first + rest)[:300]!r}")
    if b"held        not known" in rest:
        raise AssertionError(f"the daemon was not told: {rest!r}")
    command = figure(door, COMMAND, weather)
    return {figure(door, CONFIRMED, weather): confirmed, command: whole, command + CPU: used}


def _get_busy(house: TorturedHouse, *, sent: bool) -> None:
    """Posts that are due, and lanes in the middle of them: some were sent already, or wait for their answers."""
    before = house.counts()["published"]
    house.feed(POSTS)
    house.wait(lambda counts: counts["published" if sent else "sending"] > (before if sent else 0), WITHIN, "a send")


def _ask(house: TorturedHouse) -> Sample:
    """The freeze of a program: one request to the control socket, no process started."""
    body = {"scopes": ["all"], "reason": "bench", "wait": 0}
    began = time.perf_counter()
    status, document = telling.ask(house.house.socket, "POST", "/v1/freeze", body, within=WITHIN)
    took = (time.perf_counter() - began) * 1000
    house.thaw()
    if status != 200:
        raise AssertionError(f"not confirmed: {document}")
    return {figure(SOCKET, COMMAND, IDLE): took}


def _through_the_agent(stack: ExitStack) -> list[Measured]:
    """Somebody on call, with a uid of their own, and the agent as systemd starts it: the service user, no network."""
    python = interpreter_for_all()
    name = figure(AGENT, COMMAND, IDLE)
    if os.geteuid() != 0 or not HAS_SYSTEMD or python is None:
        return [missing(name, "needs root, systemd-socket-activate and a Python that everybody may execute")]
    house = stack.enter_context(TorturedHouse(config=RIGHTS, uid=SERVICE))
    house.groups = (GROUP,)  # only a member may give the control socket to the group
    house.start()
    stack.enter_context(AgentSocket(house.house, house.config, house.directory / "agent.log", uid=SERVICE, group=GROUP))
    words = [python.path, "-m", "guardian", "freeze", "bench", "--wait", "0", "--config", str(house.config)]
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | python.environment

    def start() -> subprocess.Popen[bytes]:
        return _as_person(words, environment, python.tree)

    return [
        Measured(name, lambda: _take(house, start, AGENT, IDLE), 2),
        Measured(figure(AGENT, COMMAND, BUSY), lambda: _take(house, start, AGENT, BUSY)),
    ]


def _as_person(words: Sequence[str], environment: dict[str, str], tree: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, cwd=tree, env=environment, user=ON_CALL, group=ON_CALL, extra_groups=[GROUP]
    )
