"""The sealing key: Ed25519 in OpenSSH's format, and signatures that the stock `ssh-keygen -Y verify` accepts.

No clock, no network; the key is never shown. One signature takes well under a millisecond. Any thread may call it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import struct
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guardian.errors import ConfigMistake, Mistake, Refusal
from guardian.evidence import files

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "guardian-evidence"
IDENTITY = "guardian"
KIND = b"ssh-ed25519"
FIELDS = 4  # of a line of allowed signers: name, options, kind, key
MOST = 1 << 16  # bytes of a key file, of a signature, of a list of signers
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}")
_TIME = re.compile(r"\d{14}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key that seals, and under which name it is known. Its repr shows the public half alone."""

    private: Ed25519PrivateKey
    identity: str = IDENTITY

    def __repr__(self) -> str:
        return f"Signer({self.identity}, {fingerprint(self.public)})"

    @property
    def public(self) -> bytes:
        """The public half: 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, data: bytes, namespace: str = NAMESPACE) -> bytes:
        """An armored SSHSIG over the data, which counts in that namespace alone."""
        public, space = _string(KIND) + _string(self.public), namespace.encode("ascii")
        raw = self.private.sign(_signed(data, space))
        signature = _string(KIND) + _string(raw)
        blob = (
            b"SSHSIG"
            + struct.pack(">I", 1)
            + b"".join(_string(piece) for piece in (public, space, b"", b"sha512", signature))
        )
        return _armored(blob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One line of a list of signers: whose key counts, from when until when (ms since 1970; None: open)."""

    identity: str
    public: bytes
    valid_after: int | None = None
    valid_before: int | None = None

    def counts_at(self, at: int) -> bool:
        """Whether it counted at that time."""
        return (self.valid_after or at) <= at and (self.valid_before is None or at < self.valid_before)


def make(path: Path, *, identity: str = IDENTITY) -> Signer:
    """A new key in a new file (0600). Raises Refusal when the file exists, Unwritable."""
    private = Ed25519PrivateKey.generate()
    data = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    if os.path.lexists(path):
        raise Refusal(f"cannot make the key {path}, because the file exists; it was left as it is")
    files.write_part(path.parent, path.name, data)
    files.settle(path.parent, path.name)
    files.sync_directory(path.parent)
    return Signer(private=private, identity=named(identity))


def load(path: Path, *, identity: str = IDENTITY) -> Signer:
    """The key of a file. Raises ConfigMistake: it is absent, open to others, or no Ed25519 key of OpenSSH."""
    fix = "name a file that `guardian init` or `ssh-keygen -t ed25519 -N ''` made"
    try:
        data = files.read(path.parent, path.name, limit=MOST)
        if path.stat().st_mode & 0o077:
            raise ConfigMistake(f"cannot seal with {path}, because others may read it", fix=f"chmod 600 {path}")
        key = serialization.load_ssh_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, Refusal, OSError) as error:
        raise ConfigMistake(f"cannot seal with {path}, because it is no readable OpenSSH key", fix=fix) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigMistake(f"cannot seal with {path}, because it is no Ed25519 key", fix=fix)
    return Signer(private=key, identity=named(identity))


def named(identity: str) -> str:
    """The name, if a signer may have it. Raises Mistake."""
    if _IDENTITY.fullmatch(identity) is None:
        raise Mistake(
            f"cannot name a signer {identity[:80]!r}, because only letters, digits and . _ @ + - are safe there"
        )
    return identity


def fingerprint(public: bytes) -> str:
    """The key's fingerprint as `ssh-keygen -l` prints it: hand it on outside the bundle."""
    digest = hashlib.sha256(_string(KIND) + _string(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def allowed_signers(
    identity: str, public: bytes, valid_after: int | None = None, valid_before: int | None = None
) -> str:
    """A line for ssh-keygen's list of allowed signers; times in ms since 1970 (ssh-keygen knows whole seconds)."""
    options = [f'namespaces="{NAMESPACE}"']
    if valid_after is not None:
        options.append(f'valid-after="{_ssh_time(valid_after)}"')
    if valid_before is not None:
        options.append(f'valid-before="{_ssh_time(valid_before)}"')
    blob = base64.b64encode(_string(KIND) + _string(public)).decode("ascii")
    return f"{named(identity)} {','.join(options)} ssh-ed25519 {blob}\n"


def known(text: str) -> list[Known]:
    """The signers of such a list; lines of other kinds of keys are left out."""
    found = []
    for line in text.splitlines():
        pieces = line.split()
        if len(pieces) < FIELDS or pieces[2] != KIND.decode("ascii") or f'namespaces="{NAMESPACE}"' not in pieces[1]:
            continue
        options = dict(re.findall(r'([a-z-]+)="([^"]*)"', pieces[1]))
        try:
            blob = base64.b64decode(pieces[3], validate=True)
            after, before = (_from_ssh_time(options.get(key)) for key in ("valid-after", "valid-before"))
        except ValueError:
            continue
        if blob[:-32] == _string(KIND) + struct.pack(">I", 32):
            found.append(Known(identity=pieces[0], public=blob[-32:], valid_after=after, valid_before=before))
    return found


def verified(signature: bytes, data: bytes, namespace: str = NAMESPACE) -> bytes:
    """The public key that signed the data. Raises Refusal unless the signature is right to the last byte."""
    public, space, algorithm, raw = _taken_apart(signature)
    if space != namespace.encode("ascii") or algorithm != b"sha512":
        raise Refusal("cannot accept a signature, because it was made for something else")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, _signed(data, space))
    except (InvalidSignature, ValueError) as error:
        raise Refusal("cannot accept a signature, because it does not fit what it signs") from error
    return public


def _taken_apart(signature: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Key, namespace, hash, raw signature. Raises Refusal."""
    garbled = Refusal("cannot accept a signature, because it is garbled")
    lines = signature.decode("ascii", "replace").splitlines()
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (binascii.Error, ValueError):
        raise garbled from None
    if blob[:10] != b"SSHSIG\x00\x00\x00\x01" or _armored(blob) != signature:
        raise garbled
    key, space, _, algorithm, inner = _strings(blob[10:], 5)
    (kind, public), (kind_again, raw) = _strings(key, 2), _strings(inner, 2)
    if kind != KIND or kind_again != KIND:
        raise Refusal("cannot accept a signature, because it was made by a key of another kind than ours")
    return public, space, algorithm, raw


def _strings(blob: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        size = int.from_bytes(blob[:4])
        if len(blob) < 4 + size:  # also when the size itself is cut
            raise Refusal("cannot accept a signature, because it is cut")
        found.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    if blob:
        raise Refusal("cannot accept a signature, because something follows it")
    return found


def _signed(data: bytes, namespace: bytes) -> bytes:
    digest = hashlib.sha512(data).digest()
    return b"SSHSIG" + b"".join(_string(piece) for piece in (namespace, b"", b"sha512", digest))


def _armored(blob: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(blob).decode("ascii"), 70)
    return "\n".join([_BEGIN, *lines, _END, ""]).encode("ascii")


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _ssh_time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y%m%d%H%M%SZ")


def _from_ssh_time(text: str | None) -> int | None:
    if text is None:
        return None
    if _TIME.fullmatch(text) is None:
        raise ValueError(text)
    return int(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()) * 1000
