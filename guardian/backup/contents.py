"""What of a house's state belongs into a backup, and what does not. Pure, but for what lists directories.

The store's copy, the files that posts show, the evidence with its keys, what was put off on the platforms, sealed
logins, and the small records beside them. Not the fence: a house that is restored comes up frozen.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from guardian.store.database import STORE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIRECTORIES = ("spool", "evidence", "natives", "sessions")  # each changes in its own way: docs/backup.md
SESSIONS, SEALED = "sessions", ".sealed"  # beside the sealed logins there lie locks, which are nobody's memory
NOT_KEPT = ("spool/incoming",)
LAST, RESTORING = "last-backup.json", "restoring.json"
NOT_RECORDS = (LAST, RESTORING)
PLAIN = re.compile(r"[^/\0]{1,255}")
RECORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.json")
LONGEST, DEEPEST = 1000, 12
SILENT = re.compile(r"guardian\.db(-wal|-shm|-journal)?|guardian\.lock|fence|backups|before-\d{4}\.db|\..*|lost\+found")


def is_name(name: str) -> bool:
    """Whether it can be the name of a file of a backup: nothing that leads anywhere else."""
    if name == STORE or is_record(name):
        return True
    parts = name.split("/")
    plain = all(PLAIN.fullmatch(part) and part not in (".", "..") for part in parts)
    return plain and parts[0] in DIRECTORIES and 1 < len(parts) <= DEEPEST and len(name) <= LONGEST


def is_record(name: str) -> bool:
    """Whether it is one of the small records that lie beside the store, such as the last drill's."""
    return RECORD.fullmatch(name) is not None and name not in NOT_RECORDS


def files_of(state_dir: Path) -> Iterator[tuple[str, Path]]:
    """Every file that belongs into a backup beside the store, by its name there. What is no plain file is passed over.

    Half-written ones begin with a dot, and are left out, too. A name that no backup can have raises ValueError.
    """
    for entry in sorted(os.scandir(state_dir), key=lambda one: one.name):
        if is_record(entry.name) and entry.is_file(follow_symlinks=False):
            yield entry.name, state_dir / entry.name
    for directory in DIRECTORIES:
        if (state_dir / directory).is_dir() and not (state_dir / directory).is_symlink():
            yield from _below(state_dir, directory)


def entries_of(state_dir: Path) -> list[str]:
    """What of a house is moved aside when another takes its place: the store with its log, directories, records."""
    found = [name for name in os.listdir(state_dir) if is_record(name) or name in DIRECTORIES]  # noqa: PTH208 (names)
    store = [f"{STORE}-wal", f"{STORE}-shm", f"{STORE}-journal", STORE]  # the log first: it must not meet another store
    return [name for name in store if os.path.lexists(state_dir / name)] + sorted(found)


def left_out(state_dir: Path, runtime_dir: str) -> list[str]:
    """What else lies there, and is in no backup: named, so that nobody is surprised later."""
    known = {*DIRECTORIES, LAST, RESTORING}
    names = sorted(os.listdir(state_dir))  # noqa: PTH208 (names)
    return [
        name
        for name in names
        if name not in known
        and not is_record(name)
        and not SILENT.fullmatch(name)
        and str(state_dir / name) != runtime_dir
    ]


def is_lived_in(state_dir: Path) -> bool:
    """Whether somebody's work lies there. A house that was only set up has a sealing key, and nothing more."""
    if not state_dir.is_dir():
        return False
    return any(name.startswith(STORE) for name in entries_of(state_dir)) or any(
        not name.startswith("evidence/keys/") for name, _ in files_of(state_dir)
    )


def _below(state_dir: Path, name: str) -> Iterator[tuple[str, Path]]:
    try:
        found = sorted(os.scandir(state_dir / name), key=lambda one: one.name)
    except FileNotFoundError:
        return  # let go meanwhile, by retention or the broom
    for entry in found:
        inner = f"{name}/{entry.name}"
        if inner in NOT_KEPT or entry.name.startswith(".") or (name == SESSIONS and not entry.name.endswith(SEALED)):
            continue
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(mode):
            yield from _below(state_dir, inner)
        elif stat.S_ISREG(mode):
            if not is_name(inner):
                raise ValueError(inner)
            yield inner, state_dir / inner
