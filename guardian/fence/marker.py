"""The marker: who froze a scope, when and why. While one lies beside a gate, nothing arms that scope.

Each freeze writes a fresh one with a mark of its own, so that a thaw that began earlier sees that it is no longer
lifting the freeze that it was asked to lift. Writing it is best effort: the stop rests on the permit that is gone.
"""

from __future__ import annotations

import os
import time

from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.scopes import give_to_owner

if TYPE_CHECKING:
    from guardian.fence.house import House

MAX_REASON = 1000
MAX_BYTES = 8192


class Marker(NamedTuple):
    """What a marker says. A file that cannot be understood is a marker too: its mark is `unreadable`."""

    mark: str
    by: str
    at: int
    reason: str


UNREADABLE = Marker("unreadable", "unknown", 0, "a marker that cannot be read")


def compose(*, reason: str, by: str) -> Marker:
    """A marker for a freeze that begins now."""
    return Marker(os.urandom(8).hex(), _one_line(by), time.time_ns() // 1_000_000, _one_line(reason)[:MAX_REASON])


def write(path: str, directory: str, marker: Marker) -> bool:
    """Lay the marker down, in place of any other; where there is no room, at least an empty one.

    False when impossible.
    """
    text = f"mark={marker.mark}\nby={marker.by}\nat={marker.at}\nreason={marker.reason}\n"
    beside = f"{directory}/.{os.path.basename(path)}.{os.getpid()}.{marker.mark}"
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            give_to_owner(fd, directory)
            whole = os.write(fd, text.encode("utf-8", "replace")) >= len(text)
        finally:
            os.close(fd)
        os.rename(beside, path)
    except OSError:
        _forget(beside)
        return _touch(path)
    return whole


def read(path: str) -> Marker | None:
    """The marker at `path`; None when there is surely none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError:
        return UNREADABLE
    try:
        text = os.read(fd, MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return UNREADABLE
    finally:
        os.close(fd)
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    if not found.get("mark") or not found.get("at", "").isdigit():
        return UNREADABLE
    return Marker(found["mark"], found.get("by", "unknown"), int(found["at"]), found.get("reason", ""))


def of(house: House, scope: str) -> Marker | None:
    """The marker in force for a scope, or its copy on disk when memory has forgotten it."""
    return read(house.marker(scope)) or read(house.note(scope))


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _touch(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError:
        return False
    return True


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
