"""Other people on this machine: processes with real uids and groups, and an interpreter that they may execute."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SERVICE, ON_CALL, OPERATOR, STRANGER = 61001, 61002, 61003, 61004
FREEZE_GROUP, OPERATE_GROUP = 60, 37  # games and operator: every Debian has them
RIGHTS = '[rights]\nread = ["games", "operator"]\nfreeze = ["games"]\noperate = ["operator"]\n'
LONGEST = 60.0


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


def missing() -> str:
    """What this machine or this user lacks to play several people; empty when nothing."""
    if os.geteuid() != 0:
        return "needs root, to become other people"
    if shutil.which("systemd-socket-activate") is None:
        return "needs systemd-socket-activate (Debian: systemd)"
    return "" if interpreter_for_all() else "needs an interpreter that others may execute"


def run(uid: int, groups: list[int], *words: str) -> subprocess.CompletedProcess[str]:
    """Python, started by somebody else."""
    python = interpreter_for_all()
    assert python is not None
    settled = {key: value for key, value in os.environ.items() if key != "HOME"} | python.environment
    return subprocess.run(
        [python.path, *words],
        user=uid, group=uid, extra_groups=groups, env=settled, cwd=ROOT,
        capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


def as_person(uid: int, groups: list[int], *words: str) -> subprocess.CompletedProcess[str]:
    """The command, typed by somebody else."""
    return run(uid, groups, "-m", "guardian", *words)
