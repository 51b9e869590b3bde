"""What an installation may do to a tree, one kind a class: each says itself in a line, and does what it says."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guardian.errors import GuardianError, Refusal
from guardian.fence import reading
from guardian.fence.house import House

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.install.tree import Tree

LONGEST = 180.0  # seconds: a daemon that is stopped finishes what it is sending
MOST_SAID = 500


class Step(Protocol):
    """One thing to do."""

    @property
    def line(self) -> str:
        """It, in words."""

    def do(self, tree: Tree) -> None:
        """It, done. Raises GuardianError or OSError."""


@dataclass(frozen=True, slots=True)
class Write:
    """A file for everybody to read, in place of what may lie there; directories on the way are made."""

    path: str
    text: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"write {self.path}"

    def do(self, tree: Tree) -> None:
        """Whole or not at all."""
        place = tree.path(self.path)
        _make_way(place.parent)
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                os.fchmod(fd, 0o644)  # whatever the umask: no secret is in it
                file.write(self.text)
                file.flush()
                os.fsync(fd)
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


@dataclass(frozen=True, slots=True)
class Run:
    """A program of the system, for what it is run in words."""

    words: tuple[str, ...]
    why: str

    @property
    def line(self) -> str:
        """The command as somebody would type it."""
        return f"run {shlex.join(self.words)}   # {self.why}"

    def do(self, tree: Tree) -> None:  # noqa: ARG002 (the words name the tree)
        """Run it; its last words are in the error if it fails."""
        try:
            done = subprocess.run(  # noqa: S603 (our own words, no shell)
                self.words, capture_output=True, text=True, errors="replace", timeout=LONGEST, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise GuardianError(
                f"cannot wait any longer for {shlex.join(self.words)}, because it takes more than {LONGEST:.0f} s",
                fix="look at it, then run this again",
            ) from None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}")[-MOST_SAID:]
            raise GuardianError(
                f"cannot go on, because {shlex.join(self.words)} failed: {said}", fix="mend that, then run this again"
            )


@dataclass(frozen=True, slots=True)
class Make:
    """A directory with its owner and mode, where no systemd-tmpfiles is there to do it."""

    path: str
    mode: int
    user: str
    group: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"make {self.path} {self.mode:04o} {self.user}:{self.group}"

    def do(self, tree: Tree) -> None:
        """Make it, or put it right. A link in its place is refused, and never followed."""
        uid, gid = tree.uid(self.user), tree.gid(self.group)
        if self.user != "root" and (uid is None or gid is None):
            raise GuardianError(f"cannot give {self.path} to {self.user}, because there is no such user or group")
        place = tree.path(self.path)
        _make_way(place.parent)
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(fd, uid or 0, gid or 0)
            os.fchmod(fd, self.mode)
        finally:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class Link:
    """A link to what lies elsewhere in the same tree."""

    path: str
    target: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"link {self.path} to {self.target}"

    def do(self, tree: Tree) -> None:
        """Lay it; what lies there already is never replaced."""
        place = tree.path(self.path)
        _make_way(place.parent)
        place.symlink_to(self.target)


@dataclass(frozen=True, slots=True)
class Remove:
    """A file or a link."""

    path: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"remove {self.path}"

    def do(self, tree: Tree) -> None:
        """Remove it, if it is still there."""
        tree.path(self.path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class RemoveTree:
    """A directory with all that is in it."""

    path: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"remove {self.path} and all in it"

    def do(self, tree: Tree) -> None:
        """Remove it; no link inside of it is followed."""
        shutil.rmtree(tree.path(self.path))


@dataclass(frozen=True, slots=True)
class RemoveEmpty:
    """A directory that nothing is left in."""

    path: str

    @property
    def line(self) -> str:
        """As a command would say it."""
        return f"remove {self.path}, which is empty then"

    def do(self, tree: Tree) -> None:
        """Remove it, unless somebody has put something there meanwhile."""
        with contextlib.suppress(OSError):
            tree.path(self.path).rmdir()


@dataclass(frozen=True, slots=True)
class Quiet:
    """Look that no daemon runs in the house: its files are about to go."""

    house: House

    @property
    def line(self) -> str:
        """What is looked at."""
        return f"look that no daemon runs in {self.house.runtime_dir}"

    def do(self, tree: Tree) -> None:
        """Raise Refusal when one runs."""
        must_be_quiet(tree, self.house)


def must_be_quiet(tree: Tree, house: House) -> None:
    """Refuse to touch a house in which a daemon runs."""
    there = House(str(tree.path(house.state_dir)), str(tree.path(house.runtime_dir)))
    state, pid = reading.daemon_state(there)
    if state != "absent":
        raise Refusal(
            f"cannot take away a house in which a daemon runs (pid {pid}, which systemd did not start or cannot stop)",
            fix=f"stop it first: kill {pid}, it finishes what it is sending; then run this again",
        )


def _make_way(parent: Path) -> None:
    """The directories above, root's and open to look at, whatever the umask."""
    missing = [one for one in (parent, *parent.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o755, exist_ok=True)
        one.chmod(0o755)
