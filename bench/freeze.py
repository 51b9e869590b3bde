"""What a freeze costs with few and with many posts pending: the whole command, and the stop alone, in turn A B A B."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.fence.stopping import Order, Stopping
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, MANY = 100, 100_000
BATCH = 20_000
ROUNDS = 21
MUCH_LATER = datetime(2099, 1, 1, 9, tzinfo=UTC)


def fill(house: TorturedHouse, count: int) -> None:
    """Put so many future posts into a house's queue."""
    for done in range(0, count, BATCH):
        house.feed(min(BATCH, count - done), at=MUCH_LATER)
        print(f"  {min(done + BATCH, count):>7} of {count} pending", flush=True)


def by_command(house: TorturedHouse) -> float:
    """The whole command as it is typed, with its bookkeeping, without waiting for answers; seconds."""
    words = [sys.executable, "-m", "guardian", "--config", str(house.config), "freeze", "bench", "--wait", "0"]
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return time.perf_counter() - began


def in_process(house: TorturedHouse) -> float:
    """The stop alone, from its first step to CONFIRMED; seconds."""
    with Stopping(house.house, Order(("all",), "bench", "bench", 5.0)) as stop:
        if not stop.confirm():
            raise AssertionError(stop.unconfirmed)
        return stop.elapsed


def start_of_python() -> float:
    """The floor under every command: an interpreter that does nothing; seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=60)
    return time.perf_counter() - began


def side_by_side(
    few: TorturedHouse, many: TorturedHouse, measure: Callable[[TorturedHouse], float]
) -> tuple[float, float]:
    """The medians of both, taken in turn, with a thaw after each freeze; in milliseconds."""
    taken: dict[int, list[float]] = {0: [], 1: []}
    for turn in range(2 * (ROUNDS + 1)):
        house = (few, many)[turn % 2]
        taken[turn % 2].append(measure(house))
        house.thaw()
    return (
        statistics.median(taken[0][1:]) * 1000,  # the first of each warms up
        statistics.median(taken[1][1:]) * 1000,
    )


def run() -> None:
    """Measure and print; the goal stands beside each ratio."""
    with TorturedHouse() as few, TorturedHouse() as many:
        for house, count in ((few, FEW), (many, MANY)):
            house.start()
            fill(house, count)
        floor = statistics.median(start_of_python() for _ in range(ROUNDS)) * 1000
        command = side_by_side(few, many, by_command)
        stop = side_by_side(few, many, in_process)
    print(f"\nfreeze with {FEW} and with {MANY} posts pending ({ROUNDS} rounds in turn, medians)")
    print(f"  whole command, bookkeeping included  {command[1] / command[0]:5.2f} x   goal <= 1.3   "
          f"({command[0]:.1f} ms, {command[1]:.1f} ms)")  # fmt: skip
    print(f"  the stop alone                       {stop[1] / stop[0]:5.2f} x   goal <= 1.3   "
          f"({stop[0]:.2f} ms, {stop[1]:.2f} ms)")  # fmt: skip
    print(f"  whole command / bare interpreter     {command[0] / floor:5.2f} x                 ({floor:.1f} ms)")
