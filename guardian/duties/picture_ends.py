"""Where a picture ends by its own structure, so that one that was cut is known, and what comes after it as well.

Decoders are too kind for that: they make up what is missing at the end, and do not look at what follows. Read in the
child process of `pictures.py` alone, from a file that is mapped into memory.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    Data = bytes | mmap

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # what ends the coded pixels of a JPEG
_MARK, _END, _SCAN = 0xFF, 0xD9, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers of a JPEG without a length


def end_of(kind: str, data: Data) -> int | None:
    """The place after the last byte of the picture; None when it was cut or is damaged."""
    try:
        end = _READERS[kind](data)
    except IndexError:
        return None
    return end if end is not None and end <= len(data) else None


def _jpeg(data: Data) -> int | None:
    place = 2
    while True:
        place = data.find(b"\xff", place)
        if place < 0:
            return None
        while data[place] == _MARK:
            place += 1
        marker = data[place]
        place += 1
        if marker == _END:
            return place
        if marker in _ALONE or marker == 0:
            continue
        place += _number(data, place, 2)
        if marker == _SCAN:
            found = _MARKER.search(data, place)
            if found is None:
                return None
            place = found.start()


def _png(data: Data) -> int | None:
    place = 8
    while True:
        length, name = _number(data, place, 4), data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            return None
        if (name[:1].isupper() or name == b"fdAT") and zlib.crc32(data[place + 4 : end - 4]) != _number(
            data, end - 4, 4
        ):
            return None
        if name == b"IEND":
            return end
        place = end


def _gif(data: Data) -> int | None:
    place = 13 + _colours(data[10])
    while True:
        kind = data[place]
        if kind == 0x3B:  # noqa: PLR2004 (the trailer)
            return place + 1
        if kind == 0x21:  # noqa: PLR2004 (an extension)
            place += 2
        elif kind == 0x2C:  # noqa: PLR2004 (a picture)
            place += 11 + _colours(data[place + 9])
        else:
            return None
        while data[place]:
            place += data[place] + 1
        place += 1


def _colours(flags: int) -> int:
    """Bytes of a GIF's colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: Data) -> int | None:
    length = int.from_bytes(data[4:8], "little")
    return 8 + length + (length & 1)


def _avif(data: Data) -> int | None:
    place = 0
    while place < len(data):
        name = data[place + 4 : place + 8]
        if place and not (len(name) == 4 and name.isalnum()):  # noqa: PLR2004 (no box: something else begins here)
            return place
        length = _number(data, place, 4)
        if length == 1:
            length = _number(data, place + 8, 8)
        elif length == 0:
            return len(data)
        if length < 8:  # noqa: PLR2004 (a box is no smaller than its head)
            return None
        place += length
    return place or None


def _number(data: Data, place: int, width: int) -> int:
    found = data[place : place + width]
    if len(found) < width:
        raise IndexError
    return int.from_bytes(found, "big")


_READERS: dict[str, Callable[[Data], int | None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "AVIF": _avif,
}
