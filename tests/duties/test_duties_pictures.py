"""What is looked at before it may be published: a picture that cannot be seen is refused, and harms nobody."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import zlib
from typing import TYPE_CHECKING

import pytest

from guardian.duties import pictures
from guardian.duties.picture_ends import end_of
from guardian.duties.pictures import Picture, Unchecked, Unreadable, look
from tests.duties import darkroom

if TYPE_CHECKING:
    from pathlib import Path

CUT = "it is cut off or damaged"


def seen(data: bytes) -> Picture | Unchecked | Unreadable:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return look(file.fileno())


@pytest.mark.parametrize("name", darkroom.FORMATS)
def test_a_whole_picture_is_what_its_bytes_say(name: str) -> None:
    assert seen(darkroom.picture(name)) == Picture(
        type=darkroom.TYPES[name], width=320, height=200, frames=1, whole=True, after=0
    )


@pytest.mark.parametrize("name", darkroom.FORMATS)
@pytest.mark.parametrize("share", [0.99, 0.5, 0.1])
def test_a_picture_cut_off_is_refused(name: str, share: float) -> None:
    data = darkroom.picture(name)
    assert seen(data[: int(len(data) * share)]) == Unreadable(why=CUT)


@pytest.mark.parametrize("name", darkroom.FORMATS)
def test_a_picture_that_lacks_its_last_byte_is_refused(name: str) -> None:
    assert seen(darkroom.picture(name)[:-1]) == Unreadable(why=CUT)


@pytest.mark.parametrize("name", darkroom.MOVING)
def test_every_frame_of_a_moving_picture_is_looked_at(name: str) -> None:
    data = darkroom.film(name)
    found = seen(data)
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.frames, found.whole) == (120, 80, 5, True)
    assert isinstance(seen(data[: len(data) * 9 // 10]), Unreadable)


@pytest.mark.parametrize("name", darkroom.FORMATS)
def test_bytes_after_the_end_are_counted(name: str) -> None:
    found = seen(darkroom.picture(name) + b"and a secret")
    assert isinstance(found, Picture)
    assert found.after == 12


@pytest.mark.parametrize(("name", "given"), darkroom.varieties().items())
def test_what_is_out_there_and_fine_is_taken(name: str, given: tuple[str, bytes]) -> None:
    found = seen(given[1])
    assert isinstance(found, Picture), (name, found)
    assert (found.type, found.width, found.height) == (given[0], 64, 48)


def test_a_picture_of_144_megapixels_is_refused_before_it_is_unpacked() -> None:
    assert seen(darkroom.bomb()) == Unreadable(why="it has more than 40000000 pixels")


def test_more_text_than_a_picture_may_unpack_is_refused() -> None:
    data = darkroom.picture("PNG")
    text = darkroom.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 << 20)))
    found = seen(data[:33] + text + data[33:])
    assert isinstance(found, Unreadable)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><p>404", "it is no picture, film or sound: it looks like a web page"),
        (b"no picture at all", "it is no picture, film or sound"),
        (b"\0" * 1000, "it is no picture, film or sound"),
        (b"\xff\xd8\xff\xe0", CUT),
        (b"\x89PNG\r\n\x1a\n" + b"\1" * 500, CUT),
        (b"GIF89a", CUT),
    ],
)
def test_what_is_no_picture_is_refused_for_what_it_is(data: bytes, why: str) -> None:
    assert seen(data) == Unreadable(why=why)


def test_a_kind_that_cannot_be_looked_at_here_is_named() -> None:
    found = seen(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert isinstance(found, Unreadable)
    assert found.why.startswith("it is image/heic, and only image/avif, image/gif, image/jpeg")


@pytest.mark.parametrize(
    ("data", "kind"), [(darkroom.mp4(), "video/mp4"), (b"ID3\4", "audio/mpeg"), (b"OggS\0\2", "audio/ogg")]
)
def test_films_and_sounds_are_taken_by_their_first_bytes_and_not_looked_into(data: bytes, kind: str) -> None:
    assert seen(data) == Unchecked(type=kind)


def test_a_pixel_that_rotted_inside_of_a_png_is_found() -> None:
    data = bytearray(darkroom.picture("PNG"))
    data[len(data) // 2] ^= 1
    assert seen(bytes(data)) == Unreadable(why=CUT)


def test_a_hundred_damaged_pictures_end_in_a_verdict_and_nothing_else() -> None:
    dice = random.Random(7)  # noqa: S311 (chance, not secrecy)
    for number in range(100):
        data = bytearray(darkroom.picture(darkroom.FORMATS[number % 5], width=48, height=32))
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(16, len(data))] = dice.randrange(256)
        found = seen(bytes(data))
        assert isinstance(found, Picture | Unreadable), found
        assert "Too many open files" not in str(found)  # something that Pillow imports late: see `decoder.py`


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_where_a_picture_ends_is_found_in_any_rubbish_without_hanging(name: str) -> None:
    dice = random.Random(name)  # noqa: S311 (chance, not secrecy)
    whole = darkroom.picture(name, width=48, height=32)
    for _ in range(2000):
        data = bytearray(whole[: dice.randrange(len(whole))])
        for _ in range(dice.randint(0, 4)):
            if data:
                data[dice.randrange(len(data))] = dice.choice((0, 1, 0x21, 0x2C, 0x3B, 0xFF, dice.randrange(256)))
        end = end_of(name, bytes(data))
        assert end is None or 0 < end <= len(data)


HOSTILE = {
    "kills itself": (f"os.kill(os.getpid(), {signal.SIGSEGV})", "its decoder ended with -11"),
    "runs for ever": ("\nwhile True: pass", "that took too long"),
    "eats memory": ("bytearray(4 << 30)", "its decoder ended with 1"),
    "talks without end": ("\nwhile True: print('x' * 1000)", "that took too long"),
    "says nonsense": ("print('nonsense')", "its decoder ended with 0"),
    "says half": ("print('{\"width\": 1}')", "its decoder ended with 0"),
    "says nothing": ("", "its decoder ended with 0"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_decoder_that_breaks_hangs_or_lies_is_a_picture_that_could_not_be_read(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child is another program here: what a broken library could make of ours."""
    deed, why = HOSTILE[how]
    program = f"import os, resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n{deed}\n"
    (tmp_path / "another_decoder.py").write_text(program)
    monkeypatch.setattr(pictures, "CHILD", "another_decoder")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(pictures, "WITHIN", 1.0)
    assert seen(darkroom.picture("PNG")) == Unreadable(why=f"it could not be read as a picture ({why})")


SPIES = """
import json, os, resource, socket, sys
from guardian.duties import decoder
decoder.confine()
decoder._prepared()
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
found = []
for deed in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: os.write(1, b"")):
    try:
        deed()
        found.append("done")
    except OSError as error:
        found.append(error.errno)
print(json.dumps({"why": json.dumps([found, sorted(os.environ)])}))
"""


def test_the_child_can_open_nothing_and_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a secret")
    (tmp_path / "spying_decoder.py").write_text(SPIES)
    monkeypatch.setattr(pictures, "CHILD", "spying_decoder")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = seen(darkroom.picture("PNG"))
    assert isinstance(found, Unreadable)
    assert found.why.startswith("[[24, 24, ")
    assert "TOKEN" not in found.why
    assert os.environ["TOKEN"] == "a secret"
