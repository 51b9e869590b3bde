"""Is a bundle what was sealed? Every deviation is named with its file; an empty list means whole. Changes nothing.

Checked: each list of hashes and its signature, that each seal follows the one before it, each file's hash, files that
are missing or that no seal knows, the form and number of WARC records, the chain of custody, time stamps (with the
`openssl` program). What is merely not there yet is no finding but a gap: see `gaps`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.evidence import canonical, custody, files, names, seals, stamps, tombstones, warc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guardian.evidence.bundle import Seal
    from guardian.evidence.signing import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One deviation: in which file, and what is wrong with it."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(slots=True, kw_only=True)
class _Look:
    """A bundle while it is looked at."""

    root: Path
    present: list[str]
    last: int
    sums: dict[str, str] = field(default_factory=dict)  # what all seals say together


def verify(
    path: Path, *, sealed: Sequence[Seal] = (), trusted: Sequence[Known] | None = None, ask_openssl: bool = True
) -> list[Finding]:
    """Every deviation of the bundle; empty when it is whole.

    `sealed`: seals that the journal knows, which must be there. `trusted`: the house's signers (default: the bundle's
    own list, which proves nothing about who). `ask_openssl`: check the time stamps, too (20 ms each). Raises nothing,
    whatever an attacker may have put there.
    """
    try:
        present = files.listed(path)
    except (OSError, GuardianError) as error:
        return [Finding(file=path.name, what=f"it cannot be looked through: {error}")]
    found = seals.read(path, present, trusted=trusted)
    look = _Look(root=path, present=present, last=found.last, sums=found.sums)
    findings = [Finding(file=file, what=what) for file, what in found.wrong]
    findings += _journal(look, sealed)
    findings += _hashes(look)
    findings += _strangers(look)
    findings += _contents(look, found.records)
    findings += _stamped(look) if ask_openssl and stamps.available() else []
    return sorted(set(findings), key=lambda one: (one.file, one.what))


def verify_all(root: Path) -> dict[str, list[Finding]]:
    """Each bundle below `root` by its name; a bundle that is whole has an empty list. Other names are findings, too."""
    found: dict[str, list[Finding]] = {}
    for name in sorted(path.name for path in root.iterdir()) if root.is_dir() else []:
        is_one = names.is_bundle(name) and (root / name).is_dir() and not (root / name).is_symlink()
        found[name] = verify(root / name) if is_one else [Finding(file=name, what="it is no bundle")]
    return found


def gaps(path: Path) -> list[str]:
    """What is not proven (yet), though nothing is wrong: seals without a time stamp, lines after the last seal, ..."""
    present = files.listed(path)
    last = max((found[0] for name in present if (found := names.seal_of(name)) and not found[1]), default=0)
    said = [] if last else ["it was never sealed"]
    said += [
        f"seal {n} has no time stamp: its time is what this computer's clock said"
        for n in range(1, last + 1)
        if not any((seal := names.seal_of(name)) and seal[0] == n and seal[1].endswith(".tsr") for name in present)
    ]
    said += [
        f"{name} goes on after the last seal, and is not sealed yet"
        for name in present
        if names.phase_of(name) == last + 1
    ]
    said += [f"{name} was erased; a tombstone stands for it" for name in sorted(tombstones.erased(path))]
    if names.HOLD in present:
        said.append("it is under a hold: nothing of it may be erased")
    if any(name.endswith(".tsr") for name in present) and not stamps.available():
        said.append("its time stamps were not checked, because openssl is not here")
    return said


def _journal(look: _Look, sealed: Sequence[Seal]) -> Iterator[Finding]:
    """Seals that the journal knows are there, and are those."""
    for n, sha256 in sealed:
        name = names.manifest(n)
        if name not in look.present:
            yield Finding(file=name, what=f"seal {n} is missing: the journal knows it")
        elif _hash(look, name) != sha256:
            yield Finding(file=name, what=f"it is not the seal {n} that the journal knows")


def _hashes(look: _Look) -> Iterator[Finding]:
    """What was sealed is there, unchanged."""
    here = set(look.present)
    gone = tombstones.erased(look.root)
    for name, sha256 in sorted(look.sums.items()):
        if name not in here:
            if gone.get(name) != sha256:
                yield Finding(file=name, what="it is missing")
        elif (now := _hash(look, name)) != sha256:
            yield Finding(file=name, what="it was changed since it was sealed" if now else "it cannot be read")


def _strangers(look: _Look) -> Iterator[Finding]:
    """What no seal knows: only the last seal's own pieces, stamps as noted, lines of the open phase may be there."""
    log = names.growing(stamps.LOG, look.last + 1)
    try:
        noted = stamps.noted(look.root, look.last + 1)
    except GuardianError as error:
        noted = {}
        yield Finding(file=log, what=str(error))
    for name, sha256 in noted.items():
        if name not in look.present:
            yield Finding(file=name, what="it is missing: it was noted when its time stamp came")
        elif _hash(look, name) != sha256:
            yield Finding(file=name, what="it was changed since its time stamp came")
            yield Finding(file=log, what=f"it does not fit {name}")
    own = {names.manifest(look.last), names.manifest(look.last) + ".sig", names.HOLD}
    for name in look.present:
        grows = names.phase_of(name) == look.last + 1
        if name in look.sums or name in noted or name in own or (grows and _is_file(look.root / name)):
            continue
        what = "it was not written to its end" if name.endswith(files.PART) else "it is in no seal"
        yield Finding(file=name, what=what)
        if (names.seal_of(name) or ("", ""))[1] or name.startswith("keys/tsa-"):
            yield Finding(file=log, what=f"it does not note {name}")


def _contents(look: _Look, records: dict[str, int]) -> Iterator[Finding]:
    """What is in the files that have a form: WARC records, each read; the chain of custody."""
    for name in look.present:
        if look.sums.get(name) is None and names.phase_of(name) != look.last + 1:
            continue
        if names.is_warc(name):
            yield from _archive(look, name, records.get(name))
        elif names.grows_as(name) == custody.FILE:
            try:
                data = files.read(look.root, name)
            except GuardianError:
                continue  # it is a finding already
            yield from (Finding(file=name, what=what) for what in custody.wrong(data))
        elif names.phase_of(name) is not None:
            yield from _lines(look, name)


def _archive(look: _Look, name: str, expected: int | None) -> Iterator[Finding]:
    count = 0
    try:
        for _ in warc.scanned(files.read(look.root, name)):
            count += 1
    except GuardianError as error:
        yield Finding(file=name, what=str(error))
    if name in look.sums and count != expected:
        yield Finding(file=name, what=f"it has {count} records that can be read, and {expected} were sealed")


def _lines(look: _Look, name: str) -> Iterator[Finding]:
    """Each line of a file that grows is a JSON document."""
    try:
        for number, line in enumerate(files.read(look.root, name).splitlines(), 1):
            try:
                canonical.parsed(line)
            except GuardianError:
                yield Finding(file=name, what=f"its line {number} is garbled")
    except GuardianError as error:
        yield Finding(file=name, what=str(error))


def _stamped(look: _Look) -> Iterator[Finding]:
    """Each time stamp fits its signature, and ends in the root that lies beside it."""
    for name in look.present:
        seal = names.seal_of(name)
        if seal is None or not seal[1].endswith(".tsr"):
            continue
        authority = seal[1].split(".")[1]
        keys = [look.root / f"keys/tsa-{authority}-{which}.pem" for which in ("root", "chain")]
        data = look.root / f"{names.manifest(seal[0])}.sig"
        try:
            stamps.check(look.root / name, ["-data", str(data)], root=keys[0], chain=keys[1])
            stamps.check(
                look.root / name, ["-queryfile", str(look.root / name)[:-1] + "q"], root=keys[0], chain=keys[1]
            )
        except GuardianError as error:
            yield Finding(file=name, what=str(error))


def _hash(look: _Look, name: str) -> str | None:
    try:
        return files.sha256(look.root, name)
    except GuardianError:
        return None


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
