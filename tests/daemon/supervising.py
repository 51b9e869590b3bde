"""A supervisor: a datagram socket in the place of systemd's, and what was said to it."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WITHIN = 30.0


class Supervisor:
    """Use it in a `with`. `path` is a path, or None for a name that no file has."""

    def __init__(self, path: Path | None = None) -> None:
        self.said: list[dict[str, str]] = []
        self.address = f"@guardian-test-{os.getpid()}-{time.monotonic_ns()}" if path is None else str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if path is None else self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def environment(self, *, watchdog: float = 0) -> dict[str, str]:
        """What systemd would put into the daemon's environment; `watchdog` in seconds."""
        told = {"NOTIFY_SOCKET": self.address}
        return told | ({"WATCHDOG_USEC": str(round(watchdog * 1_000_000))} if watchdog else {})

    def until(self, come: Callable[[dict[str, str]], bool], within: float = WITHIN) -> dict[str, str]:
        """The first message from now on of which this is true."""
        until = time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            message = self._next(left)
            if message is not None and come(message):
                return message
        raise AssertionError(f"it was not said; the last words were {self.said[-5:]}")

    def hears(self, name: str, within: float = WITHIN) -> dict[str, str]:
        """The next message with such a line."""
        return self.until(lambda message: name in message, within)

    def silence(self, name: str, seconds: float) -> bool:
        """Whether no message with such a line comes for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = self._next(left)
            if message is not None and name in message:
                return False
        return True

    def empty(self) -> None:
        """Forget what lies there unread."""
        while self._next(0.001) is not None:
            pass

    def _next(self, within: float) -> dict[str, str] | None:
        self._socket.settimeout(within)
        try:
            data = self._socket.recv(8192)
        except (TimeoutError, BlockingIOError):
            return None
        message = dict(line.split("=", 1) for line in data.decode().splitlines())
        self.said.append(message)
        return message
