"""The searching itself: it visits everything once, finds the nearest broken state, and never runs for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.models import search as searching
from tests.models.search import TooLargeError, search

if TYPE_CHECKING:
    from collections.abc import Iterator


def steps(number: int) -> Iterator[tuple[str, int]]:
    """Up by one or by five, up to twenty."""
    if number < 20:
        yield "one", number + 1
        yield "five", min(number + 5, 20)


def test_the_shortest_way_to_a_broken_state_is_told() -> None:
    assert search(0, steps, lambda number: number == 11).trace == ("one", "five", "five")


def test_a_safe_model_is_searched_to_its_end() -> None:
    found = search(0, steps, lambda number: number > 20)
    assert (found.states, found.trace, found.taken) == (21, (), frozenset({"one", "five"}))


def test_a_model_without_end_is_refused_and_not_searched_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST", 100)
    with pytest.raises(TooLargeError):
        search(0, lambda number: iter([("on", number + 1)]), lambda _: False)
