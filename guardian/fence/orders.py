"""Orders that are left on the disk for a daemon that could not hear them: written by the freeze, read by the daemon.

One file for each order, `STATE_DIR/fence/orders/KEY.json`, readable by the house alone. The key makes it one order
however often it arrives. A person withdraws an order by removing its file; the daemon removes it once it is in the
store, and sets aside what it cannot read (`.bad`).
"""

from __future__ import annotations

import os

from guardian.fence.light import TYPE_CHECKING
from guardian.fence.scopes import give_to_owner, make_private, sync_directory

if TYPE_CHECKING:
    from guardian.fence.house import House

ENDING, BAD = ".json", ".bad"
MOST_BYTES = 256 * 1024
MOST_ORDERS = 1000
LETTERS = frozenset("0123456789abcdef")
KEY_LENGTH = 32
NOT_LEFT = (
    "nothing was left for the daemon to do, because this user may not write into the house, do ask again when it runs, "
    "or do it by hand"
)


def directory_of(house: House) -> str:
    """Where orders lie."""
    return f"{house.permits}/orders"


def path_of(house: House, key: str) -> str:
    """The file of an order."""
    return f"{directory_of(house)}/{key}{ENDING}"


def is_key(text: str) -> bool:
    """Whether it is a key as the freeze makes one, and thus no path to somewhere else."""
    return len(text) == KEY_LENGTH and LETTERS.issuperset(text)


def leave(house: House, order: dict[str, object]) -> str:
    """Write an order down, whole or not at all, durably; empty on success, else why not."""
    import json  # never before CONFIRMED

    where, key = directory_of(house), str(order["key"])
    beside = f"{where}/.{key}.{os.getpid()}"
    raw = json.dumps(order, ensure_ascii=True).encode("ascii")
    if len(raw) > MOST_BYTES:
        return "it is too long"
    try:
        make_private(where)
        if len(os.listdir(where)) >= MOST_ORDERS:
            return f"{where} is full of orders"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            give_to_owner(fd, where)
            while raw:
                raw = raw[os.write(fd, raw) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(beside, path_of(house, key))
        sync_directory(where)
    except OSError as error:
        _forget(beside)
        return f"{error.filename or where}: {error.strerror}"
    return ""


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
