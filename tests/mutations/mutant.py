"""A mutant: the code with one thing that the promise rests on left out or exchanged, and the test that must fail."""

from __future__ import annotations

from typing import NamedTuple

from tests.mutations.workshop import Change


class Mutant(NamedTuple):
    """What is wrong with it, the id of the test that must fail, and the changes that make it."""

    name: str
    test: str
    changes: tuple[Change, ...]


def mutant(name: str, test: str, *changes: tuple[str, str, str]) -> Mutant:
    """One mutant; the test's id is below `tests/`, and each change is (file, old, new)."""
    return Mutant(name, f"tests/{test}", tuple(Change(*one) for one in changes))
