"""The conformance suite: every promise of the adapter contract as a case that any adapter is held to.

A third party's adapter, too: give it a `Bench` (the one thing to write) and run `CASES`, with pytest
(`guardian.conformance.suite`) or without (`python -m guardian.conformance MODULE:BENCH`):
docs/writing-an-adapter.md.
"""

from guardian.conformance import (
    closed,
    declared,
    doubt,
    limiting,
    looking,
    others,
    scheduled,
    sending,
    silence,
    taking_down,
)
from guardian.conformance.bench import Bench, Held, NotPlayed
from guardian.conformance.case import Broken, Case, NotOffered, Outcome, check, run

CASES: tuple[Case, ...] = tuple(
    case
    for file in (declared, sending, doubt, closed, others, looking, taking_down, limiting, scheduled, silence)
    for case in file.CASES
)

__all__ = ["CASES", "Bench", "Broken", "Case", "Held", "NotOffered", "NotPlayed", "Outcome", "check", "run"]
