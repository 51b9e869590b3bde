"""Other people on this machine: processes with real uids and groups, and an interpreter that they may execute."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple


class Interpreter(NamedTuple):
    """What to execute, and what to add to the environment."""

    path: str
    environment: dict[str, str]


def interpreter_for_all() -> Interpreter | None:
    """Our interpreter, if everybody may reach it; else the system's of the same version with our packages; else None.

    A Python that root keeps in its home is out of others' reach, and giving them a capability would make them root.
    """
    if _reachable(Path(sys.executable)):
        return Interpreter(sys.executable, {})
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    theirs = Path(f"/usr/bin/python{version}")
    packages = sysconfig.get_paths()["purelib"]
    if theirs.exists() and _reachable(theirs) and _reachable(Path(packages)):
        return Interpreter(str(theirs), {"PYTHONPATH": packages})
    return None


def _reachable(path: Path) -> bool:
    """Whether others may pass through every directory on the way, links included, and execute what is there."""
    links = [path]
    while links[-1].is_symlink() and len(links) < 10:
        links.append(links[-1].parent / os.readlink(links[-1]))  # noqa: PTH115 (a link may be relative)
    wanted = {parent for link in [*links, path.resolve()] for parent in link.absolute().parents} | {path.resolve()}
    return all(one.exists() and one.stat().st_mode & stat.S_IXOTH for one in wanted)
