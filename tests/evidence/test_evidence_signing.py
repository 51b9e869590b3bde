"""Signatures that the stock ssh-keygen accepts, and none that it does not."""

from __future__ import annotations

import base64
import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake, Mistake, Refusal
from guardian.evidence import signing
from tests.evidence.building import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer


def stock(folder: Path, signature: bytes, data: bytes, signers: str, *, options: tuple[str, ...] = ()) -> bool:
    """Whether ssh-keygen accepts it."""
    (folder / "sig").write_bytes(signature)
    (folder / "signers").write_text(signers)
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        *options,
        "-f",
        "signers",
        "-I",
        "guardian",
        "-n",
        signing.NAMESPACE,
        "-s",
        "sig",
    ]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True, timeout=10, check=False).returncode == 0


def test_ssh_keygen_accepts_our_signature_over_these_bytes_alone(signer: Signer, tmp_path: Path) -> None:
    signers = signing.allowed_signers("guardian", signer.public)
    assert stock(tmp_path, signer.sign(b"data"), b"data", signers)
    assert not stock(tmp_path, signer.sign(b"data"), b"date", signers)
    assert not stock(tmp_path, signer.sign(b"data", "git"), b"data", signers)


def test_a_key_counts_only_between_its_dates_by_ssh_keygen_and_by_us(signer: Signer, tmp_path: Path) -> None:
    line = signing.allowed_signers("guardian", signer.public, NOW, NOW + 86_400_000)
    (known,) = signing.known(line)
    for at, counts in ((NOW - 1000, False), (NOW + 1000, True), (NOW + 86_400_000 + 1000, False)):
        when = signing._ssh_time(at)
        assert stock(tmp_path, signer.sign(b"x"), b"x", line, options=("-O", f"verify-time={when}")) is counts
        assert known.counts_at(at) is counts


def test_we_accept_what_ssh_keygen_signs_with_our_key(tmp_path: Path) -> None:
    signer = signing.make(tmp_path / "key")
    (tmp_path / "data").write_bytes(b"data")
    command = ["ssh-keygen", "-Y", "sign", "-f", "key", "-n", signing.NAMESPACE, "data"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=10)
    assert signing.verified((tmp_path / "data.sig").read_bytes(), b"data") == signer.public
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", "key"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=10
    )
    assert signing.fingerprint(signer.public) in shown.stdout


def test_a_key_of_ssh_keygens_own_making_seals(tmp_path: Path) -> None:
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "guardian", "-f", "key"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True, timeout=10)
    signer = signing.load(tmp_path / "key")
    assert stock(tmp_path, signer.sign(b"x"), b"x", signing.allowed_signers("guardian", signer.public))


def test_a_key_is_private_and_never_made_twice_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    signer = signing.make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(Refusal, match="exists"):
        signing.make(path)
    assert path.read_bytes() == before
    private = signer.private.private_bytes_raw()
    assert private.hex() not in repr(signer)
    assert base64.b64encode(private).decode() not in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)


def test_a_key_that_others_can_read_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    signing.make(path)
    path.chmod(0o644)
    with pytest.raises(ConfigMistake, match="others may read"):
        signing.load(path)
    make = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "other")]
    subprocess.run(make, check=True, capture_output=True, timeout=10)
    (tmp_path / "garbage").write_bytes(b"-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (tmp_path / "garbage").chmod(0o600)
    for name in ("other", "garbage", "absent"):
        with pytest.raises(ConfigMistake) as caught:
            signing.load(tmp_path / name)
        assert "BEGIN" not in str(caught.value)


@pytest.mark.parametrize("identity", ["", "a b", "a\nb", "*", "a,b", 'a"', "-x"])
def test_a_name_that_ssh_keygen_would_read_otherwise_is_refused(signer: Signer, identity: str) -> None:
    with pytest.raises(Mistake):
        signing.allowed_signers(identity, signer.public)


@pytest.mark.parametrize(
    "garbage", [b"", b"x", b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", b"\xff" * 400]
)
def test_garbage_is_no_signature(garbage: bytes) -> None:
    with pytest.raises(Refusal):
        signing.verified(garbage, b"x")


def test_lines_of_a_list_that_we_cannot_read_are_left_out(signer: Signer) -> None:
    good = signing.allowed_signers("guardian", signer.public)
    other = (
        good.replace("ssh-ed25519", "ssh-rsa")
        + "# words\n\n"
        + good.replace("AAAA", "!!!!")
        + good.replace(signing.NAMESPACE, "git")
    )
    assert [one.public for one in signing.known(other + good)] == [signer.public]
