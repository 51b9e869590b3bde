"""Gate files and the kernel's locks on them: who holds one, and how to hold it oneself.

Locks are `flock` only: POSIX record locks vanish when any descriptor of the file is closed, and the locks of open file
descriptions do not show their owner in /proc/locks. A gate is opened anew for every use, never inherited, never
removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.scopes import give_to_owner, make_passable, make_private

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House

LOCKS = "/proc/locks"
MAX_LOCKS_BYTES = 4 << 20
FIRST_NAP = 0.0002
LONGEST_NAP = 0.005
IDENTITY_BYTES = 16


class Holder(NamedTuple):
    """A process that holds a lock on a gate; `exclusive` is a freeze or an arming, the others are sends."""

    pid: int
    exclusive: bool


class Gate(NamedTuple):
    """An open gate file. `fresh`: it was missing, or holds no number, so it vouches for nobody who runs already."""

    fd: int
    fresh: bool


def open_shared(house: House, scope: str) -> int:
    """Open a gate to pass through it; a missing, odd or foreign one raises OSError. Closed on exec."""
    fd = os.open(house.gate(scope), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    found, why = os.fstat(fd), ""
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        why = "it is no plain file with one name"
    elif found.st_uid not in (0, os.stat(house.gates).st_uid):
        why = f"it belongs to uid {found.st_uid}"
    if why:
        os.close(fd)
        raise OSError(errno.EINVAL, why, house.gate(scope))
    return fd


def open_exclusive(house: House, scope: str) -> Gate:
    """Open a gate to close it, and make it where it is missing (after a boot, or in a house that never ran)."""
    make_passable(house.runtime_dir)
    make_private(house.gates)
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(house.gate(scope), flags)
    except FileNotFoundError:
        fd = os.open(house.gate(scope), flags | os.O_CREAT, 0o600)
        give_to_owner(fd, house.gates)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no plain file", house.gate(scope))
    return Gate(fd, fresh=not identity(fd))


def identity(fd: int) -> str:
    """What is written in a gate: a number that no other file has (inodes are used again); empty in one just made."""
    return os.pread(fd, IDENTITY_BYTES, 0).decode("ascii", "replace")


def identify(fd: int) -> str:
    """The same, written now if there is none. Only under the exclusive lock, when nobody can be inside another gate."""
    if not identity(fd):
        os.pwrite(fd, os.urandom(IDENTITY_BYTES // 2).hex().encode(), 0)
    return identity(fd)


def try_exclusive(fd: int) -> bool:
    """Take the exclusive lock if nobody holds any."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def try_shared(fd: int) -> bool:
    """Take the shared lock if nobody holds the exclusive one."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_exclusive(fd: int, until: float, on_miss: Callable[[], None]) -> bool:
    """Poll for the exclusive lock until `until` (monotonic seconds); `on_miss` sees every failed try.

    Polled and not waited for: a waiting flock can be ended by nothing but a signal, and a freeze must always come back.
    """
    nap = FIRST_NAP
    while not try_exclusive(fd):
        on_miss()
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(nap, left))
        nap = min(nap * 1.5, LONGEST_NAP)
    return True


def same_file(fd: int, path: str) -> bool:
    """Whether `path` still names the file that `fd` holds: a lock on a gate that was replaced proves nothing."""
    mine = os.fstat(fd)
    try:
        theirs = os.lstat(path)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino)


def holders(fd: int) -> tuple[Holder, ...]:
    """Who holds a lock on this file, by the kernel's own list; processes outside our pid namespace show as 0."""
    found = os.fstat(fd)
    mine = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with open(LOCKS, "rb") as file:
        lines = file.read(MAX_LOCKS_BYTES).decode("ascii", "replace").splitlines()
    seen = []
    for line in lines:
        words = line.split()
        # "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF"; a waiter has "->" in second place and holds nothing
        if len(words) >= 6 and words[1] == "FLOCK" and words[5] == mine and words[4].isdigit():  # noqa: PLR2004
            seen.append(Holder(int(words[4]), words[3] == "WRITE"))
    return tuple(seen)


def pid_in(path: str) -> int | None:
    """The pid that the last owner of a lock for life wrote into it, dead or alive; None when there is none.

    For watching only: reading the kernel's list of locks costs 10 ms (it waits for every processor), and a stop has
    better things to do.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        text = os.read(fd, 32).strip()
    finally:
        os.close(fd)
    return int(text) if text.isdigit() else None


def locker(path: str) -> int | None:
    """The pid of whoever holds `path` exclusively for life, by the kernel's list; None when nobody does.

    Raises PermissionError for those who may not look.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except PermissionError:
        raise
    except OSError:
        return None
    try:
        return next((holder.pid for holder in holders(fd) if holder.exclusive), None)
    finally:
        os.close(fd)


def owner(path: str) -> int | None:
    """The same for the stop, which must not overlook anybody: 0 is an owner whom this pid namespace does not show.

    For an instant it holds the lock itself to find that out; a daemon that starts just then is refused.
    """
    pid = locker(path)
    if pid is not None:
        return pid
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        return None if try_shared(fd) else 0
    finally:
        os.close(fd)


def lock_for_life(path: str) -> int | None:
    """Lock `path` exclusively and write our pid into it; None when another process has it. Keep the descriptor open."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if not try_exclusive(fd):
        os.close(fd)
        return None
    give_to_owner(fd, os.path.dirname(path))
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd
