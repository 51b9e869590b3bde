"""Explicit-state search: every state that a model can reach, breadth first, and the shortest way to a broken one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

State = TypeVar("State", bound="Hashable")
MOST = 300_000


class Found(NamedTuple):
    """What a search came to: how many states, the shortest way to a broken one (empty: safe), every step ever taken."""

    states: int
    trace: tuple[str, ...]
    taken: frozenset[str]


class TooLargeError(Exception):
    """cannot search the model, because it has too many states, do make it smaller"""


def search(
    start: State, steps: Callable[[State], Iterable[tuple[str, State]]], broken: Callable[[State], bool]
) -> Found:
    """Visit every state once, nearest first; stop at the first broken one. Raises TooLargeError past `MOST` states."""
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    taken: set[str] = set()
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        if broken(state):
            return Found(len(came_from), _way_to(state, came_from), frozenset(taken))
        for name, after in steps(state):
            taken.add(name)
            if after not in came_from:
                came_from[after] = state, name
                waiting.append(after)
        if len(came_from) > MOST:
            raise TooLargeError(TooLargeError.__doc__)
    return Found(len(came_from), (), frozenset(taken))


def _way_to(state: State, came_from: dict[State, tuple[State, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    before = came_from[state]
    while before is not None:
        names.append(before[1])
        before = came_from[before[0]]
    return tuple(reversed(names))
