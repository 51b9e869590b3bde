"""How long a film lasts, by its own header (MP4: `moov`, `mvhd`). Pure; any thread. No byte of it is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = 8
MOST_BOXES = 1000
LONG_FORM = 1  # of the size of a box, and of the header's times


def seconds(data: bytes) -> float | None:
    """None: it does not say, in a way that can be understood."""
    film = memoryview(data)
    for name, box in _boxes(film):
        if name != b"moov":
            continue
        for inner, header in _boxes(box):
            if inner == b"mvhd":
                return _lasts(bytes(header[:40]))
    return None


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each, in order; ends where the sizes make no sense."""
    at = 0
    for _ in range(MOST_BOXES):
        if len(data) - at < HEAD:
            return
        size, name, head = _number(data[at : at + 4]), bytes(data[at + 4 : at + 8]), HEAD
        if size == LONG_FORM:
            size, head = _number(data[at + 8 : at + 16]), 2 * HEAD
        end = len(data) if size == 0 else at + size
        if not at + head <= end <= len(data):
            return
        yield name, data[at + head : end]
        at = end


def _lasts(header: bytes) -> float | None:
    width = 8 if header[:1] == bytes([LONG_FORM]) else 4
    at = 4 + 2 * width  # behind the version, and when it was made and changed
    scale, length = _number(header[at : at + 4]), header[at + 4 : at + 4 + width]
    unknown = length == b"\xff" * width
    return None if scale == 0 or unknown or len(length) < width else _number(length) / scale


def _number(data: bytes | memoryview) -> int:
    return int.from_bytes(data, "big")
