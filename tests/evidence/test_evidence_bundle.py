"""A bundle on the disk: private, never overwritten, whole after a crash at any moment, no path of a platform's."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import DiskFull, Illegal, Mistake, Refusal, Unfound
from guardian.evidence import Bundle, canonical, erasure, files, names, signing, tombstones, verify, warc
from tests.evidence.building import NOW, PICTURE, exchange, filled, fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.evidence.signing import Signer

HERE = Path(__file__).resolve().parents[2]


def test_a_hostile_id_becomes_no_path(root: Path) -> None:
    bundle = fresh(root, platform="../../etc", platform_id="../../../passwd\n\u202e%00/" + "x" * 500)
    assert bundle.path.parent == root
    assert names.is_bundle(bundle.name)
    assert bundle.about()["platform_id"] == "../../../passwd\n\u202e%00/" + "x" * 500


def test_two_bundles_of_one_post_at_one_time_are_two(root: Path) -> None:
    assert len({fresh(root).name for _ in range(5)}) == 5


def test_nobody_else_can_read_any_of_it(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    for path in [bundle.path, *bundle.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    "name",
    [
        "../x", "/etc/x", "a/../x", "a//x", "a/b/c/d", "", ".", "..", "a/", "x.part", "SHA256SUMS.9", "HOLD", ".hidden",
        "a b", "a\nb", "a\0b", "ä", "-rf", "checks-1.jsonl", "checks.jsonl", "warc/post-1.warc.gz", "x" * 101, "a\\b",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_belongs_to_the_bundle_is_refused(root: Path, name: str) -> None:
    bundle = fresh(root)
    before = files.listed(root)
    with pytest.raises(Mistake):
        bundle.add(name, b"x")
    assert files.listed(root) == before


def test_nothing_is_ever_overwritten(root: Path) -> None:
    bundle = fresh(root)
    bundle.add("api/before/status.json", b"first")
    with pytest.raises(Refusal, match="one already"):
        bundle.add("api/before/status.json", b"second")
    assert (bundle.path / "api/before/status.json").read_bytes() == b"first"


def test_a_link_that_somebody_planted_is_not_followed(root: Path, tmp_path: Path) -> None:
    bundle = fresh(root)
    target = tmp_path / "target"
    (bundle.path / "checks-1.jsonl").symlink_to(target)
    with pytest.raises(Refusal):
        bundle.append("checks.jsonl", b"{}")
    assert not target.exists()


def test_only_one_line_is_appended_at_a_time(root: Path) -> None:
    bundle = fresh(root)
    with pytest.raises(Refusal):
        bundle.append("checks.jsonl", b"{}\n{}")
    with pytest.raises(Mistake):
        bundle.append("other.jsonl", b"{}")


def test_what_grows_after_a_seal_grows_in_another_file(root: Path, signer: Signer) -> None:
    bundle = fresh(root)
    bundle.append("checks.jsonl", b"1")
    first = bundle.seal(signer, at=NOW)
    kept = (bundle.path / "checks-1.jsonl").read_bytes()
    bundle.append("checks.jsonl", b"2")
    bundle.exchange(exchange())
    second = bundle.seal(signer, at=NOW + 1)
    assert (first.n, second.n) == (1, 2)
    assert (bundle.path / "checks-1.jsonl").read_bytes() == kept
    assert (bundle.path / "checks-2.jsonl").read_bytes() == b"2\n"
    assert bundle.seals() == (first, second)
    assert verify.verify(bundle.path) == []


def test_a_list_of_signers_without_the_key_that_seals_is_refused(root: Path, signer: Signer, tmp_path: Path) -> None:
    other = signing.make(tmp_path / "other")
    with pytest.raises(Illegal):
        fresh(root).seal(signer, at=NOW, allowed=signing.allowed_signers("guardian", other.public))


def test_a_bundle_that_is_opened_again_goes_on_where_it_was(root: Path, signer: Signer) -> None:
    path = filled(root, signer).path
    bundle = Bundle.open(path)
    assert (bundle.phase, bundle.mended) == (4, ())
    bundle.exchange(exchange())
    bundle = Bundle.open(path)  # in the middle of a phase
    bundle.exchange(exchange())
    bundle.append("checks.jsonl", b"{}")
    bundle.seal(signer, at=NOW + 5000)
    assert verify.verify(path) == []


def test_what_is_no_bundle_is_not_opened(root: Path) -> None:
    with pytest.raises(Unfound):
        Bundle.open(root / "ev-none")


def test_a_sealed_file_that_was_changed_is_not_sealed_anew_as_if_it_were_right(root: Path, signer: Signer) -> None:
    path = filled(root, signer).path
    (path / "media/01-abcdef01.jpg").write_bytes(b"another")
    Bundle.open(path).seal(signer, at=NOW + 5000)
    assert [one.file for one in verify.verify(path)] == ["media/01-abcdef01.jpg"]


# --- a crash at any moment ---

DEED = """
import sys
from pathlib import Path
from guardian.evidence import signing
from tests.evidence.building import filled
filled(Path(sys.argv[1]), signing.load(Path(sys.argv[2])))
"""
POINTS = {
    "evidence.opened": 19,
    "evidence.written": 11,
    "evidence.renamed": 19,
    "evidence.appending": 14,
    "evidence.appended": 14,
    "evidence.sealing": 3,
}


@pytest.mark.parametrize(
    ("point", "nth"), [(point, nth) for point, most in POINTS.items() for nth in sorted({1, 2, 3, most // 2, most})]
)
def test_a_bundle_opens_and_can_be_sealed_after_a_kill_at_any_moment(
    root: Path, tmp_path: Path, point: str, nth: int
) -> None:
    signing.make(tmp_path / "key")
    environment = {**os.environ, "GUARDIAN_FAILPOINTS": f"{point}=crash@{nth}", "PYTHONPATH": str(HERE)}
    deed = [sys.executable, "-c", DEED, str(root), str(tmp_path / "key")]
    done = subprocess.run(deed, env=environment, cwd=HERE, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (path,) = root.iterdir()
    key = signing.load(tmp_path / "key")
    bundle = Bundle.open(path)
    assert not list(path.rglob("*.part"))
    bundle.seal(key, at=NOW + 9000)
    assert verify.verify(path) == []
    assert Bundle.open(path).mended == ()
    for one in bundle.mended:
        assert (path / one.kept_as).stat().st_size == one.size


def test_a_record_that_was_cut_off_is_set_aside_and_noted_and_the_others_stay(root: Path) -> None:
    bundle = fresh(root)
    bundle.exchange(exchange())
    archive = bundle.path / "warc/post-1.warc.gz"
    whole = archive.read_bytes()
    archive.write_bytes(whole + whole[: len(whole) // 2])
    bundle = Bundle.open(bundle.path)
    (one,) = bundle.mended
    assert one.file == "warc/post-1.warc.gz"
    assert len(list(warc.scanned(archive.read_bytes()))) >= 3
    assert archive.read_bytes() + (bundle.path / one.kept_as).read_bytes() == whole + whole[: len(whole) // 2]
    assert b"warc/post-1.warc.gz" in (bundle.path / "recovery-1.jsonl").read_bytes()


@contextlib.contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what a full disk is to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_in_the_middle_of_a_record_leaves_the_records_before_it_and_the_next_one_follows_whole(
    root: Path, signer: Signer
) -> None:
    bundle = fresh(root)
    bundle.exchange(exchange())
    archive = bundle.path / "warc/post-1.warc.gz"
    before = archive.read_bytes()
    for size in (len(before) + 1, len(before) + 300, len(before) + 900):
        with full_disk(size), pytest.raises(DiskFull):
            bundle.exchange(exchange(body=PICTURE + os.urandom(5000)))
        assert archive.read_bytes() == before
    with full_disk(10), pytest.raises(DiskFull):
        bundle.append("checks.jsonl", b"{}" * 50)
    with full_disk(10), pytest.raises(DiskFull):
        bundle.add("media/01.jpg", PICTURE)
    for size in (10, 200, 400, 800):
        with full_disk(size), pytest.raises(DiskFull):
            bundle.seal(signer, at=NOW)
    bundle.add("media/01.jpg", PICTURE)
    bundle.exchange(exchange())
    bundle.append("checks.jsonl", b"{}")
    bundle.seal(signer, at=NOW)
    assert verify.verify(bundle.path) == []
    assert sum(1 for _ in warc.scanned(archive.read_bytes())) == 5


# --- erasing ---


def test_other_peoples_words_go_and_a_tombstone_stays(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    erased = erasure.third_party(bundle)
    assert erased == ["third-party/context.json", "third-party/exchanges-1.jsonl", "warc/third-party-1.warc.gz"]
    seal = erasure.erase(bundle, erased, who="anna", at=NOW + 9000, ground="GDPR 17(1)(a)", signer=signer)
    assert not [name for name in erased if (bundle.path / name).exists()]
    assert verify.verify(bundle.path) == []
    assert set(tombstones.erased(bundle.path)) == set(erased)
    assert sum("erased" in gap for gap in verify.gaps(bundle.path)) == 3
    bundle = Bundle.open(bundle.path)
    bundle.seal(signer, at=NOW + 9999)
    assert (seal.n, verify.verify(bundle.path)) == (4, [])


def test_a_tombstone_does_not_stand_for_our_own_files(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    for name in ("media/01-abcdef01.jpg", "warc/post-1.warc.gz", "third-party/none", "../x"):
        with pytest.raises(Mistake):
            erasure.erase(bundle, [name], who="anna", at=NOW, ground="because", signer=signer)
    with pytest.raises(Mistake):
        erasure.erase(bundle, ["third-party/context.json"], who="anna", at=NOW, ground=" ", signer=signer)
    assert verify.verify(bundle.path) == []


def test_a_tombstone_that_no_seal_covers_excuses_nothing(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    stone = {
        "at": 1,
        "files": {"third-party/context.json": bundle.sums()["third-party/context.json"]},
        "ground": "x",
        "who": "y",
    }
    bundle.append("tombstones.jsonl", canonical.written(stone))
    (bundle.path / "third-party/context.json").unlink()
    assert [one.file for one in verify.verify(bundle.path)] == ["third-party/context.json"]


def test_nothing_is_erased_under_a_hold_until_it_is_lifted(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    erasure.hold(bundle, who="counsel", at=NOW, reason="litigation")
    assert verify.verify(bundle.path) == []
    assert any("hold" in gap for gap in verify.gaps(bundle.path))
    with pytest.raises(Illegal, match="hold"):
        erasure.erase(bundle, erasure.third_party(bundle), who="anna", at=NOW, ground="x", signer=signer)
    with pytest.raises(Refusal):
        erasure.hold(bundle, who="counsel", at=NOW, reason="again")
    erasure.lift(bundle)
    erasure.erase(bundle, erasure.third_party(bundle), who="anna", at=NOW, ground="x", signer=signer)
    assert verify.verify(bundle.path) == []


@pytest.mark.parametrize("point", ["evidence.entombed", "evidence.erased", "evidence.sealing"])
def test_an_erasing_that_a_crash_interrupted_is_ended_by_doing_it_again(root: Path, tmp_path: Path, point: str) -> None:
    signing.make(tmp_path / "key")
    key = signing.load(tmp_path / "key")
    path = filled(root, key).path
    deed = (
        "import sys; from pathlib import Path; from guardian.evidence import Bundle, erasure, signing\n"
        "b = Bundle.open(Path(sys.argv[1])); k = signing.load(Path(sys.argv[2]))\n"
        "erasure.erase(b, erasure.third_party(b), who='anna', at=1, ground='x', signer=k)\n"
    )
    environment = {**os.environ, "GUARDIAN_FAILPOINTS": f"{point}=crash", "PYTHONPATH": str(HERE)}
    erased = erasure.third_party(Bundle.open(path))
    done = subprocess.run(
        [sys.executable, "-c", deed, str(path), str(tmp_path / "key")],
        env=environment,
        cwd=HERE,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    erasure.erase(Bundle.open(path), erased, who="anna", at=NOW, ground="x", signer=key)
    assert verify.verify(path) == []
    assert not (path / "third-party/context.json").exists()


# --- looking through all of them ---


def test_every_bundle_is_looked_at_and_what_is_none_is_named(root: Path, signer: Signer) -> None:
    good, bad = filled(root, signer), filled(root, signer)
    (bad.path / "bundle.json").unlink()
    (root / "notes.txt").write_text("x")
    found = verify.verify_all(root)
    assert found[good.name] == []
    assert [one.file for one in found[bad.name]] == ["bundle.json"]
    assert found["notes.txt"]
    assert verify.verify_all(root / "none") == {}
