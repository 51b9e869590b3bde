"""The house's sealing key: one private key (`sealing`), and the list of all that it ever had, each with its time.

In `STATE_DIR/evidence/keys`, which only the service user may enter. `guardian init` makes it, a daemon that finds none
makes it at its start, and `guardian evidence rotate-key` begins a new one: the old private half is destroyed, so that
nobody can seal in its name any more, and its line is bounded. Raises what `signing` raises.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.errors import Refusal
from guardian.evidence import files, signing
from guardian.fence import scopes

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer

EVIDENCE, KEYS = "evidence", "keys"
PRIVATE, LIST = "sealing", "allowed_signers"
NEXT = "sealing.next"
SECOND = 1000  # ms: what ssh-keygen can tell apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The key in force. `allowed` is the list of all keys of the house, as ssh-keygen reads it."""

    signer: Signer
    allowed: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it: to be handed on outside the bundles."""
        return signing.fingerprint(self.signer.public)

    @property
    def line(self) -> str:
        """Its own line of the list."""
        return next(line for line in self.allowed.splitlines() if line.endswith(_blob(self.signer)))


class Keyring:
    """The directory of keys. One thread at a time; reading is free."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / EVIDENCE / KEYS

    def is_there(self) -> bool:
        """Whether the house has a key."""
        return os.path.lexists(self.path / PRIVATE)

    def have(self, *, now: int) -> tuple[Key, bool]:
        """The key in force, made if there is none; whether it was. `now` in ms, from when it counts."""
        scopes.make_private(str(self.path.parent))
        scopes.make_private(str(self.path))
        fresh = not self.is_there()
        if fresh:
            self._make(PRIVATE)
        signer = signing.load(self.path / PRIVATE)
        known = self._list()
        if not any(one.public == signer.public and one.valid_before is None for one in signing.known(known)):
            known += signing.allowed_signers(signer.identity, signer.public, valid_after=now // SECOND * SECOND)
            self._write(LIST, known.encode("ascii"))
        return Key(signer=signer, allowed=known), fresh

    def load(self) -> Key:
        """The key in force. Raises ConfigMistake when there is none that can be used."""
        signer = signing.load(self.path / PRIVATE)
        known = self._list()
        if not any(one.public == signer.public for one in signing.known(known)):
            known += signing.allowed_signers(signer.identity, signer.public)
        return Key(signer=signer, allowed=known)

    def rotate(self, *, now: int) -> tuple[Key, Key]:
        """A new key from `now` on; the old one and the new one. What the old one sealed stays good."""
        old = self.load()
        if os.path.lexists(self.path / NEXT):  # a crash left it: nothing was ever sealed with it
            (self.path / NEXT).unlink()
        signer = self._make(NEXT)
        at = now // SECOND * SECOND  # both count in this second: one may have sealed in it, the other may yet
        bounded = [
            _bounded(line, at + SECOND) if line.endswith(_blob(old.signer)) else line
            for line in old.allowed.splitlines()
        ]
        fresh = signing.allowed_signers(signer.identity, signer.public, valid_after=at)
        known = "".join(f"{line}\n" for line in bounded) + fresh
        self._write(LIST, known.encode("ascii"))  # a crash here leaves the old key; `have` gives it a line again
        (self.path / NEXT).replace(self.path / PRIVATE)
        files.sync_directory(self.path)
        return old, Key(signer=signer, allowed=known)

    def _make(self, name: str) -> Signer:
        self._clear(f"{name}{files.PART}")
        made = signing.make(self.path / name)
        _give_to_owner(self.path / name, self.path)
        return made

    def _clear(self, *left: str) -> None:
        """Remove what a crash left: it never had its name, so nothing was sealed with it."""
        for name in left:
            (self.path / name).unlink(missing_ok=True)

    def _list(self) -> str:
        if not os.path.lexists(self.path / LIST):
            return ""
        return files.read(self.path, LIST, limit=signing.MOST).decode("utf-8", "replace")

    def _write(self, name: str, data: bytes) -> None:
        beside = f"{name}.new"
        self._clear(beside, f"{beside}{files.PART}")
        files.write_part(self.path, beside, data)
        files.settle(self.path, beside)
        _give_to_owner(self.path / beside, self.path)
        (self.path / beside).replace(self.path / name)
        files.sync_directory(self.path)


def _bounded(line: str, at: int) -> str:
    """The line of a key that counts no longer."""
    (one,) = signing.known(line)
    return signing.allowed_signers(one.identity, one.public, one.valid_after, at).rstrip("\n")


def _blob(signer: Signer) -> str:
    """How the line of a key ends."""
    return signing.allowed_signers(signer.identity, signer.public).split()[-1]


def _give_to_owner(path: Path, directory: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        scopes.give_to_owner(fd, str(directory))
    finally:
        os.close(fd)


def read_list(path: Path) -> str:
    """The list of keys beside a bundle's directory, where whoever asks may read it; else nothing."""
    try:
        return files.read(path, LIST, limit=signing.MOST).decode("utf-8", "replace")
    except Refusal:
        return ""
