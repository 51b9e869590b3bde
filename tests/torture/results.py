"""What a row says: one line of numbers and a verdict."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.torture.oracle import Findings

    Row = Callable[["Options"], "Result"]

HEAD = f"{'row':<24}{'trials':>7}{'late':>6}{'lost':>6}{'double':>8}{'worst ms':>10}  verdict"


class NotRunError(Exception):
    """A row that this machine or this user cannot run; the text says what is missing. No verdict, never a good one."""


class Options(NamedTuple):
    """How hard to try: `short` is the slice that CI runs with every push."""

    seed: int = 1
    freezes: int = 200
    short: bool = False
    loud: bool = False

    def dice(self, row: str) -> random.Random:
        """The row's own random numbers, the same for the same seed."""
        return random.Random(f"{self.seed} {row}")  # noqa: S311 (chance, not secrecy)

    def times(self, full: int, short: int) -> int:
        """How many trials."""
        return short if self.short else full

    def progress(self, row: str, done: int, of: int) -> None:
        """Where a long row stands, on a terminal's own line."""
        if self.loud:
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"  {row}: {done} of {of}", end=end, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row."""

    name: str
    trials: int
    late: int
    lost: int
    double: int
    worst: float
    holds: bool
    note: str = ""

    @classmethod
    def of(
        cls, name: str, trials: int, found: Findings, *, worst: float = 0.0, wrong: str = "", note: str = ""
    ) -> Result:
        """A row that holds when nothing was found and nothing else went wrong."""
        return cls(
            name=name,
            trials=trials,
            late=len(found.late),
            lost=len(found.lost),
            double=len(found.double),
            worst=worst,
            holds=not found and not wrong,
            note="; ".join(filter(None, (found.words(), wrong))) or note,
        )

    def line(self) -> str:
        """The row as it is printed."""
        numbers = f"{self.trials:>7}{self.late:>6}{self.lost:>6}{self.double:>8}{self.worst:>10.1f}"
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        return f"{self.name:<24}{numbers}  {verdict}{'  ' + self.note if self.note else ''}"
