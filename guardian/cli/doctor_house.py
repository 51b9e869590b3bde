"""What the doctor sees of the host: clock, disks, sockets, the configuration and the files of secrets."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.cli import render
from guardian.cli.findings import Finding, unchecked, warning, well, wrong
from guardian.config import secret_files
from guardian.fence import limited
from guardian.fence.house import House
from guardian.machine import kept_right_by_systemd
from guardian.rules.readiness import Verdict, of_room

if TYPE_CHECKING:
    from guardian.config import Settings

MIB = 1 << 20
STATE_ENOUGH, STATE_LEAST = 1024 * MIB, 200 * MIB
RUNTIME_ENOUGH, RUNTIME_LEAST = 4 * MIB, 1 * MIB
INODES_ENOUGH, INODES_LEAST = 10_000, 1_000
OTHERS = 0o007
DISK_WITHIN = 3.0


def clock(kept_right: bool | None) -> Finding:
    """By the kernel's word; by systemd's where the kernel may not be asked."""
    found = kept_right_by_systemd() if kept_right is None else kept_right
    if found is None:
        return unchecked("clock", "neither the kernel nor systemd could be asked", "run it as root")
    if found:
        return well("clock", "kept right")
    return wrong("clock", "nobody keeps this host's clock right", "timedatectl set-ntp true, or start chrony")


def disk_answers(house: House) -> Finding | None:
    """None where it does; nothing else may touch a disk that hangs."""
    said = limited.within(lambda: _touch(house.state_dir), DISK_WITHIN)
    if not said:
        return None
    return wrong("space", said, "look at the kernel's log (dmesg) and at the disk", house.state_dir)


def _touch(path: str) -> str:
    try:
        os.listdir(path)  # noqa: PTH208 (as the fence speaks)
    except PermissionError:
        return ""
    except OSError as error:
        return error.strerror or "it cannot be read"
    return ""


def room(house: House) -> Iterator[Finding]:
    """Bytes and inodes of both directories."""
    places = ((house.state_dir, STATE_ENOUGH, STATE_LEAST), (house.runtime_dir, RUNTIME_ENOUGH, RUNTIME_LEAST))
    for path, enough, least in places:
        try:
            found = os.statvfs(path)
        except OSError as error:
            yield unchecked("space", str(error.strerror), "run it as root or as the service user", path)
            continue
        free = found.f_bavail * found.f_frsize
        words = f"{free // MIB} MiB free"
        yield _room("space", path, of_room(free, enough=enough, least=least), words)
        if found.f_files:  # some file systems do not count them
            verdict = of_room(found.f_favail, enough=INODES_ENOUGH, least=INODES_LEAST)
            yield _room("inodes", path, verdict, f"{found.f_favail} files more can be made")


def _room(check: str, path: str, verdict: Verdict, words: str) -> Finding:
    fix = "" if verdict is Verdict.WELL else "make room there: du -x -h -d 2 names what is large"
    return Finding(check=check, verdict=verdict, about=path, words=words, fix=fix)


def socket_file(check: str, path: str, groups: Sequence[str]) -> Finding | None:
    """What is wrong with who may open a socket; None: nothing, or it is not there, which others say."""
    try:
        found = os.stat(path)  # noqa: PTH116 (as the fence speaks)
    except OSError:
        return None
    if found.st_mode & OTHERS:
        fix = f"chmod o= {path}, and SocketMode=0660 in its unit"
        return wrong(check, f"everybody on this host may open it (mode {stat.S_IMODE(found.st_mode):04o})", fix, path)
    if groups and _name_of_group(found.st_gid) not in groups and any(_exists(group) for group in groups):
        why = f"it belongs to the group {_name_of_group(found.st_gid)}, and [rights] names {', '.join(groups)}"
        return warning(check, why, f"chgrp {groups[0]} {path}, and SocketGroup= in its unit", path)
    return None


def configuration(path: Path, house: House, faults: Sequence[object]) -> Iterator[Finding]:
    """Mistakes in it, and who may write it."""
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        yield wrong("config", f"{faults[0]}{more}", "guardian config check names all of it", str(path))
    found = path.stat()
    owners = {0, found.st_uid if not os.path.exists(house.state_dir) else os.stat(house.state_dir).st_uid}  # noqa: PTH110, PTH116 (as the fence speaks)
    if found.st_mode & 0o022 or found.st_uid not in owners:
        fix = f"chown root {path}; chmod go-w {path}"
        yield wrong("config", "others may write it, and name another house or another token in it", fix, str(path))


def secrets(path: Path, house: House) -> list[Finding]:
    """Each file that the configuration names: the service user must be able to read it, and nobody else may."""
    owner = os.stat(house.state_dir).st_uid  # noqa: PTH116 (as the fence speaks)
    found = [one for account, key, place in secret_files.named(path) if place.kind == "file"
             if (one := _secret(f"{account}.{key}", place.place, owner))]  # fmt: skip
    return found or [well("secret", "nobody else may read them")]


def _secret(about: str, path: str, owner: int) -> Finding | None:
    try:
        seen = os.stat(path)  # noqa: PTH116 (as it stands in the configuration)
    except PermissionError:
        return unchecked("secret", "its directory is closed to you", "run it as root or as the service user", about)
    except OSError as error:
        return wrong("secret", f"{path}: {error.strerror}", "store the secret there (docs/accounts)", about)
    if seen.st_mode & OTHERS:
        fix = f"chmod o= {path}, have the platform renew it, then reload"
        return wrong("secret", f"{path} can be read by everybody on this host", fix, about)
    if not _can_read(seen, owner):
        who = _name_of_user(owner)
        fix = f"chown {who} {path}"
        return wrong("secret", f"{path} cannot be read by {who}: the next start, or reload, would fail", fix, about)
    return None


def _can_read(seen: os.stat_result, uid: int) -> bool:
    if uid in (0, seen.st_uid):
        return uid == 0 or bool(seen.st_mode & stat.S_IRUSR)
    try:
        who = pwd.getpwuid(uid)
        groups = os.getgrouplist(who.pw_name, who.pw_gid)
    except KeyError:
        groups = [uid]
    return bool(seen.st_mode & stat.S_IRGRP) and seen.st_gid in groups


def stale(path: Path, config: dict[str, object], settings: "Settings | None") -> Iterator[Finding]:
    """Whether what the daemon goes by is what stands in the file."""
    if config["state"] == "refused":
        fix = "correct it, then systemctl reload guardian"
        yield wrong("config", f"the daemon refused it at {render.local(str(config['at']))}: {config['why']}", fix)
    elif settings is not None and path.stat().st_mtime > _seconds(str(config["at"])):
        yield warning("config", "it was changed since the daemon read it", "systemctl reload guardian", str(path))


def _seconds(at: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(at).timestamp()


def _exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True


def any_group(groups: Sequence[str]) -> bool:
    """Whether any of these groups is one on this host."""
    return any(_exists(group) for group in groups)


def _name_of_group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _name_of_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
