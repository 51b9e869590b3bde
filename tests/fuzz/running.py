"""Runs a target over many inputs: first those of its strategy, then mutations of them; counts, times, and watches."""

from __future__ import annotations

import random
import signal
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fuzz.inside import Target

HANG = 10.0
WITH_STRUCTURE = 3000
POOL = 4000
NEAR = 0.3  # of the mutations are of what is right
HEAD = f"{'what':<18}{'inputs':>9}{'errors':>9}{'accidents':>11}{'slowest ms':>12}{'peak MiB':>10}{'per s':>8}"


class HangError(BaseException):
    """One input took longer than it may; no `except Exception` of the code under test shall hide it."""


class Outcome(NamedTuple):
    """One line of the table."""

    name: str
    inputs: int
    errors: int
    accidents: tuple[str, ...]
    slowest: float
    peak: int
    seconds: float

    def line(self) -> str:
        """As it is printed."""
        numbers = f"{self.inputs:>9}{self.errors:>9}{len(self.accidents):>11}{self.slowest * 1000:>12.1f}"
        return f"{self.name:<18}{numbers}{self.peak / 2**20:>10.1f}{self.inputs / max(self.seconds, 1e-9):>8.0f}"


class Run:
    """One target's run."""

    def __init__(self, target: Target, pid: str = "self") -> None:
        self.target = target
        self.pool: list[bytes] = list(target.seeds)
        self.inputs = self.errors = 0
        self.slowest = 0.0
        self.accidents: list[str] = []
        self.peak = Peak(pid)

    def go(self, inputs: int, number: int) -> Outcome:
        """So many inputs from this seed."""
        began = time.monotonic()
        self._structured(min(inputs, WITH_STRUCTURE, max(inputs // 4, 50)), number)
        dice = random.Random(f"{number} {self.target.name}")  # noqa: S311 (chance, not secrecy)
        while self.inputs < inputs and len(self.accidents) < 5:
            self.one(self.target.mutate(dice, self.target.seeds if dice.random() < NEAR else self.pool))
        took = time.monotonic() - began
        return Outcome(
            self.target.name, self.inputs, self.errors, tuple(self.accidents), self.slowest, self.peak.bytes(), took
        )

    def one(self, given_: bytes) -> None:
        """One input."""
        began = time.monotonic()
        try:
            with limited(HANG):
                self.errors += self.target.judge(given_) == "error"
        except (Exception, HangError):  # noqa: BLE001 (this is what we are here for)
            self.accidents.append(f"{given_[:300]!r}\n{traceback.format_exc()[-1500:]}")
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.inputs += 1

    def _structured(self, count: int, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.target.strategy)
        def try_(found: bytes) -> None:
            if len(self.pool) < POOL:
                self.pool.append(found)
            self.one(found)

        try_()


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End a hang. For the main thread."""

    def ring(*_: object) -> None:
        raise HangError(f"more than {seconds} s")

    before: Callable[..., object] | int | None = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Peak:
    """The most memory that a process has had since now."""

    def __init__(self, pid: str = "self") -> None:
        self._folder = Path(f"/proc/{pid}")
        try:
            (self._folder / "clear_refs").write_text("5", "ascii")
        except OSError:
            return  # then it is the most of its whole life

    def bytes(self) -> int:
        """How much that was."""
        text = (self._folder / "status").read_text("utf-8", "replace")
        return int(text.partition("VmHWM:")[2].split()[0]) * 1024 if "VmHWM:" in text else 0
