"""Looks at a file that was handed over: what it is and, if it is a picture, whether it can be seen. For any thread.

This process reads the first bytes alone; decoding is done by a child process (`decoder.py`) with little memory, little
time and an environment without secrets. Films and sounds are known by their first bytes and not looked into.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from guardian.errors import Doubt
from guardian.rules import magic

CHILD = "guardian.duties.decoder"
WITHIN = 30.0
WAIT_FOR_TURN = 120.0
MOST_SAID = 4096
FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}
_turn = threading.Lock()  # one child at a time: it may need most of a gibibyte


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Every frame of it was decoded; where `whole` is False, the first `frames` were. `after`: bytes after its end."""

    type: str
    width: int
    height: int
    frames: int
    whole: bool
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """A film or a sound, by its first bytes; nobody has looked at the rest."""

    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Nothing that could be published, and why: the words after *because*."""

    why: str


def look(fd: int) -> Picture | Unchecked | Unreadable:
    """What the file is that `fd` reads (a regular file, from its beginning). Raises Doubt when no turn comes."""
    head = os.pread(fd, magic.HEAD, 0)
    if not head:
        return Unreadable(why="it is empty")
    kind = magic.type_of(head)
    if kind is None:
        seems = magic.looks_like(head)
        return Unreadable(why=f"it is no picture, film or sound{f': it looks like {seems}' if seems else ''}")
    if kind in FORMATS:
        return _decoded(fd, kind)
    if kind.startswith("image/"):
        return Unreadable(why=f"it is {kind}, and only {', '.join(sorted(FORMATS))} can be looked at here")
    return Unchecked(type=kind)


def _decoded(fd: int, kind: str) -> Picture | Unreadable:
    if not _turn.acquire(timeout=WAIT_FOR_TURN):
        raise Doubt("cannot look at the picture, because too many others are being looked at", fix="try again")
    try:
        code, said = _child(fd, FORMATS[kind])
    finally:
        _turn.release()
    try:
        found = json.loads(said)
        if code == 0 and "why" in found:
            return Unreadable(why=str(found["why"]))
        if code == 0:
            return Picture(type=kind, **found)
    except (ValueError, TypeError):
        pass
    return Unreadable(why=f"it could not be read as a picture ({_ending(code)})")


def _child(fd: int, format_: str) -> tuple[int, bytes]:
    """How the child ended, and what it said; whatever it does, it is over within the limit."""
    tree = os.pathsep.join(os.path.abspath(place) for place in sys.path)  # noqa: PTH100 (text, for an environment)
    child = subprocess.Popen(  # noqa: S603 (ourselves)
        [sys.executable, "-P", "-s", "-B", "-m", CHILD, format_],
        stdin=fd,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PYTHONPATH": tree},  # and nothing else: an environment may hold secrets
    )
    with child:
        try:
            assert child.stdout is not None  # noqa: S101 (asked for above)
            said = _heard(child.stdout.fileno(), time.monotonic() + WITHIN)
            if said is None:
                child.kill()
            return child.wait(), said or b""
        finally:
            child.kill()


def _heard(fd: int, until: float) -> bytes | None:
    """All that is said before it ends; None when it takes too long or says too much."""
    found, poll = b"", select.poll()
    poll.register(fd, select.POLLIN)
    while len(found) <= MOST_SAID:
        if not poll.poll(max(until - time.monotonic(), 0) * 1000):
            return None
        chunk = os.read(fd, MOST_SAID)
        if not chunk:
            return found
        found += chunk
    return None


def _ending(code: int) -> str:
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return "that took too long"
    return f"its decoder ended with {code}"
