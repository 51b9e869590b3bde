"""Whatever is done to whichever file of a bundle is found, and the file is named: each file, each kind of deed."""

from __future__ import annotations

import functools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.evidence import verify
from tests.evidence.building import filled

if TYPE_CHECKING:
    from guardian.evidence.signing import Signer
    from tests.evidence.authority import Authority


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, signer: Signer, authority: Authority) -> Path:
    return filled(tmp_path_factory.mktemp("mutations"), signer, authority=authority).path


def files_of(bundle: Path) -> list[str]:
    return sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file())


def flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def cut(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size))


def cut_last_byte(path: Path, _: random.Random) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def lengthen(path: Path, _: random.Random) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def remove(path: Path, _: random.Random) -> None:
    path.unlink()


def rename(path: Path, _: random.Random) -> None:
    path.rename(path.with_name("renamed-" + path.name))


def link(path: Path, _: random.Random) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def directory(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path, _: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


Deed = Callable[[Path, random.Random], None]
DEEDS: list[Deed] = [flip, flip, flip, flip, cut, cut_last_byte, empty, lengthen, remove, rename, link, directory, pipe]


def _done_to(name: str, deed: Deed, dice: random.Random, copy: Path) -> None:
    deed(copy / name, dice)


def found_after(original: Path, tmp_path: Path, deed: Callable[[Path], None]) -> list[verify.Finding]:
    copy = tmp_path / "copy" / original.name
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(original, copy)
    deed(copy)
    return verify.verify(copy, ask_openssl=False)  # without it, more has to be seen by ourselves


def test_a_bundle_that_nobody_touched_is_whole(original: Path) -> None:
    assert verify.verify(original) == []
    assert len(files_of(original)) > 30


@pytest.mark.parametrize("deed", dict.fromkeys(DEEDS), ids=lambda one: str(one.__name__))
def test_any_deed_to_any_file_is_found_and_the_file_is_named(original: Path, tmp_path: Path, deed: Deed) -> None:
    dice = random.Random(20261125)  # noqa: S311 (chance, not secrecy)
    missed = []
    for name in files_of(original):
        for _ in range(DEEDS.count(deed)):
            found = found_after(original, tmp_path, functools.partial(_done_to, name, deed, dice))
            if not any(one.file == name or one.file.startswith(name + ".") for one in found):
                missed.append((name, found))
    assert missed == []


def test_every_byte_of_a_small_signature_and_list_counts(original: Path, tmp_path: Path) -> None:
    name = "SHA256SUMS.3.sig"
    for place in range((original / name).stat().st_size):

        def deed(copy: Path, place: int = place) -> None:
            data = bytearray((copy / name).read_bytes())
            data[place] ^= 1
            (copy / name).write_bytes(data)

        assert any(one.file == name for one in found_after(original, tmp_path, deed)), place


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 3), (1, 3)])
def test_swapped_seals_are_found(original: Path, tmp_path: Path, one: int, other: int) -> None:
    def deed(copy: Path) -> None:
        for end in ("", ".sig"):
            first, second = (copy / f"SHA256SUMS.{n}{end}" for n in (one, other))
            kept = first.read_bytes()
            first.write_bytes(second.read_bytes())
            second.write_bytes(kept)

    found = {finding.file for finding in found_after(original, tmp_path, deed)}
    assert {f"SHA256SUMS.{one}"} <= found


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_seal_that_was_removed_with_its_signature_is_found(original: Path, tmp_path: Path, n: int) -> None:
    def deed(copy: Path) -> None:
        for path in copy.glob(f"SHA256SUMS.{n}*"):
            path.unlink()

    found = found_after(original, tmp_path, deed)
    assert any(f"SHA256SUMS.{n}" in finding.file or f"-{n}." in finding.file for finding in found)


def test_a_file_that_was_put_in_is_named(original: Path, tmp_path: Path) -> None:
    for name in (
        "media/02.jpg",
        "extra",
        "keys/allowed_signers-9",
        "warc/other.warc.gz",
        "checks-9.jsonl",
        "a/b/c/d.txt",
    ):

        def deed(copy: Path, name: str = name) -> None:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(b"{}\n")

        assert [one.file for one in found_after(original, tmp_path, deed)] == [name]
