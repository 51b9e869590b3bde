"""Other people on this machine: processes with real uids and groups, and an interpreter that they may execute."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SERVICE, ON_CALL, OPERATOR, STRANGER = 61001, 61002, 61003, 61004
FREEZE_GROUP, OPERATE_GROUP = 60, 37  # games and operator: every Debian has them
RIGHTS = '[rights]\nread = ["games", "operator"]\nfreeze = ["games"]\noperate = ["operator"]\n'
LONGEST = 60.0


class Interpreter(NamedTuple):
    """What to execute, what to add to the environment, and the tree to stand in, so that our code is found."""

    path: str
    environment: dict[str, str]
    tree: Path


def ours() -> Interpreter:
    """The interpreter and the tree of this very run."""
    return Interpreter(sys.executable, {}, ROOT)


@functools.cache
def interpreter_for_all() -> Interpreter | None:
    """Ours, if everybody may reach it; else one of the same version with our packages, copied if need be; else None.

    A Python that root keeps in its home, and a tree in a directory of root's, are out of others' reach; giving others a
    capability would make them root.
    """
    packages = Path(sysconfig.get_paths()["purelib"])
    within_reach = _reachable(ROOT) and _reachable(packages)
    if within_reach and _reachable(Path(sys.executable)):
        return ours()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    known = (Path(sys.executable).resolve(), Path(f"/usr/bin/python{version}"))
    theirs = next((path for path in known if path.exists() and _reachable(path)), None)
    if theirs is None:
        return None
    tree, packages = (ROOT, packages) if within_reach else _copied(packages)
    return Interpreter(str(theirs), {"PYTHONPATH": str(packages)}, tree)


def _copied(packages: Path) -> tuple[Path, Path]:
    """Our code and its packages where everybody may read them, until this program ends."""
    place = Path(tempfile.mkdtemp(prefix="torture-tree-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    leave_out = shutil.ignore_patterns("__pycache__")
    for name in ("guardian", "adapters"):
        shutil.copytree(ROOT / name, place / name, ignore=leave_out)
    shutil.copytree(packages, place / "packages", ignore=leave_out)
    return place, place / "packages"


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
        user=uid, group=uid, extra_groups=groups, env=settled, cwd=python.tree,
        capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


def as_person(uid: int, groups: list[int], *words: str) -> subprocess.CompletedProcess[str]:
    """The command, typed by somebody else."""
    return run(uid, groups, "-m", "guardian", *words)
