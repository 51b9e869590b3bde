"""Pictures for tests: whole ones of every format, made by Pillow, and what people and disks make of them."""

from __future__ import annotations

import functools
import io
import struct
import zlib

from PIL import Image

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
MOVING = ("GIF", "WEBP", "PNG", "AVIF")
TYPES = {name: f"image/{name.lower()}" for name in FORMATS}


@functools.cache
def picture(format_: str, *, width: int = 320, height: int = 200, **how: object) -> bytes:
    """Noise, so that a cut in the middle takes pixels away."""
    return _saved(Image.effect_noise((width, height), 80).convert("RGB"), format_, **how)


@functools.cache
def film(format_: str, frames: int = 5) -> bytes:
    """A picture that moves."""
    first, *others = (Image.effect_noise((120, 80), 20 + 10 * number).convert("RGB") for number in range(frames))
    return _saved(first, format_, save_all=True, append_images=others, duration=100)


def bomb() -> bytes:
    """144 megapixels of nothing in 17 KB."""
    return _saved(Image.new("1", (12_000, 12_000)), "PNG")


def mp4(size: int = 4096) -> bytes:
    """What begins like a film; nobody looks into it."""
    return b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + bytes(size - 24)


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def varieties() -> dict[str, tuple[str, bytes]]:
    """What else is out there and fine: by a name, the type and the bytes."""
    noise = Image.effect_noise((64, 48), 80)
    rgb = noise.convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    exif[0x0112] = 6
    palette = rgb.quantize(16)
    frames = [rgb.quantize(8 + number) for number in range(4)]
    return {
        "progressive JPEG": ("image/jpeg", _saved(rgb, "JPEG", progressive=True)),
        "CMYK JPEG": ("image/jpeg", _saved(rgb.convert("CMYK"), "JPEG")),
        "grey JPEG with EXIF": ("image/jpeg", _saved(noise, "JPEG", exif=exif)),
        "PNG with a palette": ("image/png", _saved(palette, "PNG", transparency=3)),
        "PNG of 16 bits": ("image/png", _saved(noise.convert("I;16"), "PNG")),
        "PNG of one bit": ("image/png", _saved(noise.convert("1"), "PNG")),
        "PNG with EXIF and alpha": ("image/png", _saved(rgb.convert("RGBA"), "PNG", exif=exif)),
        "GIF with disposal": (
            "image/gif",
            _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2, transparency=0, loop=0),
        ),
        "interlaced GIF": ("image/gif", _saved(palette, "GIF", interlace=1, comment=b"a cat; \x3b and \x2c")),
        "lossless WebP": ("image/webp", _saved(rgb.convert("RGBA"), "WEBP", lossless=True, exif=exif.tobytes())),
        "AVIF with alpha": ("image/avif", _saved(rgb.convert("RGBA"), "AVIF")),
    }


def _saved(image: Image.Image, format_: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **how)
    return file.getvalue()
