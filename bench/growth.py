"""What more posts cost: a freeze, a look at the state and at the queue, with 10^2, 10^4 and 10^6 posts pending."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import page, plan
from bench.goals import Goal, lines
from bench.house import BenchHouse, Sink
from bench.timing import CPU, Measured, in_turn, whole
from guardian.fence import telling
from guardian.fence.stopping import Order, Stopping
from tests.torture.daemon import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.timing import Sample

FEW, MANY = plan.SIZES[0], plan.SIZES[-1]
ROUNDS, BUDGET = 15, 90.0
DUE = 60
WITHIN = 30.0
COMMAND, SOCKET, STOP = "freeze by command", "freeze by the control socket", "the stop alone"
STATUS, STATE, PAGE, HELLO = "guardian status", "GET /v1/status", "GET /v1/posts, 100 of them", "a Typer hello"
FILTERED = "GET /v1/posts, 100 of one account and state"
IDLE, BUSY = "idle", "lanes busy"
IN_TYPER = """\
import typer
app = typer.Typer()
@app.command()
def hello(name: str = "you"):
    print(f"hello {name}")
app()
"""
ABOUT = """\
* Three houses, alike but for the posts that wait, each with its daemon; in turn. *Freeze by command*: the whole process
  `guardian freeze --wait 0`, bookkeeping included. *By the control socket*: one request. *The stop alone*: from its
  first step to CONFIRMED, in this process. *Lanes busy*: 60 posts are due, and some have left.
* *guardian status*: the whole command. A Typer hello is a program of five lines with one option.
"""


def of(what: str, count: int) -> str:
    """The name of a figure."""
    return f"{what}, {count} pending"


def _grown(what: str, most: float | None) -> Goal:
    return Goal(f"{what}, 10^6 pending", of(what, MANY), of(what, FEW), most)


GOALS = (
    *(_grown(f"{how}, {weather}", 1.3) for weather in (IDLE, BUSY) for how in (COMMAND, SOCKET)),
    _grown(STOP, 1.3),
    Goal(f"{STATUS}, 10^6 pending", of(STATUS, MANY), HELLO, 1.5),
    *(_grown(what, None) for what in (STATUS, STATE, PAGE, FILTERED)),
)


def run() -> None:
    """Measure, print, and write the page's section."""
    before = os.getloadavg()
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(plan.ACCOUNTS))
        houses = {count: _house(stack, count, sink) for count in plan.SIZES}
        hello = houses[FEW].directory / "hello.py"
        hello.write_text(IN_TYPER, "utf-8")
        things = [one for count, house in houses.items() for one in _things(house, count, sink)]
        things.append(Measured(HELLO, lambda: _whole(HELLO, [sys.executable, str(hello)]), 2))
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET)
    section = page.Section("growth", "Growth: the same with 10^2, 10^4 and 10^6 posts pending", ABOUT)
    page.publish(section, lines(GOALS, taken), taken, absent, before)


def _house(stack: ExitStack, count: int, sink: Sink) -> BenchHouse:
    house = stack.enter_context(BenchHouse(plan.ACCOUNTS, sink))
    plan.lay(house, count)
    house.start()
    return house


def _things(house: BenchHouse, count: int, sink: Sink) -> Iterator[Measured]:
    for weather in (IDLE, BUSY):
        command, socket = of(f"{COMMAND}, {weather}", count), of(f"{SOCKET}, {weather}", count)
        yield Measured(command, _frozen(house, sink, weather, partial(_by_command, house, command)))
        yield Measured(socket, _frozen(house, sink, weather, partial(_by_socket, house, socket)))
    stop, status = of(STOP, count), of(STATUS, count)
    yield Measured(stop, _frozen(house, sink, IDLE, partial(_alone, house, stop)), 3)
    yield Measured(status, partial(_whole, status, _guardian(house, "status")), 2)
    for what, path in (
        (STATE, "/v1/status"),
        (PAGE, "/v1/posts?limit=100"),
        (FILTERED, f"/v1/posts?limit=100&state=queued&account={plan.ACCOUNTS[-1]}"),
    ):
        yield Measured(of(what, count), partial(_asked, house, of(what, count), path), 3)


def _frozen(house: BenchHouse, sink: Sink, weather: str, freeze: Callable[[], Sample]) -> Callable[[], Sample]:
    """A freeze in this weather, and the thaw after it."""

    def take() -> Sample:
        if weather == BUSY:
            sink.clear()
            house.feed(DUE)
            sink.wait(4)
        sample = freeze()
        house.client.post("/v1/thaw", {"scopes": ["all"], "reason": "bench"})
        return sample

    return take


def _guardian(house: BenchHouse, *words: str) -> list[str]:
    """The installed command if there is one: it is what is typed."""
    installed = Path(sys.executable).parent / "guardian"
    program = [str(installed)] if installed.exists() else [sys.executable, "-m", "guardian"]
    return [*program, *words, "--config", str(house.config)]


def _by_command(house: BenchHouse, name: str) -> Sample:
    return _whole(name, _guardian(house, "freeze", "bench", "--wait", "0"))


def _by_socket(house: BenchHouse, name: str) -> Sample:
    return _timed(house, name, "POST", "/v1/freeze", {"scopes": ["all"], "reason": "bench", "wait": 0})


def _asked(house: BenchHouse, name: str, path: str) -> Sample:
    return _timed(house, name, "GET", path, None)


def _timed(house: BenchHouse, name: str, method: str, path: str, body: object) -> Sample:
    began = time.perf_counter()
    status, document = telling.ask(house.house.socket, method, path, body, within=WITHIN, most=1 << 24)
    took = (time.perf_counter() - began) * 1000
    if status != 200:
        raise AssertionError(f"{method} {path} was answered with {status}: {document}")
    return {name: took}


def _alone(house: BenchHouse, name: str) -> Sample:
    with Stopping(house.house, Order(("all",), "bench", "bench", 5.0)) as stop:
        if not stop.confirm():
            raise AssertionError(stop.unconfirmed)
        return {name: stop.elapsed * 1000}


def _whole(name: str, words: list[str]) -> Sample:
    """A whole command, of this tree."""
    return {
        what: took
        for what, took in whole(name, words, environment={**os.environ, "PYTHONPATH": str(ROOT)}).items()
        if not what.endswith(CPU)
    }
