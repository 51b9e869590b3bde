"""Whether a picture (PNG) shows nothing at all: one colour from corner to corner. Pure.

Of a picture that a browser took of a page: no library is loaded for it, and what is no plain PNG is not called blank.
"""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BYTES_OF = {2: 3, 6: 4}  # of a pixel, by the kind of colour: RGB, RGBA
EIGHT_BITS = 8
MOST = 64 << 20  # bytes of pixels
NONE, SUB, UP, PAETH = 0, 1, 2, 4


def is_blank(png: bytes) -> bool:
    """Whether all its pixels are the same. False for anything that cannot be read."""
    try:
        return _is_blank(png)
    except (struct.error, zlib.error, KeyError, IndexError):
        return False


def _is_blank(png: bytes) -> bool:
    wide, high, depth, colour, interlaced = _head(png)
    pixel = BYTES_OF[colour]
    row = 1 + wide * pixel
    if depth != EIGHT_BITS or interlaced or not wide or not high or row * high > MOST:
        return False
    data = zlib.decompressobj().decompress(_packed(png), row * high)
    first: bytes | None = None
    for at in range(0, row * high, row):
        kind, own = data[at], data[at + 1 : at + row]
        known = own[:pixel] if first is None else first
        if kind == UP:
            same = first is not None and not own.strip(b"\0")
        elif kind == NONE:
            same = own == known * wide
        else:  # of a row in one colour SUB leaves the first pixel; PAETH that of the first row; nobody writes AVERAGE
            left = bytes(pixel) if kind == PAETH and first is not None else known
            same = kind in (SUB, PAETH) and own[:pixel] == left and not own[pixel:].strip(b"\0")
        first = known
        if not same or len(own) != row - 1:
            return False
    return True


def _head(png: bytes) -> tuple[int, int, int, int, int]:
    if not png.startswith(SIGNATURE):
        raise KeyError("no PNG")
    wide, high, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", png, len(SIGNATURE) + 8)
    return wide, high, depth, colour, interlaced


def _packed(png: bytes) -> bytes:
    """What its IDAT chunks hold, together."""
    at, found = len(SIGNATURE), []
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            found.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(found)
