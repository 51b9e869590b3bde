"""What the supervisor (systemd, or whatever speaks sd_notify) is told: one datagram each time. Any thread may call.

It never raises and never waits long: a supervisor that does not listen must not stop a send, much less a freeze. What
the environment says of it is taken out at the start, so that no child speaks in the daemon's name.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

SOCKET, EVERY, PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
WITHIN = 0.5  # seconds that a datagram may wait for room
LONGEST = 300  # letters of a status
EXTEND_EVERY = 5.0
EXTEND_BY = 120_000_000  # microseconds: a commit of a large migration is one long wait
LONGEST_WATCH = 86_400_000_000


class Notifying:
    """The supervisor's ear; deaf where there is none."""

    def __init__(self, address: str = "", *, watchdog: int = 0, given: dict[str, str] | None = None) -> None:
        """`address` is a path, or @ and an abstract name. `watchdog`: microseconds between two feedings; 0: none."""
        self.watchdog = watchdog
        self.missed = 0  # datagrams for which there was no room, or no ear
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._given = dict(given or {})
        self._extended_at = time.monotonic()
        self._lock = threading.Lock()

    @property
    def heard(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """It serves, and the fence was opened as far as it may be; or a reload is over."""
        self._tell("READY=1", _status(status))

    def status(self, status: str) -> None:
        """How it stands."""
        self._tell(_status(status))

    def feed(self, status: str) -> None:
        """It has just seen the fence and the store."""
        self._tell("WATCHDOG=1", _status(status))

    def reloading(self) -> None:
        """The configuration is read again; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str) -> None:
        """No new send begins; those that run are finished."""
        self._tell("STOPPING=1", _status(status))

    def working(self) -> None:
        """A start that takes long goes on: to be called while it does, as often as you like."""
        now = time.monotonic()
        with self._lock:
            if now - self._extended_at < EXTEND_EVERY:
                return
            self._extended_at = now
        self._tell(f"EXTEND_TIMEOUT_USEC={EXTEND_BY}", _status("starting: looks at the store"))

    def hand_on(self, environ: MutableMapping[str, str]) -> None:
        """For the next image of this very process: what its start found in the environment."""
        environ.update(self._given)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(WITHIN)
                sock.sendto("\n".join(lines).encode(), self._address)
        except (OSError, ValueError):  # nobody listens there, or its name cannot be one
            self.missed += 1


def taken_from(environ: MutableMapping[str, str]) -> Notifying:
    """The supervisor that the environment names; it is named there no more."""
    given = {name: value for name in (SOCKET, EVERY, PID) if (value := environ.pop(name, None)) is not None}
    address = given.get(SOCKET, "")
    if not address.startswith(("/", "@")):
        return Notifying()
    return Notifying(address, watchdog=_microseconds(given), given=given)


def _microseconds(given: dict[str, str]) -> int:
    """How often this process is to be heard of; 0 where it is another one that is watched, or nobody."""
    try:
        if int(given.get(PID, os.getpid())) != os.getpid():
            return 0
        every = int(given.get(EVERY, "0"))
    except ValueError:
        return 0
    return every if 0 < every <= LONGEST_WATCH else 0


def _status(text: str) -> str:
    """One line that no letter can leave, and that shows nothing it does not say."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f"STATUS={shown[:LONGEST]}"
