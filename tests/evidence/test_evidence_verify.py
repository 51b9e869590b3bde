"""What only somebody with a key, with the journal or with patience could do to a bundle is found, too."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Mistake
from guardian.evidence import Seal, custody, signing, verify, warc
from guardian.model import Entry
from guardian.rules import chain
from tests.evidence.building import NOW, exchange, filled, fresh, journal

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer


def resealed(bundle: Path, n: int, signer: Signer) -> None:
    """The list of seal n, written and signed anew over what lies there now: what a thief with a key does."""
    names = [line.split("  ")[1] for line in (bundle / f"SHA256SUMS.{n}").read_text().splitlines()]
    lines = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (bundle / f"SHA256SUMS.{n}").write_text("".join(lines))
    (bundle / f"SHA256SUMS.{n}.sig").write_bytes(signer.sign((bundle / f"SHA256SUMS.{n}").read_bytes()))


def named(path: Path, **options: object) -> set[str]:
    return {one.file for one in verify.verify(path, **options)}  # type: ignore[arg-type]


def test_a_seal_by_a_key_that_nobody_knows_is_found(root: Path, signer: Signer, tmp_path: Path) -> None:
    path = filled(root, signer).path
    thief = signing.make(tmp_path / "thief")
    resealed(path, 3, thief)
    assert named(path) == {"SHA256SUMS.3.sig"}


def test_a_bundle_that_a_stranger_made_whole_is_found_by_the_houses_own_list(
    root: Path, signer: Signer, tmp_path: Path
) -> None:
    path = filled(root, signing.make(tmp_path / "stranger")).path
    house = signing.known(signing.allowed_signers("guardian", signer.public))
    assert verify.verify(path) == []
    assert named(path, trusted=house) == {"SHA256SUMS.1.sig", "SHA256SUMS.2.sig", "SHA256SUMS.3.sig"}


def test_a_key_outside_of_its_dates_is_found(root: Path, signer: Signer) -> None:
    bundle = fresh(root)
    bundle.seal(signer, at=NOW, allowed=signing.allowed_signers("guardian", signer.public, None, NOW - 1000))
    (found,) = verify.verify(bundle.path)
    assert "did not count at that time" in found.what


def test_a_last_phase_that_was_removed_whole_is_found_by_what_the_journal_knows(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    known = bundle.seals()
    for name in ("SHA256SUMS.3", "SHA256SUMS.3.sig", "seal-3.json", "checks-3.jsonl", "custody-3.jsonl"):
        (bundle.path / name).unlink()
    assert verify.verify(bundle.path) == []
    assert named(bundle.path, sealed=known) == {"SHA256SUMS.3"}
    assert named(bundle.path, sealed=[Seal(1, "0" * 64)]) == {"SHA256SUMS.1"}


def test_a_record_that_is_missing_from_a_sealed_archive_is_counted(root: Path, signer: Signer) -> None:
    """The thief has the key, too: the number of records is in what seal 1 says of itself."""
    bundle = fresh(root)
    bundle.exchange(exchange())
    bundle.seal(signer, at=NOW)
    archive = bundle.path / "warc/post-1.warc.gz"
    whole = archive.read_bytes()
    archive.write_bytes(
        whole[: next(one.offset for one in warc.scanned(whole) if one.header("WARC-Type") == "request")]
    )
    resealed(bundle.path, 1, signer)
    (found,) = verify.verify(bundle.path)
    assert (found.file, "2 records" in found.what, "3 were sealed" in found.what) == ("warc/post-1.warc.gz", True, True)


def test_a_file_that_a_later_seal_covers_with_another_content_is_found(root: Path, signer: Signer) -> None:
    path = filled(root, signer).path
    (path / "api/before/status.json").write_bytes(b"{}")
    resealed(path, 3, signer)
    assert named(path) == {"api/before/status.json"}


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_journal_line_that_was_changed_in_the_extract_is_found_though_it_was_sealed_again(
    root: Path, signer: Signer, n: int
) -> None:
    bundle = fresh(root)
    custody.extract(bundle, journal(4))
    bundle.seal(signer, at=NOW)
    file = bundle.path / "custody-1.jsonl"
    lines = file.read_text().splitlines()
    lines[n] = lines[n].replace('"sealed"', '"viewed"')
    file.write_text("\n".join(lines) + "\n")
    resealed(bundle.path, 1, signer)
    (found,) = verify.verify(bundle.path)
    assert (found.file, f"line {n + 1}: its words were changed" in found.what) == ("custody-1.jsonl", True)


@pytest.mark.parametrize("kept", [(0, 1, 2), (0, 2, 3), (1, 2, 3), (3, 2, 1, 0)])
def test_a_cut_tail_a_cut_head_a_hole_and_another_order_are_found(
    root: Path, signer: Signer, kept: tuple[int, ...]
) -> None:
    bundle = fresh(root)
    custody.extract(bundle, journal(4))
    bundle.seal(signer, at=NOW)
    file = bundle.path / "custody-1.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*(lines[n] for n in kept), lines[4]]) + "\n")
    resealed(bundle.path, 1, signer)
    assert named(bundle.path) == {"custody-1.jsonl"}


def test_an_extract_of_lines_that_are_no_neighbours_is_right(root: Path, signer: Signer) -> None:
    bundle = fresh(root)
    lines = journal(9)
    custody.extract(bundle, [lines[1], lines[4], lines[5], lines[8]])
    custody.extract(bundle, lines[2:3])
    bundle.seal(signer, at=NOW)
    assert verify.verify(bundle.path) == []
    with pytest.raises(Mistake):
        custody.extract(bundle, [])


def test_a_journal_line_with_fractions_and_odd_letters_can_stand_in_an_extract(root: Path, signer: Signer) -> None:
    bundle = fresh(root)
    data: dict[str, object] = {
        "took": 0.25,
        "text": "\ud83d\ude00 \u202e é",
        "half": "\ud800",
        "large": 1 << 60,
        "é": [None],
    }
    sealed = chain.seal(seq=1, at=NOW, kind="x", who="y", data=data, prev=chain.START)
    custody.extract(bundle, [Entry(seq=1, at=NOW, kind="x", who="y", data=data, prev=chain.START, hash=sealed)])
    bundle.seal(signer, at=NOW)
    assert verify.verify(bundle.path) == []


def test_an_extract_that_ends_without_its_end_is_found(root: Path, signer: Signer) -> None:
    bundle = fresh(root)
    line = journal(1)[0]
    bundle.append("custody.jsonl", json.dumps({name: getattr(line, name) for name in line.__slots__}).encode())
    bundle.seal(signer, at=NOW)
    assert named(bundle.path) == {"custody-1.jsonl"}


def test_a_bundle_without_any_seal_says_so(root: Path) -> None:
    bundle = fresh(root)
    assert named(bundle.path) == {"SHA256SUMS.1", "bundle.json"}
    assert verify.gaps(bundle.path) == ["it was never sealed"]


def test_what_was_written_after_the_last_seal_is_a_gap_and_no_finding(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    bundle.append("checks.jsonl", b"{}")
    assert verify.verify(bundle.path) == []
    assert "checks-4.jsonl goes on after the last seal, and is not sealed yet" in verify.gaps(bundle.path)


def test_looking_changes_nothing(root: Path, signer: Signer, tmp_path: Path) -> None:
    path = filled(root, signer).path
    (path / "left.part").write_bytes(b"x")
    shutil.copytree(path, tmp_path / "before")
    assert named(path) == {"left.part"}
    for file in path.rglob("*"):
        assert file.is_dir() or file.read_bytes() == (tmp_path / "before" / file.relative_to(path)).read_bytes()


def test_a_directory_that_is_gone_is_a_finding_and_no_traceback(tmp_path: Path) -> None:
    assert named(tmp_path / "none") == {"none"}


@pytest.mark.parametrize("garbage", [b"", b"\0" * 100, b"[]", b"null", b'{"seal":1}', b"\xff\xfe", b"[" * 100_000])
def test_garbage_in_any_file_is_a_finding_and_no_traceback(root: Path, signer: Signer, garbage: bytes) -> None:
    path = filled(root, signer).path
    everything = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    for name in everything:
        (path / name).write_bytes(garbage)
    for name in ("tombstones-3.jsonl", "stamps-4.jsonl", "custody-4.jsonl", "warc/post-4.warc.gz", "checks-4.jsonl"):
        (path / name).write_bytes(garbage)
    assert named(path)
    verify.gaps(path)
