"""Loops: the only file of the daemon that makes threads.

A loop polls, sleeps until the time that the poll named, and can be woken; what it polls is an object with `poll(now)
-> next wake-up or None`, which tests call directly.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import structlog

from guardian.errors import Doubt

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SLEEP = 60_000
AFTER_ERROR = 5_000
AFTER_DOUBT = 1_000
log = structlog.get_logger()


class Pollable(Protocol):
    """What a loop runs."""

    def poll(self, now: int) -> int | None:
        """Do what is due at `now` (ms); when to be called again, None for "when woken"."""
        ...


class Loop:
    """One thread around one pollable."""

    def __init__(self, name: str, polled: Pollable, clock: Callable[[], int]) -> None:
        self.name = name
        self.polled = polled
        self.clock = clock
        self.failures = 0
        self.polled_at = 0  # ms; when it last began to poll: one that hangs shows by it
        self.began = time.monotonic()  # seconds; the same by a clock that nobody can set
        self._wake = threading.Event()
        self._ending = False
        self._after: Loop | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, *, after: Loop | None = None) -> None:
        """Begin to poll; `after`: not before that loop has ended, whose place this one takes."""
        self._after = after
        self._thread.start()

    def wake(self) -> None:
        """Poll now."""
        self._wake.set()

    def end(self) -> None:
        """Ask for the end; the poll that runs is finished first."""
        self._ending = True
        self._wake.set()

    def join(self, within: float | None) -> bool:
        """Wait for the end; whether it came in time. One that was never started has ended."""
        if self._thread.ident is not None:
            self._thread.join(within)
        return not self._thread.is_alive()

    @property
    def ending(self) -> bool:
        """Whether it was asked to end."""
        return self._ending

    @property
    def died(self) -> bool:
        """Whether its thread has ended without having been asked to."""
        return self._thread.ident is not None and not self._thread.is_alive() and not self._ending

    def _run(self) -> None:
        if self._after is not None:
            self._after.join(None)
            self._after = None
        while not self._ending:
            self._wake.clear()
            if self._ending:
                return
            following = self._poll()
            sleep = LONGEST_SLEEP if following is None else min(max(following - self.clock(), 0), LONGEST_SLEEP)
            if sleep:
                self._wake.wait(sleep / 1000)

    def _poll(self) -> int | None:
        """An error never ends a loop: it is logged, and the loop rests."""
        try:
            self.polled_at, self.began = self.clock(), time.monotonic()
            return self.polled.poll(self.polled_at)
        except Doubt as error:  # the store is locked, for instance: its words say it all
            self.failures += 1
            log.warning("a loop waits", loop=self.name, why=str(error))
            return self.clock() + AFTER_DOUBT
        except Exception:
            self.failures += 1
            log.exception("a loop failed", loop=self.name)
            return self.clock() + AFTER_ERROR


def run_beside(name: str, work: Callable[[], object]) -> threading.Thread:
    """A thread for what has a loop of its own (the control socket's server)."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
