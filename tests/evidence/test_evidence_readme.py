"""A lawyer without any program of ours checks a bundle with the lines of README.txt, on a bare Debian."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from guardian.evidence import erasure, signing, words
from tests.evidence.building import NOW, filled

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer
    from tests.evidence.authority import Authority

BARE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "America/New_York"}


def run(bundle: Path) -> list[subprocess.CompletedProcess[str]]:
    """Each line of the README in the bundle's directory, by a plain shell."""
    lines = words.command_lines((bundle / "README.txt").read_text("utf-8"))
    return [
        subprocess.run(
            ["/bin/sh", "-c", line], cwd=bundle, env=BARE, capture_output=True, text=True, timeout=30, check=False
        )
        for line in lines
    ]


def test_every_line_of_the_readme_passes_with_stock_tools_on_a_bundle_of_three_phases(
    root: Path, signer: Signer, authority: Authority
) -> None:
    done = run(filled(root, signer, authority=authority).path)
    assert len(done) == 5
    assert [one.returncode for one in done] == [0] * 5, [one.stderr for one in done]
    assert done[2].stdout.count("Good") == 3
    assert signing.fingerprint(signer.public) in done[2].stdout
    assert done[3].stderr.count("Verification: OK") + done[3].stdout.count("Verification: OK") == 2
    assert done[4].stdout.count("Time stamp:") == 2


def test_the_lines_pass_without_any_time_stamp_too(root: Path, signer: Signer) -> None:
    assert [one.returncode for one in run(filled(root, signer).path)] == [0] * 5


def test_a_changed_picture_fails_the_first_two_lines_and_is_named(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    (bundle.path / "media/01-abcdef01.jpg").write_bytes(b"another one")
    done = run(bundle.path)
    assert [bool(one.returncode) for one in done] == [True, True, False, False, False]
    assert "media/01-abcdef01.jpg: FAILED" in done[0].stdout


def test_a_list_that_was_written_anew_fails_the_line_about_the_signature(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    path = bundle.path / "SHA256SUMS.3"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    done = run(bundle.path)
    assert done[2].returncode == 1
    assert "NOT SIGNED: SHA256SUMS.3" in done[2].stdout


def test_a_stamp_of_another_signature_fails_the_line_about_stamps(
    root: Path, signer: Signer, authority: Authority
) -> None:
    bundle = filled(root, signer, authority=authority)
    one, three = (bundle.path / f"SHA256SUMS.{n}.test-one.tsr" for n in (1, 3))
    three.write_bytes(one.read_bytes())
    assert run(bundle.path)[3].returncode == 1


def test_every_list_holds_for_ever_on_a_bundle_that_later_grew(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    for n in (1, 2, 3):
        done = subprocess.run(["sha256sum", "-c", f"SHA256SUMS.{n}"], cwd=bundle.path, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_lines_pass_after_other_peoples_words_were_erased(root: Path, signer: Signer) -> None:
    bundle = filled(root, signer)
    erasure.erase(bundle, erasure.third_party(bundle), who="anna", at=NOW + 9000, ground="GDPR 17(1)(a)", signer=signer)
    assert [one.returncode for one in run(bundle.path)] == [0] * 5
    assert (
        subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS.4"], cwd=bundle.path, capture_output=True, check=False
        ).returncode
        == 0
    )
    whole = ["sha256sum", "--ignore-missing", "-c", "SHA256SUMS.1"]
    assert subprocess.run(whole, cwd=bundle.path, capture_output=True, check=False).returncode == 0


def test_a_key_that_took_over_half_way_passes_the_lines(root: Path, signer: Signer, tmp_path: Path) -> None:
    bundle = filled(root, signer)
    new = signing.make(tmp_path / "new.key")
    house = signing.allowed_signers("guardian", signer.public, NOW - 1000, NOW + 3000)
    house += signing.allowed_signers("guardian", new.public, NOW + 3000)
    bundle.seal(new, at=NOW + 4000, allowed=house)
    assert [one.returncode for one in run(bundle.path)] == [0] * 5
