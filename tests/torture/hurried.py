"""`python -m tests.torture.hurried daemon|platform ...`: the same programs, for whom time goes by RATE times as fast.

The wall clock and the boot-time clock of the daemon run fast, and what it sleeps by them is as much shorter. The
monotonic clock is left alone, and with it every limit of an exchange, a drain and a lock: the machine and the network
are no faster than before. The platform dates its posts, and forgets idempotency keys, by the same fast clock.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import NamedTuple

NAME = "GUARDIAN_TEST_HURRY"


class Hurry(NamedTuple):
    """A clock that showed `wall` (ns since 1970) when the machine had been up for `boot` (ns), and runs fast since."""

    rate: int
    boot: int
    wall: int

    @classmethod
    def begin(cls, rate: int) -> Hurry:
        """Now."""
        return cls(rate, time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns())

    @classmethod
    def inherited(cls) -> Hurry:
        """As whoever started this process has it."""
        return cls(*map(int, os.environ[NAME].split()))

    @property
    def environment(self) -> dict[str, str]:
        """For the processes that are to share it."""
        return {NAME: " ".join(map(str, self))}

    def elapsed(self) -> int:
        """What the boot-time clock shows, in ns."""
        return self.boot + (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self.boot) * self.rate

    def now(self) -> int:
        """What the wall shows, in ns since 1970."""
        return self.wall + self.elapsed() - self.boot


class Clock:
    """As much of the module `time` as those need who read the wall."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME
    monotonic_ns = staticmethod(time.monotonic_ns)
    monotonic = staticmethod(time.monotonic)

    def __init__(self, hurry: Hurry) -> None:
        self.hurry = hurry

    def time_ns(self) -> int:
        """The wall."""
        return self.hurry.now()

    def clock_gettime_ns(self, clock: int) -> int:
        """The boot-time clock, and no other."""
        assert clock == self.CLOCK_BOOTTIME
        return self.hurry.elapsed()


class Threads:
    """The module `threading` for loops and lanes: they sleep by the fast clock."""

    def __getattr__(self, name: str) -> object:
        """Everything else."""
        return getattr(threading, name)

    def __init__(self, rate: int) -> None:
        class Event(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                return super().wait(None if timeout is None else timeout / rate)

        self.Event = Event


def daemon(words: list[str]) -> int:
    """`guardian run` as it is, but for what it reads of the clocks."""
    from guardian.daemon import build, clocks, loops, program
    from guardian.fence import marker

    hurry = Hurry.inherited()
    vars(clocks)["time"] = vars(marker)["time"] = Clock(hurry)
    vars(build)["threading"] = vars(loops)["threading"] = Threads(hurry.rate)
    return program.main([word for word in words if word != "run"])


def platform(words: list[str]) -> int:
    """The rehearsal platform; the times in its log stay monotonic and true."""
    from guardian.rehearsal import __main__, statuses

    hurry = Hurry.inherited()
    vars(statuses)["time"] = Clock(hurry)
    statuses.IDEMPOTENT_NS //= hurry.rate
    sys.argv[1:] = words
    return __main__.main()


if __name__ == "__main__":
    sys.exit({"daemon": daemon, "platform": platform}[sys.argv[1]](sys.argv[2:]))
