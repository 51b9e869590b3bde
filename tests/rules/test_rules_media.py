"""What a platform would refuse of the files of a post, said when it is entered; and what kind of file a file is."""

from __future__ import annotations

import pytest

from guardian.model import Media, MediaLimits
from guardian.rules.magic import looks_like, type_of
from guardian.rules.media import problems

LIMITS = MediaLimits(types=frozenset({"image/jpeg", "image/png", "video/mp4"}), pixels=100, alt_characters=5)


def media(name: str = "a", **more: object) -> Media:
    given: dict[str, object] = {"type": "image/jpeg", "size": 10, **more}
    return Media(sha256=name * 64, **given)  # type: ignore[arg-type]


def said(*given: Media, limits: MediaLimits = LIMITS) -> list[tuple[str, str]]:
    return [(one.field, one.message) for one in problems(given, limits=limits)]


def test_what_a_platform_takes_is_no_problem() -> None:
    assert said() == []
    assert said(*(media(name, alt="12345", width=10, height=10) for name in "abcd")) == []
    assert said(media(type="video/mp4", size=(99 << 20) - 1)) == []
    assert said(media(type="image/tiff"), limits=MediaLimits()) == []


def test_every_problem_is_named_with_the_file_that_has_it() -> None:
    found = said(
        media("a", alt="123456"),
        media("b", type="image/bmp"),
        media("c", size=16 << 20),
        media("d", width=11, height=10),
        media("e", type="image/png"),
    )
    assert found == [
        ("media", "it has 5 files, and 4 are allowed"),
        ("media1_alt", "its alt text has 6 characters, and 5 are allowed"),
        ("media2", "it is image/bmp, and allowed are image/jpeg, image/png, video/mp4"),
        ("media3", "it has 16777216 bytes, and fewer than 16777216 are allowed"),
        ("media4", "it has 11 x 10 pixels, and 100 in all are allowed"),
    ]


def test_a_film_goes_alone() -> None:
    mixed = ("media", "it has a film or a sound beside other files, and one of those goes alone")
    assert said(media("a"), media("b", type="video/mp4")) == [mixed]
    assert said(media("a", type="video/mp4"), media("b", type="video/mp4")) == [mixed]
    assert said(media("a", type="audio/ogg"), media("b"), limits=MediaLimits()) == [mixed]


def test_a_film_may_be_larger_than_a_picture_but_not_endless() -> None:
    assert said(media(type="video/mp4", size=17 << 20)) == []
    assert said(media(type="video/mp4", size=100 << 20)) == [
        ("media1", f"it has {100 << 20} bytes, and fewer than {99 << 20} are allowed")
    ]


def test_the_same_picture_twice_in_one_post_is_a_slip() -> None:
    assert said(media("a"), media("a")) == [("media", "it shows the same file twice")]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"GIF89a\1\0\1\0", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x10\0\0\0ACONanih", None),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "image/avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp41", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom", "audio/mp4"),
        (b"\0\0\0\x18ftyp3gp5\0\0\0\0isom", "video/3gpp"),
        (b"\0\0\0\x08ftyp", "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\x82\x88matroska", "video/x-matroska"),
        (b"\x1a\x45\xdf\xa3\x9f", None),
        (b"OggS\0\2" + b"\0" * 22 + b"\1vorbis", "audio/ogg"),
        (b"OggS\0\2" + b"\0" * 22 + b"\x80theora", "video/ogg"),
        (b"ID3\4\0", "audio/mpeg"),
        (b"\xff\xfb\x90d", "audio/mpeg"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"", None),
        (b"\xff\xd8", None),
        (b"<!DOCTYPE html>", None),
        (b"GIF90a", None),
        (b"hello, this is no picture", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, kind: str | None) -> None:
    assert type_of(head) == kind


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\xef\xbb\xbf\n <!DOCTYPE HTML><html>", "a web page"),
        (b"<svg xmlns=", "XML or SVG"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\3\4", "a ZIP file or an office document"),
        (b"BM\x36", "a BMP picture"),
        (b"II*\0", "a TIFF picture"),
        (b"something else", ""),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_seems_to_be(head: bytes, words: str) -> None:
    assert looks_like(head) == words
