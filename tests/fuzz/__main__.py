"""`python -m tests.fuzz --inputs 1000000`: the long run. One line per target; exit 0 only if nothing was found."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from schemathesis import GenerationMode

from tests.fuzz.described import Described
from tests.fuzz.inside import Room
from tests.fuzz.running import HEAD, Outcome, Peak, Run
from tests.fuzz.wire import FuzzedHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIRE, PROCESSES, DESCRIBED, STORIES = 600, 4, 60, 2  # of ten thousand inputs


def main() -> int:
    """Every target in turn."""
    given = _given()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever was started is ended with us
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.strip()}, seed {given.seed}, {given.inputs} inputs\n{HEAD}",
        flush=True,
    )
    began = time.monotonic()
    found: list[Outcome] = []
    for outcome in _all(given.inputs, given.seed):
        found.append(outcome)
        print(outcome.line(), flush=True)
        for accident in outcome.accidents:
            print(accident, flush=True)
    inputs, accidents = sum(one.inputs for one in found), sum(len(one.accidents) for one in found)
    print(f"{inputs} inputs, {accidents} accidents, {time.monotonic() - began:.0f} s, seed {given.seed}")
    return 1 if accidents else 0


def _all(inputs: int, seed: int) -> Iterator[Outcome]:
    with Room() as room:
        for target in room.targets():
            yield Run(target).go(max(inputs * target.share // 1000, 100), seed)
    with FuzzedHouse() as house:
        pid = str(house.daemon.pid) if house.daemon else "self"
        yield Run(house.target(), pid).go(max(inputs * WIRE // 10_000, 100), seed)
        yield Run(house.command(), pid).go(max(inputs * PROCESSES // 10_000, 20), seed)
        described = Described(house.house.socket, house.ids)
        yield _described(described, pid, "described API", lambda: _ask(described, inputs * DESCRIBED // 10_000, seed))
        stories = max(inputs * STORIES // 10_000, 5)
        yield _described(
            described, pid, "described stories", lambda: described.run_stories(examples=stories, number=seed)
        )
        wrong = house.settle()
    yield Outcome("the daemon after", 1, 0, tuple(wrong), 0.0, 0, 0.0)


def _ask(described: Described, inputs: int, seed: int) -> None:
    names = list(described.operations())
    each = max(inputs // (2 * len(names)), 10)
    for name in names:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            described.ask_all(name, mode, examples=each, number=seed)


def _described(described: Described, pid: str, name: str, run: Callable[[], None]) -> Outcome:
    before, errors, began, peak = described.asked, described.errors, time.monotonic(), Peak(pid)
    accidents: tuple[str, ...] = ()
    try:
        run()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        accidents = (traceback.format_exc()[-3000:],)
    took = time.monotonic() - began
    asked, wrong = described.asked - before, described.errors - errors
    return Outcome(name, asked, wrong, accidents, described.slowest, peak.bytes(), took)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="in all (100000)")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)), help="default: a new one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
