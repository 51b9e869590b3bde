"""A unit's sandbox without systemd: this program applies what a unit file says to itself, then becomes its program.

    unshare --mount --ipc --propagation private python -m tests.system.cage ORDERS.json [WORDS...]

Needs root. Mounts as ProtectSystem=strict and its like make them, the system-call filters by libseccomp, no write and
execute, no capabilities, no new privileges, the unit's limits and umask, the service user. What a unit sets and nobody
here knows is an error: a setting must not be believed to be tested that is not.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.system import cage_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLIED = frozenset(
    {
        "User", "Group", "StateDirectory", "StateDirectoryMode", "ReadWritePaths", "ProtectSystem", "ProtectHome",
        "PrivateTmp", "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateNetwork", "RestrictAddressFamilies",
        "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "ProtectControlGroups", "ProtectProc", "RestrictNamespaces", "RestrictSUIDSGID",
        "LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter",
        "SystemCallErrorNumber", "LimitCORE", "LimitNOFILE", "UMask", "ExecStart",
    }
)  # fmt: skip
IMPLIED = frozenset({"ProtectClock", "ProtectHostname", "RestrictRealtime"})  # none of their calls is on the list
NOT_HERE = frozenset(  # control groups, the kernel's BPF, keyrings, and what concerns systemd alone
    {
        "IPAddressDeny", "DevicePolicy", "KeyringMode", "RemoveIPC", "TasksMax", "MemoryMax", "OOMPolicy", "Type",
        "NotifyAccess", "ExecReload", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec", "WatchdogSignal", "Restart",
        "RestartSec", "RestartPreventExitStatus", "KillMode", "RuntimeMaxSec", "OOMScoreAdjust",
    }
)  # fmt: skip
BIND, REC, RDONLY, NOSUID, NODEV, NOEXEC = 0x1000, 0x4000, 1, 2, 4, 8
AT_FDCWD, AT_RECURSIVE, MOUNT_SETATTR = -100, 0x8000, 442
CAPBSET_DROP, SET_NO_NEW_PRIVS, LAST_CAP = 24, 38, 40
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
KEPT = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
_libc = ctypes.CDLL(None, use_errno=True)


class Attributes(ctypes.Structure):
    """Of mounts."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def main(orders: dict[str, Any], more: list[str]) -> None:
    """Become the unit's program. Does not return."""
    unit: dict[str, str] = orders["unit"]
    unknown = set(unit) - APPLIED - IMPLIED - NOT_HERE
    assert not unknown, f"the cage does not know {sorted(unknown)}"
    _furnish(unit, orders)
    _read_only(unit, orders["binds"])
    environment = {**orders["environment"], **{name: os.environ[name] for name in KEPT if name in os.environ}}
    os.chdir("/")
    _become(unit, orders)
    cage_filter.load(unit, orders["calls"])
    os.execve(orders["python"], [orders["python"], *orders["words"], *more], environment)  # noqa: S606 (as systemd starts it)


def _furnish(unit: Mapping[str, str], orders: Mapping[str, Any]) -> None:
    """The file system that the unit sees; the program under test lies where an installed one would."""
    _mount("overlay", "/etc", "overlay", 0, f"lowerdir={orders['etc']}:/etc")
    kept = {place: _open(source) for place, source in {**orders["binds"], **orders["installed"]}.items()}
    devices = {name: _open(f"/dev/{name}") for name in DEVICES}
    for place in ("/run", "/var/lib", "/opt"):
        _mount("tmpfs", place, "tmpfs", NOSUID | NODEV, "mode=755")
    for place, fd in kept.items():
        Path(place).mkdir(parents=True)
        _mount(f"/proc/self/fd/{fd}", place, None, BIND | REC)
    for setting, (value, make) in HIDING.items():
        if unit[setting] == value:
            make()
    if unit["PrivateDevices"] == "yes":
        _own_devices(devices)


def _own_devices(devices: Mapping[str, int]) -> None:
    """Those that are no device at all."""
    _mount("tmpfs", "/dev", "tmpfs", NOSUID, "mode=755")
    for name, fd in devices.items():
        Path(f"/dev/{name}").touch()
        _mount(f"/proc/self/fd/{fd}", f"/dev/{name}", None, BIND)
    Path("/dev/shm").mkdir(mode=0o1777)  # noqa: S108 (that of the unit)
    _mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV, "mode=1777")  # noqa: S108 (that of the unit)


def _own_tmp() -> None:
    for place in ("/tmp", "/var/tmp"):  # noqa: S108 (those of the unit)
        _mount("tmpfs", place, "tmpfs", NOSUID | NODEV, "mode=1777")


def _no_homes() -> None:
    for place in ("/home", "/root"):
        _mount("tmpfs", place, "tmpfs", NOSUID | NODEV | NOEXEC | RDONLY, "mode=000")


def _no_modules() -> None:
    if Path("/usr/lib/modules").is_dir():
        _mount("tmpfs", "/usr/lib/modules", "tmpfs", RDONLY, "mode=000")


HIDING = {
    "PrivateTmp": ("yes", _own_tmp),
    "ProtectHome": ("yes", _no_homes),
    "ProtectProc": ("invisible", lambda: _mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC, "hidepid=invisible")),
    "ProtectKernelLogs": ("yes", lambda: _mount("/dev/null", "/proc/kmsg", None, BIND)),
    "ProtectKernelModules": ("yes", _no_modules),
    "ProtectKernelTunables": ("yes", lambda: _mount("/proc/sys", "/proc/sys", None, BIND | REC)),
}


def _read_only(unit: Mapping[str, str], binds: Mapping[str, str]) -> None:
    """Everything, but what the unit names."""
    assert unit["ProtectSystem"] == "strict"
    writable = [path.removeprefix("-") for path in unit.get("ReadWritePaths", "").split()]
    writable += [f"/var/lib/{name}" for name in unit.get("StateDirectory", "").split()]
    for path in writable:
        assert any(path == place or path.startswith(f"{place}/") for place in binds), f"{path} is no place of ours"
        if path not in binds:
            _mount(path, path, None, BIND | REC)
    _attributes("/", set_=RDONLY)
    for path in (*writable, "/dev", "/proc", "/tmp", "/var/tmp"):  # noqa: S108 (those of the unit)
        _attributes(path, clear=RDONLY)
    for path in ("/proc/sys", "/sys"):
        _attributes(path, set_=RDONLY)


def _become(unit: Mapping[str, str], orders: Mapping[str, Any]) -> None:
    """The service user, who can be nobody else any more."""
    for name, what in (("LimitCORE", resource.RLIMIT_CORE), ("LimitNOFILE", resource.RLIMIT_NOFILE)):
        resource.setrlimit(what, (int(unit[name]), int(unit[name])))
    os.umask(int(unit["UMask"], 8))
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == ""
    for capability in range(LAST_CAP + 1):
        _libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups(orders["groups"])
    os.setresgid(*[orders["gid"]] * 3)
    os.setresuid(*[orders["uid"]] * 3)
    if unit["NoNewPrivileges"] == "yes":
        assert _libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


def _open(path: str) -> int:
    """A place that stays within reach when another one is laid over it."""
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    words = [word.encode() for word in (source, target)]
    done = _libc.mount(*words, kind.encode() if kind else None, ctypes.c_ulong(flags), data.encode() or None)
    if done != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def _attributes(path: str, *, set_: int = 0, clear: int = 0) -> None:
    wanted = Attributes(set_, clear, 0, 0)
    size = ctypes.sizeof(wanted)
    done = _libc.syscall(MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, ctypes.byref(wanted), size)
    if done != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2:])
