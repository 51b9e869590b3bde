"""What kind of file it is, by its first bytes and never by its name. Pure; reads nothing beyond what it is given."""

from __future__ import annotations

HEAD = 4096  # bytes that are enough to tell
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xfa", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_SOUND = frozenset({b"M4A ", b"M4B ", b"M4P "})
_WORDS = (
    ((b"<!doctype html", b"<html", b"<head", b"<body"), "a web page"),
    ((b"<?xml", b"<svg"), "XML or SVG"),
    ((b"%pdf-",), "a PDF"),
    ((b"pk\x03\x04",), "a ZIP file or an office document"),
    ((b"bm",), "a BMP picture"),
    ((b"ii*\0", b"mm\0*"), "a TIFF picture"),
    ((b"8bps",), "a Photoshop file"),
)


def type_of(head: bytes) -> str | None:
    """The media type of a picture, film or sound that begins with these bytes; None for everything else."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska" if b"matroska" in head[:64] else None
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:128] else "audio/ogg"
    return next((found for beginning, found in _BEGINNINGS if head.startswith(beginning)), None)


def looks_like(head: bytes) -> str:
    """What else it seems to be, in words for a person; empty when that cannot be told."""
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((words for beginnings, words in _WORDS if begins.startswith(beginnings)), "")


def _by_brand(head: bytes) -> str:
    """ISO media files say what they are in a list of four letters each."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, length - 3, 4))]
    major = brands[0]
    if _AVIF.intersection(brands):
        return "image/avif"
    if major in _HEIF:
        return "image/heic"
    if major in _SOUND:
        return "audio/mp4"
    if major == b"qt  ":
        return "video/quicktime"
    return "video/3gpp" if major.startswith(b"3gp") else "video/mp4"
