"""A bundle that an earlier version made stays whole for whatever version looks at it: evidence outlives programs.

`golden/` was made once by `building.filled`, then erased from, grown, and sealed by a second key. It is never made
anew: a change that breaks it breaks what lawyers hold.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from guardian.evidence import Bundle, signing, tombstones, verify, wacz
from tests.evidence.test_evidence_readme import run

(GOLDEN,) = (Path(__file__).parent / "golden").iterdir()


def test_an_old_bundle_is_whole_and_says_what_is_missing() -> None:
    assert verify.verify(GOLDEN) == []
    assert set(tombstones.erased(GOLDEN)) == {"warc/third-party-1.warc.gz"}
    assert "warc/third-party-1.warc.gz was erased; a tombstone stands for it" in verify.gaps(GOLDEN)


def test_the_lines_of_an_old_readme_still_pass() -> None:
    assert [one.returncode for one in run(GOLDEN)] == [0] * 5


def test_an_old_bundle_is_known_by_its_seals() -> None:
    sealed = Bundle(GOLDEN, phase=6).seals()
    assert [seal.n for seal in sealed] == [1, 2, 3, 4, 5]
    assert verify.verify(GOLDEN, sealed=sealed) == []


def test_an_old_bundle_grows_on_and_is_exported(tmp_path: Path) -> None:
    path = tmp_path / GOLDEN.name
    shutil.copytree(GOLDEN, path)
    bundle = Bundle.open(path)
    assert (bundle.phase, bundle.mended) == (6, ())
    bundle.append("checks.jsonl", b"{}")
    new = signing.make(tmp_path / "key")
    house = (path / "keys/allowed_signers-5").read_text() + signing.allowed_signers("guardian", new.public)
    bundle.seal(new, at=1_796_000_000_000, allowed=house)
    assert verify.verify(path) == []
    wacz.export(bundle, tmp_path / "out.wacz")
    assert gzip.decompress((path / "warc/post-1.warc.gz").read_bytes()).startswith(b"WARC/1.1\r\n")
