"""A picture that shows nothing is called blank, and no other one is."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guardian.rules.blankness import is_blank


def png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize("colour", ["#ffffff", "#000000", "#12345678"])
def test_one_colour_from_corner_to_corner_is_blank(colour: str) -> None:
    mode = "RGBA" if len(colour) == len("#12345678") else "RGB"
    assert is_blank(png(Image.new(mode, (70, 40), colour)))


@given(st.tuples(st.integers(0, 69), st.integers(0, 39)), st.sampled_from(["#ffffff", "#000000", "#123456"]))
def test_one_pixel_of_another_colour_is_something(at: tuple[int, int], colour: str) -> None:
    image = Image.new("RGB", (70, 40), colour)
    image.putpixel(at, (200, 10, 20))
    assert not is_blank(png(image))


@pytest.mark.parametrize("turn", [0, 90])
def test_stripes_and_gradients_are_something(turn: int) -> None:
    assert not is_blank(png(Image.linear_gradient("L").convert("RGB").rotate(turn)))
    half = Image.new("RGB", (70, 40), "white")
    half.paste(Image.new("RGB", (70, 20), "black"), (0, 20))
    assert not is_blank(png(half.rotate(turn, expand=True)))


@pytest.mark.parametrize(("kind", "blank"), [(0, True), (1, False), (2, True), (3, False), (4, True)])
def test_rows_are_read_as_their_filter_says(kind: int, blank: bool) -> None:
    """A white row, then one that is white, or black where zeros after SUB mean black."""
    rows = b"\0" + b"\xff" * 9 + bytes([kind]) + (b"\xff" * 9 if kind == 0 else bytes(9))
    head = struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    made = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    assert is_blank(b"\x89PNG\r\n\x1a\n" + made) is blank


@given(st.binary(max_size=200), st.integers(0, 200))
def test_what_is_no_whole_picture_is_not_called_blank(noise: bytes, cut: int) -> None:
    assert not is_blank(noise)
    assert not is_blank(png(Image.new("RGB", (700, 400)))[: min(cut, 60)] + noise)
