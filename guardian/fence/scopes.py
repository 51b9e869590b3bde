"""Scopes: what a freeze can name, and the list of those that were ever armed.

`all`, `platform:NAME`, `brand:NAME`, `account:NAME`. A send belongs to every scope that covers it and needs all of them
armed, so a narrow thaw can never lift a wide freeze. The name of a scope is also the name of its files.
"""

from __future__ import annotations

import errno
import os
import stat

from guardian.fence import limited
from guardian.fence.light import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.fence.house import House

KINDS = ("platform", "brand", "account")
PRIVATE = "drill"  # of no account: a self-test arms it, stops it and takes it away, and no list ever has it
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
MORE = LETTERS | frozenset("._-")
MAX_NAME = 63
MAX_LIST_BYTES = 1 << 20
LIST_LIMIT = 2.0
DENIED = "not allowed"
OUR_TROUBLES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def is_name(text: str) -> bool:
    """Whether `text` can name an account, a brand or a platform (and thus a file)."""
    return 0 < len(text) <= MAX_NAME and text[0] in LETTERS and MORE.issuperset(text)


def is_scope(text: str) -> bool:
    """Whether `text` is written as a scope is written; whether it exists is another matter."""
    kind, colon, name = text.partition(":")
    return text == "all" or (bool(colon) and kind in (*KINDS, PRIVATE) and is_name(name))


def is_private(scope: str) -> bool:
    """Whether it is a self-test's own: no send belongs to it."""
    return scope.startswith(f"{PRIVATE}:")


def listed(house: House) -> tuple[str, ...]:
    """Every scope that was ever armed in this house, sorted. Raises OSError when the list cannot be read.

    A line that is no scope is passed over: it can only be the torn end of a scope that never got its first permit.
    """
    try:
        fd = os.open(house.scopes, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return ()
    with os.fdopen(fd, "rb") as file:
        lines = file.read(MAX_LIST_BYTES).decode("ascii", "replace").split("\n")
    return tuple(sorted({line for line in lines if is_scope(line) and not is_private(line)}))


def enlist(house: House, scope: str) -> None:
    """Put `scope` on the list, durably.

    Appending needs no lock; a line begins with its own newline, so that a torn one before it cannot swallow it. A
    private one is never put there: taking it off again would need a lock.
    """
    if is_private(scope) or scope in listed(house):
        return
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(house.scopes, flags, 0o600)
    try:
        give_to_owner(fd, house.permits)
        os.write(fd, f"\n{scope}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_directory(house.permits)


def exists(house: House, scope: str) -> bool:
    """Whether the house knows `scope`.

    Looks for its gate first, so that a hanging disk is touched only when it must be, and then for a limited time.
    Raises OSError when it cannot be told.
    """
    if scope == "all" or os.path.lexists(house.gate(scope)):
        return True

    def look() -> str:
        try:
            return scope if scope in listed(house) else ""
        except PermissionError:
            return DENIED
        except OSError as error:
            return str(error.strerror)

    said = limited.within(look, LIST_LIMIT)
    if said == DENIED:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), house.scopes)
    if said not in ("", scope):
        raise OSError(
            f"cannot tell whether this house has the scope {scope!r}, because of {house.scopes}: {said}, do stop "
            "everything: guardian freeze"
        )
    return said == scope


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def give_to_owner(fd: int, directory: str) -> None:
    """What root makes belongs to whom the directory belongs to: the service user must be able to use it."""
    if os.geteuid() == 0:
        owner = os.stat(directory)
        os.fchown(fd, owner.st_uid, owner.st_gid)


def make_private(path: str) -> None:
    """Make a directory that only its owner may enter, owned as the one above is; an existing one is left alone."""
    _make(path, 0o700)


def make_passable(path: str) -> None:
    """Make a directory that everybody may pass through: what lies in it protects itself (the sockets, the fence)."""
    _make(path, 0o755)


def _make(path: str, mode: int) -> None:
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is no directory of its own", path) from None
        return
    os.chmod(path, mode)  # whatever the umask took away
    if os.geteuid() == 0:
        owner = os.stat(os.path.dirname(path))
        os.chown(path, owner.st_uid, owner.st_gid)
