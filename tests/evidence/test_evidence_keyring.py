"""The sealing key of a house: nobody else can read it, a crash never loses it, and an old one cannot seal any more."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake
from guardian.evidence import Bundle, signing
from guardian.evidence import verify as verifying
from guardian.evidence.keyring import LIST, NEXT, PRIVATE, Keyring

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_000_000_000


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path)


def test_a_key_is_made_once_and_nobody_else_can_read_it(ring: Keyring) -> None:
    first, fresh = ring.have(now=NOW)
    again, fresh_again = ring.have(now=NOW + 5_000)
    assert (fresh, fresh_again) == (True, False)
    assert first.fingerprint == again.fingerprint
    assert first.allowed == again.allowed
    assert stat.S_IMODE(ring.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((ring.path / PRIVATE).stat().st_mode) == 0o600


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(ring: Keyring, tmp_path: Path) -> None:
    key, _ = ring.have(now=NOW)
    public = tmp_path / "key.pub"
    public.write_text(" ".join(key.line.split()[2:4]))
    said = subprocess.run(["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=True)
    assert said.stdout.split()[1] == key.fingerprint


def test_a_key_that_others_may_read_seals_nothing(ring: Keyring) -> None:
    ring.have(now=NOW)
    (ring.path / PRIVATE).chmod(0o644)
    with pytest.raises(ConfigMistake, match="others may read it"):
        ring.load()


def test_what_the_old_key_sealed_stays_good_and_it_seals_nothing_new(ring: Keyring, tmp_path: Path) -> None:
    old, _ = ring.have(now=NOW)
    bundle = Bundle.create(tmp_path / "evidence", account="a", platform="mastodon", platform_id="1", at=NOW)
    bundle.seal(old.signer, at=NOW + 1_000, allowed=old.allowed)
    was, new = ring.rotate(now=NOW + 10_000)
    assert was.fingerprint == old.fingerprint != new.fingerprint
    assert not (ring.path / NEXT).exists()
    assert ring.load().fingerprint == new.fingerprint
    bundle.add("later.txt", b"x")
    bundle.seal(new.signer, at=NOW + 20_000, allowed=new.allowed)
    trusted = signing.known(ring.load().allowed)
    assert verifying.verify(bundle.path, trusted=trusted) == []
    bundle.add("forged.txt", b"x")
    bundle.seal(old.signer, at=NOW + 30_000, allowed=old.allowed)
    assert any("did not count at that time" in str(one) for one in verifying.verify(bundle.path, trusted=trusted))


def test_what_was_sealed_in_the_very_second_of_the_rotation_stays_good(ring: Keyring, tmp_path: Path) -> None:
    old, _ = ring.have(now=NOW)
    bundle = Bundle.create(tmp_path / "evidence", account="a", platform="mastodon", platform_id="1", at=NOW)
    bundle.seal(old.signer, at=NOW + 10_500, allowed=old.allowed)
    _, new = ring.rotate(now=NOW + 10_600)
    bundle.add("later.txt", b"x")
    bundle.seal(new.signer, at=NOW + 10_700, allowed=new.allowed)
    assert verifying.verify(bundle.path, trusted=signing.known(ring.load().allowed)) == []


def test_many_rotations_leave_one_open_line_and_no_gap_between_the_others(ring: Keyring) -> None:
    ring.have(now=NOW)
    for number in range(1, 4):
        ring.rotate(now=NOW + number * 60_000)
    known = signing.known((ring.path / LIST).read_text())
    ends = [one.valid_before for one in known]
    assert ends == [one.valid_after + 1_000 for one in known[1:] if one.valid_after is not None] + [None]
    assert len({one.public for one in known}) == 4


def test_a_crash_in_the_middle_of_a_rotation_leaves_a_key_that_counts(ring: Keyring) -> None:
    old, _ = ring.have(now=NOW)
    private = (ring.path / PRIVATE).read_bytes()
    ring.rotate(now=NOW + 60_000)
    (ring.path / PRIVATE).write_bytes(private)  # as if the new key had not got its name yet
    signing.make(ring.path / NEXT)
    found, fresh = ring.have(now=NOW + 120_000)
    assert (found.fingerprint, fresh) == (old.fingerprint, False)
    assert any(
        one.public == old.signer.public and one.valid_before is None for one in signing.known(ring.load().allowed)
    )
    _, new = ring.rotate(now=NOW + 180_000)
    assert ring.load().fingerprint == new.fingerprint


def test_a_crash_while_a_key_was_written_does_not_keep_the_house_without_one_for_ever(ring: Keyring) -> None:
    ring.path.mkdir(parents=True, mode=0o700)
    for name in (PRIVATE, NEXT, f"{LIST}.new"):
        (ring.path / f"{name}.part").write_bytes(b"half a ke")
    (ring.path / f"{LIST}.new").write_bytes(b"guardian namesp")
    key, fresh = ring.have(now=NOW)
    assert fresh
    assert ring.rotate(now=NOW + 5_000)[0].fingerprint == key.fingerprint


def test_no_key_is_shown_by_accident(ring: Keyring) -> None:
    key, _ = ring.have(now=NOW)
    secret = (ring.path / PRIVATE).read_text().splitlines()[2]
    assert secret not in repr(key)
    assert "PRIVATE" not in key.allowed
