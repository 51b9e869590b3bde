"""`python -m tests.torture.broken VARIANT --config FILE run`: the daemon with a fence that is broken on purpose.

Each variant is a mistake that somebody could make in good faith; the torture must catch every one of them.
"""

from __future__ import annotations

import random
import socket
import sys
import time
from typing import TYPE_CHECKING

from guardian.daemon import program
from guardian.fence.passage import Crossing
from guardian.gate import connection, wire

if TYPE_CHECKING:
    from collections.abc import Callable

JITTER = 0.03


def check_before_lock() -> None:
    """Look first, lock second, and never look again."""

    def enter(self: Crossing) -> Crossing:
        self.check()
        _jitter()
        for scope, _ in self.ticket.epochs:
            self._lock(scope)
        return self

    Crossing.__enter__ = enter  # type: ignore[method-assign]


def check_before_publish() -> None:
    """The only look is the one before the client library is called; no lock at all."""

    def enter(self: Crossing) -> Crossing:
        _jitter()
        return self

    Crossing.__enter__ = enter  # type: ignore[method-assign]


def no_linger() -> None:
    """Sockets as they come: a killed process's bytes are delivered by the kernel, however late."""
    wire.OPTIONS = tuple(one for one in wire.OPTIONS if one[1] != socket.SO_LINGER)  # type: ignore[assignment]


def no_wait() -> None:
    """Unlock as soon as the kernel has taken the bytes, whether or not they have left."""
    connection._wait_until_it_has_left = lambda errand, crossing: None  # noqa: ARG005


VARIANTS: dict[str, Callable[[], None]] = {
    "check-before-lock": check_before_lock,
    "check-before-publish": check_before_publish,
    "no-linger": no_linger,
    "no-wait": no_wait,
}


def _jitter() -> None:
    """What a busy machine does to a thread between two lines."""
    time.sleep(random.uniform(0, JITTER))  # noqa: S311 (chance, not secrecy)


if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    sys.exit(program.main([word for word in sys.argv[2:] if word != "run"]))
