"""The seals of a bundle, read strictly: each signed by a key that counted then, each following the one before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.evidence import canonical, files, manifest, names, signing, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guardian.evidence.signing import Known

MOST = 8 << 20  # bytes of a list of hashes


@dataclass(slots=True, kw_only=True)
class Found:
    """What the seals say together, and what is wrong with them: pairs of file and sentence."""

    last: int = 0
    sums: dict[str, str] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seal:
    n: int
    data: bytes
    signature: bytes
    sums: dict[str, str]
    at: int
    identity: str
    records: dict[str, int]


def read(root: Path, present: Sequence[str], *, trusted: Sequence[Known] | None) -> Found:
    """Every seal from the first to the last."""
    found = Found()
    pieces = {piece for name in present if (piece := names.seal_of(name))}
    found.last = max((n for n, _ in pieces), default=0)
    if not found.last:
        found.wrong.append((names.manifest(1), "the bundle has no seal"))
    gone = tombstones.erased(root)
    before: _Seal | None = None
    for n in range(1, found.last + 1):
        missing = [f"{names.manifest(n)}{end}" for end in ("", ".sig") if (n, end) not in pieces]
        found.wrong += [(name, f"seal {n} is missing") for name in missing]
        seal = _taken(root, n, found) if (n, "") in pieces else None
        if seal is not None:
            found.wrong += _signature(root, seal, trusted)
            found.wrong += _order(seal, before, gone)
            found.wrong += _known_before(seal, found.sums, gone)
            found.sums = {**seal.sums, **found.sums}
            found.records |= seal.records
        before = seal
    return found


def _taken(root: Path, n: int, found: Found) -> _Seal | None:
    """Seal n with what it says of itself; what cannot be read is noted. One without signature is still read."""
    name = names.manifest(n)
    try:
        signature = files.read(root, f"{name}.sig", limit=signing.MOST)
    except GuardianError:
        signature = b""
    try:
        data = files.read(root, name, limit=MOST)
        sums = manifest.parsed(data)
    except GuardianError as error:
        found.wrong.append((name, str(error)))
        return None
    try:
        said = canonical.table(files.read(root, names.contents(n), limit=MOST))
        if canonical.written(said) != files.read(root, names.contents(n), limit=MOST) or said["seal"] != n:
            raise ValueError(n)  # noqa: TRY301 (it is the same accident)
        at, identity, records = int(said["at"]), str(said["identity"]), dict(said["records"])
    except (GuardianError, ValueError, KeyError, TypeError):
        found.wrong.append((names.contents(n), f"it does not say what seal {n} is"))
        at, identity, records = 0, "", {}
    return _Seal(n=n, data=data, signature=signature, sums=sums, at=at, identity=identity, records=records)


def _signature(root: Path, seal: _Seal, trusted: Sequence[Known] | None) -> Iterator[tuple[str, str]]:
    """It fits, and the key counted when the seal says that it was made."""
    name = f"{names.manifest(seal.n)}.sig"
    try:
        public = signing.verified(seal.signature, seal.data)
    except GuardianError as error:
        yield name, str(error)
        return
    known = list(_own_signers(root, seal)) if trusted is None else list(trusted)
    mine = [one for one in known if one.public == public]
    if not mine:
        yield name, f"the key that signed it is not known: {signing.fingerprint(public)}"
    elif not any(one.counts_at(seal.at) for one in mine):
        yield name, f"the key that signed it did not count at that time: {signing.fingerprint(public)}"


def _own_signers(root: Path, seal: _Seal) -> Iterator[Known]:
    """The signers of lists that this very seal covers."""
    for name in seal.sums:
        if name.startswith(names.SIGNERS):
            try:
                yield from signing.known(files.read(root, name, limit=signing.MOST).decode("utf-8", "replace"))
            except GuardianError:
                continue


def _order(seal: _Seal, before: _Seal | None, gone: dict[str, str]) -> Iterator[tuple[str, str]]:
    """It lists itself as n, and seal n - 1 as it lies here, and nothing of later ones."""
    name = names.manifest(seal.n)
    if names.contents(seal.n) not in seal.sums or any(not names.covered(one, seal.n) for one in seal.sums):
        yield name, f"it is not seal {seal.n}: seals were swapped or renamed"
    if before is None:
        return
    for file, data in {
        names.manifest(before.n): before.data,
        f"{names.manifest(before.n)}.sig": before.signature,
    }.items():
        if seal.sums.get(file) != hashlib.sha256(data).hexdigest():
            yield file, f"it is not what seal {seal.n} follows: seals were swapped or replaced"
    for file, sha256 in before.sums.items():
        if file not in seal.sums and gone.get(file) != sha256:
            yield name, f"it no longer lists {file}, which seal {before.n} covers"


def _known_before(seal: _Seal, sums: dict[str, str], gone: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What an earlier seal covers has the same hash in this one."""
    for file, sha256 in seal.sums.items():
        if sums.get(file, sha256) != sha256 and file not in gone:
            yield file, f"seal {seal.n} covers another content of it than an earlier seal"
