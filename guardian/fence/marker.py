"""The marker: who froze a scope, when and why. While one lies beside a gate, nothing arms that scope.

Each freeze writes a fresh one with a mark of its own, so that a thaw that began earlier sees that it is no longer
lifting the freeze that it was asked to lift. Writing it is best effort: the stop rests on the permit that is gone.
"""

from __future__ import annotations

import errno
import os
import time

from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.scopes import OUR_TROUBLES, give_to_owner

if TYPE_CHECKING:
    from guardian.fence.house import House

MAX_REASON = 1000
MAX_BYTES = 8192


class Marker(NamedTuple):
    """What a marker says. A file that cannot be understood is a marker too: its mark is `unreadable`.

    `gate` is the number of the gate that the removed permit named: a later freeze knows by it if the gate was replaced.
    """

    mark: str
    by: str
    at: int
    reason: str
    gate: str = ""


UNREADABLE = Marker("unreadable", "unknown", 0, "a marker that cannot be read")


def compose(*, reason: str, by: str) -> Marker:
    """A marker for a freeze that begins now."""
    return Marker(os.urandom(8).hex(), _one_line(by), time.time_ns() // 1_000_000, _one_line(reason)[:MAX_REASON])


def write(path: str, directory: str, marker: Marker) -> bool:
    """Lay the marker down, in place of any other; where there is no room, at least an empty one.

    Whether it is there whole.
    """
    text = f"mark={marker.mark}\nby={marker.by}\nat={marker.at}\ngate={marker.gate}\nreason={marker.reason}\n"
    raw = text.encode("utf-8", "replace")
    beside = f"{directory}/.{os.path.basename(path)}.{os.getpid()}.{marker.mark}"
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            give_to_owner(fd, directory)
            if os.write(fd, raw) < len(raw):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), beside)
        finally:
            os.close(fd)
        os.rename(beside, path)
    except OSError:
        _forget(beside)
        return _write_over(path, raw)
    return True


def read(path: str) -> Marker | None:
    """The marker at `path`; None when there is surely none.

    Raises OSError when the trouble is our own (no descriptor, no memory): that says nothing about the file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in OUR_TROUBLES:
            raise
        return UNREADABLE
    try:
        text = os.read(fd, MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return UNREADABLE
    finally:
        os.close(fd)
    found = dict(line.partition("=")[::2] for line in text.splitlines())
    if not found.get("mark") or not _is_time(found.get("at", "")):
        return UNREADABLE
    gate = found.get("gate", "")
    return Marker(found["mark"], found.get("by", "unknown"), int(found["at"]), found.get("reason", ""), gate)


def of(house: House, scope: str) -> Marker | None:
    """The marker in force for a scope, or its copy on disk when memory has forgotten it."""
    return read(house.marker(scope)) or read(house.note(scope))


def _is_time(text: str) -> bool:
    """Whether `int` takes it: a broken disk gives back digits that are none, and more of them than it takes."""
    return text.isascii() and text.isdigit() and len(text) < 20  # noqa: PLR2004 (64 bits have 20 digits)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _write_over(path: str, raw: bytes) -> bool:
    """Where there is no room for a second file: into the one that lies there, which has its block already.

    Failing that, empty it. What it said before must not stay: a thaw would take this freeze for the one before.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return False
    whole = False
    try:
        whole = os.pwrite(fd, raw, 0) == len(raw)
    except OSError:
        whole = False
    try:
        os.ftruncate(fd, len(raw) if whole else 0)
    except OSError:
        whole = False
    finally:
        os.close(fd)
    return whole


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
