"""Measuring in turn: every thing once (or a few times) per round, so that all of them meet the same weather."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LONGEST = 60.0
CPU = " (processor time)"
Sample = dict[str, float]


class Missing(Exception):
    """cannot be measured on this machine; the text says why."""


class Measured(NamedTuple):
    """A thing that is measured: one call gives one or several figures in ms, and leaves all as it found it."""

    name: str
    take: Callable[[], Sample]
    times: int = 1


def missing(name: str, why: str) -> Measured:
    """A thing that cannot be measured here: it says so when its turn comes."""

    def take() -> Sample:
        raise Missing(why)

    return Measured(name, take)


class Taken:
    """The figures, by what they are of."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = {}

    def add(self, sample: Sample) -> None:
        """Keep one more of each."""
        for what, figure in sample.items():
            self.figures.setdefault(what, []).append(figure)

    def p50(self, what: str) -> float | None:
        """The median; None when it was not measured."""
        return statistics.median(self.figures[what]) if what in self.figures else None

    def p99(self, what: str) -> float | None:
        """What one in a hundred exceeds: with fewer than a hundred figures, the worst."""
        found = sorted(self.figures.get(what, ()))
        return found[min(len(found) - 1, len(found) * 99 // 100)] if found else None


def in_turn(things: Sequence[Measured], *, rounds: int, budget: float, warm: bool = True) -> tuple[Taken, list[str]]:
    """So many rounds, or as many as `budget` seconds allow; what cannot be measured is left out, with its reason.

    With `warm`, one more round before them, which is not kept.
    """
    taken, left = Taken(), list(things)
    absent: list[str] = []
    until = time.monotonic() + budget
    for turn in range(0 if warm else 1, rounds + 1):
        for thing in list(left):
            try:
                samples = [thing.take() for _ in range(thing.times if turn else 1)]
            except (Missing, OSError, subprocess.SubprocessError) as error:
                absent.append(f"{thing.name}: {error}")
                left.remove(thing)
                continue
            for sample in samples if turn else ():
                taken.add(sample)
        print(f"  round {turn} of {rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
        if time.monotonic() > until:
            break
    return taken, absent


def cpu() -> float:
    """The processor time, in ms, of every child that has ended: other work on the machine changes little about it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def whole(name: str, words: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Sample:
    """From the start of a program until its prompt would return, and its processor time. Raises Missing if it fails."""
    before, began = cpu(), time.perf_counter()
    done = subprocess.run(words, capture_output=True, timeout=LONGEST, check=False, env=environment)
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise Missing(f"{words[0]} ended with {done.returncode}: {said[-1] if said else ''}")
    return {name: took, name + CPU: cpu() - before}
