"""A root file system, the running one or one below a directory: what is in it, read with limits and never followed out.

For the running one, users and groups are what the system says (they may come from a directory service); for another
one, what its own passwd and group say.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
from pathlib import Path

from guardian.errors import GuardianError, Mistake

MOST = 1 << 20
ADMINISTRATORS = "/usr/sbin:/sbin"  # where useradd is, also for a root whose PATH has no such directory


class Tree:
    """One root. Paths are given as they are inside of it."""

    def __init__(self, root: str = "/") -> None:
        self.root = os.path.realpath(root)
        if not Path(self.root).is_dir():
            raise Mistake(f"cannot use {root}, because it is no directory", fix="name the root of a file system")

    @property
    def is_running(self) -> bool:
        """Whether it is the root of this very system."""
        return self.root == "/"

    def path(self, inside: str) -> Path:
        """Where it is from here. Raises GuardianError where a link leads out of the tree."""
        if self.is_running:
            return Path(inside)
        found = Path(f"{self.root}{inside}")
        if not found.parent.resolve().is_relative_to(self.root):
            raise GuardianError(f"cannot use {found}, because a link leads out of {self.root}", fix="run it inside")
        return found

    def is_there(self, inside: str) -> bool:
        """Whether anything has that name, a broken link included."""
        return os.path.lexists(self.path(inside))

    def names(self, inside: str) -> tuple[str, ...]:
        """What is in a directory; nothing where there is none."""
        try:
            return tuple(sorted(entry.name for entry in self.path(inside).iterdir()))
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def read(self, inside: str) -> str | None:
        """A file's text; None where nothing lies. What is no plain file, or too long, reads as something else's."""
        place = self.path(inside)
        try:
            fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            if isinstance(error, PermissionError):
                raise
            return ""
        with os.fdopen(fd, "rb") as file:
            return file.read(MOST).decode("utf-8", "replace") if stat.S_ISREG(os.fstat(fd).st_mode) else ""

    def link(self, inside: str) -> str | None:
        """Where a link points to; None for anything else."""
        try:
            return os.readlink(self.path(inside))  # noqa: PTH115 (as it is written there)
        except OSError:
            return None

    def owned(self, inside: str) -> tuple[int, str, str] | None:
        """A directory's mode, user and group by name; None where nothing lies. Raises GuardianError for a file."""
        place = self.path(inside)
        try:
            seen = place.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISDIR(seen.st_mode):
            raise GuardianError(f"cannot use {place}, because it is no directory", fix="move it away")
        return stat.S_IMODE(seen.st_mode), self._user(seen.st_uid), self._group(seen.st_gid)

    def uid(self, user: str) -> int | None:
        """A user's number; None where there is no such user."""
        if self.is_running:
            try:
                return pwd.getpwnam(user).pw_uid
            except KeyError:
                return None
        return next((int(row[2]) for row in self._rows("/etc/passwd") if row[0] == user), None)

    def gid(self, group: str) -> int | None:
        """A group's number; None where there is no such group."""
        if self.is_running:
            try:
                return grp.getgrnam(group).gr_gid
            except KeyError:
                return None
        return next((int(row[2]) for row in self._rows("/etc/group") if row[0] == group), None)

    def _user(self, uid: int) -> str:
        if self.is_running:
            try:
                return pwd.getpwuid(uid).pw_name
            except KeyError:
                return str(uid)
        known = (row[0] for row in self._rows("/etc/passwd") if row[2] == str(uid))
        return next(known, "root" if uid == 0 else str(uid))

    def _group(self, gid: int) -> str:
        if self.is_running:
            try:
                return grp.getgrgid(gid).gr_name
            except KeyError:
                return str(gid)
        known = (row[0] for row in self._rows("/etc/group") if row[2] == str(gid))
        return next(known, "root" if gid == 0 else str(gid))

    def _rows(self, inside: str) -> list[list[str]]:
        rows = [line.split(":") for line in (self.read(inside) or "").splitlines()]
        return [row for row in rows if len(row) > 3 and row[2].isdecimal()]  # noqa: PLR2004 (name, x, number, and more)


def program(name: str) -> str | None:
    """One of this system's own programs; it works on another tree, too."""
    return shutil.which(name) or shutil.which(name, path=ADMINISTRATORS)
