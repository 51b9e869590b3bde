"""Tombstones: which files of other people's words were erased, by whom, when, on what ground. Reads only.

A tombstone is a line of `tombstones-N.jsonl`. It counts once seal N covers it; until then the file is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.evidence import canonical, files, manifest, names

if TYPE_CHECKING:
    from pathlib import Path

MOST = 8 << 20  # bytes of one file of tombstones


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What stands in place of files: their hashes by name; who, when (ms since 1970) and why."""

    files: dict[str, str]
    who: str
    at: int
    ground: str


def of(root: Path, n: int) -> list[Tombstone]:
    """The tombstones of phase n, sealed or not. What cannot be read is none."""
    try:
        lines = files.read(root, names.growing("tombstones.jsonl", n), limit=MOST).splitlines()
    except GuardianError:
        return []
    return [found for line in lines if (found := _parsed(line)) is not None]


def erased(root: Path) -> dict[str, str]:
    """Every file that a sealed tombstone stands for, with its hash."""
    found: dict[str, str] = {}
    n = 1
    while (root / names.manifest(n)).is_file():
        name = names.growing("tombstones.jsonl", n)
        try:
            sums = manifest.parsed(files.read(root, names.manifest(n), limit=MOST))
            counts = name in sums and sums[name] == files.sha256(root, name)
        except GuardianError:
            counts = False
        for one in of(root, n) if counts else []:
            found.update({key: value for key, value in one.files.items() if names.is_third_party(key)})
        n += 1
    return found


def _parsed(line: bytes) -> Tombstone | None:
    try:
        found = canonical.table(line)
        return Tombstone(files=dict(found["files"]), who=found["who"], at=found["at"], ground=found["ground"])
    except (GuardianError, ValueError, KeyError, TypeError):
        return None
