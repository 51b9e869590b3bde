"""The fence's own light tuples behave like those of `typing`, and the way to CONFIRMED imports nothing dear."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

from guardian.fence.light import NamedTuple

PLATFORMS = {"mastodon", "tweepy", "praw", "prawcore", "atproto", "atproto_client", "httpx", "requests", "adapters"}
DEAR = {"typing", "re", "enum", "json", "socket", "threading", "signal", "dataclasses", "pathlib", "subprocess"}


class Pair(NamedTuple):
    """Two values, one with a default."""

    left: int
    right: str = "r"

    @property
    def both(self) -> str:
        """Joined."""
        return f"{self.left}{self.right}"


def test_a_row_is_a_tuple_with_names_and_defaults() -> None:
    pair = Pair(1)
    assert pair == (1, "r") == Pair(left=1, right="r")
    assert (pair.left, pair.right, pair.both) == (1, "r", "1r")
    left, right = pair
    assert (left, right, len({pair, Pair(1)})) == (1, "r", 1)
    assert repr(pair) == "Pair(left=1, right='r')"
    assert (pair._replace(left=2), pair._asdict()) == ((2, "r"), {"left": 1, "right": "r"})
    assert pickle.loads(pickle.dumps(pair)) == pair  # noqa: S301 (our own bytes)


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, "a", 2), {}), ((1,), {"left": 2}), ((1,), {"other": 2})],
    ids=["too few", "too many", "twice", "unknown"],
)
def test_a_row_that_is_given_wrongly_is_never_made(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Pair"):
        Pair(*values, **named)


def test_a_field_cannot_be_overwritten_so_that_nobody_changes_an_order_under_way() -> None:
    with pytest.raises(AttributeError):
        Pair(1).left = 2  # type: ignore[misc]


def test_nothing_dear_is_imported_on_the_way_to_confirmed() -> None:
    program = "import sys; before = set(sys.modules)\nimport guardian.__main__, guardian.fence.command\n"
    program += "from guardian.fence import report\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "guardian.fence.stopping" in done.stdout.split()
    assert not (DEAR | PLATFORMS) & set(done.stdout.split())
