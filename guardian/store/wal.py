"""The log beside the database: does it still hold everything that was acknowledged? Reads, and changes no byte.

SQLite takes a log that was cut off, or that has garbage in its middle, for one that ends there, and silently forgets
the rest. But the index beside it (`-shm`, which a crash of the daemon leaves behind) says how many frames were
committed and what their checksum is, and it says so only after they were on the disk. After a power cut the index may
be old, so it is believed as a lower bound only; whatever comes after that bound is SQLite's own business.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAGIC = 0x377F0682
HEADER, FRAME = 32, 24
INDEX = struct.Struct("=IIIBBHIIIIIIII")
WORD = 0xFFFFFFFF
SECONDS = 10.0


class Committed(NamedTuple):
    """What the index knows: so many frames, under these salts, ending in this checksum."""

    frames: int
    salts: bytes
    checksum: tuple[int, int]


def missing(database: Path) -> str:
    """What of the acknowledged changes the log has lost, in words; empty when nothing is known to be lost.

    Looks for a limited time: a huge log is believed after that.
    """
    log, known = beside(database, "wal"), _committed(beside(database, "shm"))
    if not log.exists() or not log.stat().st_size:
        return "its log is gone, with changes that are not in the file" if known else ""
    with log.open("rb") as file:
        head = file.read(HEADER)
        if len(head) < HEADER or not _good_header(head):
            return "its log does not begin like one"
        if known is None or known.salts != head[16:24]:
            return ""
        held = (log.stat().st_size - HEADER) // (FRAME + int.from_bytes(head[8:12], "big"))
        if held < known.frames:
            return f"its log is cut off: {known.frames} pages were written to it, {held} are there"
        return _lost(head, file, known)


def beside(database: Path, what: str) -> Path:
    """The log (`wal`) or its index (`shm`)."""
    return database.with_name(f"{database.name}-{what}")


def _committed(index: Path) -> Committed | None:
    """What the index says that must be in the log; None when it says nothing that can be relied on."""
    try:
        with index.open("rb") as file:
            head = file.read(2 * INDEX.size + 4)
    except FileNotFoundError:
        return None
    first, second = head[: INDEX.size], head[INDEX.size : 2 * INDEX.size]
    if (
        len(head) < 2 * INDEX.size + 4
        or first != second
        or struct.unpack("=II", first[40:]) != _sum(struct.unpack("=10I", first[:40]), (0, 0))
    ):
        return None
    found = INDEX.unpack(first)
    frames, back_in_the_file = found[6], struct.unpack("=I", head[2 * INDEX.size :])[0]
    if back_in_the_file >= frames:
        return None
    return Committed(frames, first[32:40], (found[8], found[9]))


def _good_header(head: bytes) -> bool:
    words = struct.unpack(f"{_order(head)}8I", head)
    return int.from_bytes(head[:4], "big") & ~1 == MAGIC and _sum(words[:6], (0, 0)) == struct.unpack(">II", head[24:])


def _order(head: bytes) -> str:
    """In which order of bytes the checksums of this log are taken: the magic number's last bit says it."""
    return ">" if head[3] & 1 else "<"


def _lost(head: bytes, frames: BinaryIO, known: Committed) -> str:
    """Follow the frames up to the last one that was committed."""
    page = int.from_bytes(head[8:12], "big")
    words, until = struct.Struct(f"{_order(head)}{2 + page // 4}I"), time.monotonic() + SECONDS
    checksum = struct.unpack(">II", head[24:])
    for number in range(known.frames):
        frame = frames.read(FRAME + page)
        checksum = _sum(words.unpack(frame[:8] + frame[FRAME:]), checksum)
        if frame[8:16] != known.salts or struct.unpack(">II", frame[16:FRAME]) != checksum:
            return f"its log is damaged at page {number + 1} of {known.frames}"
        if time.monotonic() > until:
            return ""
    return "" if checksum == known.checksum else "its log is not the one that its index tells of"


def _sum(words: Iterable[int], start: tuple[int, ...]) -> tuple[int, int]:
    """SQLite's running checksum."""
    first, second = start
    numbers = iter(words)
    for one, two in zip(numbers, numbers, strict=True):
        first = (first + one + second) & WORD
        second = (second + two + first) & WORD
    return first, second
