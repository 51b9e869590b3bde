"""Where the installed programs lie, and whether units could start them from there."""

from __future__ import annotations

import os
import re
import stat
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import guardian
from guardian.errors import Mistake

if TYPE_CHECKING:
    from guardian.install.tree import Tree

PROGRAMS = ("guardian", "guardian-fence-agent")
PLAIN = re.compile(r"/[A-Za-z0-9._+/-]*")  # what needs no quoting in a unit
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 (ProtectHome= and PrivateTmp= hide them)
HOW = "as docs/installing.md says: python3 -m venv /opt/guardian && /opt/guardian/bin/pip install PACKAGE"


def directory(tree: Tree, given: str | None) -> str:
    """The directory of the programs as the tree sees it: the one that is given, else that of the one which runs.

    Raises Mistake when they are not there, or not where a unit may start them.
    """
    place = given.rstrip("/") if given else _ours()
    if not place or not PLAIN.fullmatch(place):
        raise Mistake(f"cannot name {place!r} in a unit, because it is no plain path", fix="name another: --bin DIR")
    for name in PROGRAMS:
        if not tree.is_there(f"{place}/{name}"):
            raise Mistake(
                f"cannot install, because there is no program {tree.path(f'{place}/{name}')}", fix=f"install it, {HOW}"
            )
    if tree.is_running:
        _must_be_reachable(place, own=given is None)
    return place


def _ours() -> str:
    places = (sysconfig.get_path("scripts"), str(Path(sys.argv[0]).resolve().parent))
    return next((one for one in places if all(Path(one, name).exists() for name in PROGRAMS)), places[0])


def _must_be_reachable(place: str, *, own: bool) -> None:
    """Whether the service user gets to programs, interpreter and package, under a unit that hides people's places."""
    needed = [Path(place, name) for name in PROGRAMS]
    if own:
        needed += [Path(sys.executable), Path(guardian.__file__).parent]
    for path in needed:
        real = path.resolve()
        hidden = next((one for one in HIDDEN if real.is_relative_to(one)), None)
        if hidden:
            why = f"the units hide {hidden}, and {real} lies in it"
            raise Mistake(f"cannot install, because {why}", fix=f"install it elsewhere, {HOW}")
        closed = next((one for one in (real, *real.parents) if not _open_to_all(one)), None)
        if closed:
            raise Mistake(
                f"cannot install, because the service user could not reach {real}",
                fix=f"open {closed} to others (chmod o+rx), or install it elsewhere, {HOW}",
            )


def _open_to_all(path: Path) -> bool:
    return bool(os.stat(path).st_mode & stat.S_IXOTH)  # noqa: PTH116 (a resolved path)
