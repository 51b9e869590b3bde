"""Which secrets an adapter asks for, and what an account's lack or have too many. Pure.

What an adapter declares, in order: `name` is needed; `one|other` is one of those two; `name?` may be missing; and a `|`
that stands alone parts whole sets, of which an account has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

OR, MAYBE = "|", "?"
Slot = tuple[str, ...]  # the names of one secret; an account has one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with the names that an account has."""

    missing: tuple[Slot, ...] = ()
    twice: tuple[Slot, ...] = ()  # several names of one secret
    beside: tuple[str, ...] = ()  # names of another set than the one that is meant
    unknown: tuple[str, ...] = ()
    meant: tuple[str, ...] = ()  # every name of the set that is meant


def sets_of(declared: Collection[str]) -> list[list[str]]:
    """The sets, each in its order, every word as it was declared."""
    found: list[list[str]] = [[]]
    for word in declared:
        if word == OR:
            found.append([])
        else:
            found[-1].append(word)
    return found


def slot(word: str) -> Slot:
    """The names that one word stands for."""
    return tuple(word.removesuffix(MAYBE).split(OR))


def compare(declared: Collection[str], given: Collection[str]) -> Wrong:
    """What is wrong with `given`. Where several sets are declared, the one is meant that has most of the names."""
    sets = sets_of(declared)
    meant = max(sets, key=lambda one: len(_names(one) & set(given)))  # of equals the first
    everything = {name for one in sets for name in _names(one)}
    slots = [slot(word) for word in meant]
    needed = [slot(word) for word in meant if not word.endswith(MAYBE)]
    return Wrong(
        missing=tuple(one for one in needed if not set(one) & set(given)),
        twice=tuple(one for one in slots if len(set(one) & set(given)) > 1),
        beside=tuple(sorted(set(given) & everything - _names(meant))),
        unknown=tuple(sorted(set(given) - everything)),
        meant=tuple(name for one in slots for name in one),
    )


def _names(words: Sequence[str]) -> set[str]:
    return {name for word in words for name in slot(word)}
