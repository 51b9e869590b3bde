"""Permits: small files whose presence means go. Anything about one that is not exactly right means stop.

A permit names its scope, the epoch and the boot it was armed in, and the identity of the gate that is locked beside
it. The volatile one lies in memory and is what a send looks at; the durable one lies on disk and is what arming looks
at. Removing a file works on a full disk; writing a flag does not (research/reliability 2.1).
"""

from __future__ import annotations

import os
import stat

from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.scopes import OUR_TROUBLES, give_to_owner, sync_directory

if TYPE_CHECKING:
    from guardian.fence.house import House

HEAD = "guardian-permit 1"
MAX_BYTES = 512
_boot: list[str] = []


class Permit(NamedTuple):
    """A permit that was read and found to be right."""

    scope: str
    epoch: int
    boot: str
    gate: str


class Flaw(NamedTuple):
    """Why there is no permit: the send stops, whatever it is."""

    why: str


def boot_id() -> str:
    """The boot that this machine is in, as the kernel names it; read once, because it cannot change under a process."""
    if not _boot:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            _boot.append(file.read().strip())
    return _boot[0]


def read_volatile(house: House, scope: str) -> Permit | Flaw:
    """The permit a send needs: of this scope and of this boot.

    Raises OSError when the trouble is our own (no descriptor, no memory): that is no freeze to be written down.
    """
    found = _read(house.permit(scope), house.gates, scope)
    if isinstance(found, Permit) and found.boot != boot_id():
        return Flaw("its permit is of another boot")
    return found


def read_durable(house: House, scope: str) -> Permit | Flaw:
    """The permit that arming needs: of this scope, from whatever boot. Raises OSError as above."""
    return _read(house.durable(scope), house.permits, scope)


def write_volatile(house: House, scope: str, *, epoch: int, gate: str) -> None:
    """Say go. Only `arming` calls this, and only under the exclusive lock."""
    _write(house.permit(scope), house.gates, Permit(scope, epoch, boot_id(), gate))


def write_durable(house: House, scope: str, *, epoch: int) -> None:
    """Say that the scope may be armed after a start; on disk when this returns."""
    _write(house.durable(scope), house.permits, Permit(scope, epoch, boot_id(), "-"))
    sync_directory(house.permits)


def remove(path: str) -> None:
    """Remove a permit; one that is gone already is as good. Raises OSError when it stays."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _read(path: str, directory: str, scope: str) -> Permit | Flaw:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Flaw("it has no permit")
    except OSError as error:
        if error.errno in OUR_TROUBLES:
            raise
        return Flaw(f"its permit cannot be opened ({error.strerror})")
    try:
        flaw = _wrong_file(fd, directory)
        return Flaw(flaw) if flaw else _parse(os.read(fd, MAX_BYTES + 1), scope)
    except OSError as error:
        return Flaw(f"its permit cannot be read ({error.strerror})")
    finally:
        os.close(fd)


def _wrong_file(fd: int, directory: str) -> str:
    """What is wrong with the file itself, or with the directory that it lies in.

    Empty when it is a plain file of the right owner that nobody else may write, replace or remove.
    """
    found, place, me = os.fstat(fd), os.stat(directory), os.geteuid()
    if me != 0 and place.st_uid not in (0, me):
        return f"its directory belongs to uid {place.st_uid}"
    if place.st_mode & 0o022:
        return "its directory can be written by others"
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        return "its permit is no plain file with one name"
    if found.st_uid not in (0, place.st_uid):
        return f"its permit belongs to uid {found.st_uid}"
    if found.st_mode & 0o022:
        return "its permit can be written by others"
    return ""


def _parse(raw: bytes, scope: str) -> Permit | Flaw:
    lines = raw.decode("ascii", "replace").split("\n")
    keys = [line.partition("=")[0] for line in lines]
    if len(raw) > MAX_BYTES or lines[:1] != [HEAD] or keys[1:] != ["scope", "epoch", "boot", "gate", ""]:
        return Flaw("its permit is malformed")
    named, epoch, boot, gate = (line.partition("=")[2] for line in lines[1:5])
    if named != scope:
        return Flaw("its permit is of another scope")
    if not _is_count(epoch):
        return Flaw("its permit is malformed")
    return Permit(scope, int(epoch), boot, gate)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20  # noqa: PLR2004 (64 bits have 20 digits)


def _write(path: str, directory: str, permit: Permit) -> None:
    """Whole or not at all: written beside, made durable, then renamed into place."""
    text = f"{HEAD}\nscope={permit.scope}\nepoch={permit.epoch}\nboot={permit.boot}\ngate={permit.gate}\n"
    beside = f"{directory}/.{permit.scope}.{os.getpid()}.new"
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        give_to_owner(fd, directory)
        os.write(fd, text.encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(beside, path)
