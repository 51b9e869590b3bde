"""A unit's system-call filters, loaded into the calling process as systemd 252 would: by libseccomp, through ctypes.

For the cage alone, in the last moment before the program begins. Each of systemd's settings is a filter of its own; the
kernel asks all of them, and the strictest answer counts.
"""

from __future__ import annotations

import ctypes
import errno
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOWER, EQUAL, GREATER, MASKED = 1, 4, 6, 7  # how an argument is compared
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
WRITE, EXEC, SHM_EXEC = 2, 4, 0o100000
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
EVERY_FAMILY = 46
REFUSE_EXEC_GAIN, SET_MDWE = 1, 65
NATIVE = {"native"}


class Compared(ctypes.Structure):
    """One argument of a call, and what it is compared with."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


_lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
_lib.seccomp_init.restype = ctypes.c_void_p
_lib.seccomp_init.argtypes = [ctypes.c_uint32]
_lib.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Compared),
]  # fmt: skip
_lib.seccomp_load.argtypes = [ctypes.c_void_p]
_lib.seccomp_release.argtypes = [ctypes.c_void_p]


class Filter:
    """One filter, until it is loaded. What it has no rule for gets `otherwise`."""

    def __init__(self, otherwise: int) -> None:
        self._context = _lib.seccomp_init(otherwise)
        assert self._context

    def add(self, action: int, call: str, *compared: Compared) -> None:
        """A rule for a call; one that this machine does not have needs none."""
        number = _lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return
        array = (Compared * len(compared))(*compared)
        done = _lib.seccomp_rule_add_array(self._context, action, number, len(compared), array)
        assert done == 0, (call, done)

    def load(self) -> None:
        """From here on, for this process and all that it starts."""
        done = _lib.seccomp_load(self._context)
        assert done == 0, done
        _lib.seccomp_release(self._context)


def load(unit: Mapping[str, str], allowed: Iterable[str]) -> None:
    """All that the unit asks for. `allowed` are the calls of its SystemCallFilter=, one by one."""
    assert unit["SystemCallArchitectures"] == "native"  # libseccomp kills who calls in another one
    filters = [_calls(allowed, unit["SystemCallErrorNumber"])]
    filters.append(_families(unit["RestrictAddressFamilies"].split()))
    for setting, made in (
        ("RestrictNamespaces", _namespaces),
        ("MemoryDenyWriteExecute", _executable_memory),
        ("RestrictSUIDSGID", _other_peoples_rights),
        ("LockPersonality", _personality),
    ):
        if unit.get(setting) == "yes":
            filters.append(made())
    if unit.get("MemoryDenyWriteExecute") == "yes":  # newer ones ask the kernel itself, too
        ctypes.CDLL(None).prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0)
    for one in reversed(filters):  # the list of calls last: it may not know those that load the others
        one.load()


def _calls(allowed: Iterable[str], error: str) -> Filter:
    found = Filter(ERRNO | getattr(errno, error))
    for call in allowed:
        found.add(ALLOW, call)
    return found


def _families(allowed: Iterable[str]) -> Filter:
    found, numbers, no = Filter(ALLOW), {FAMILIES[name] for name in allowed}, ERRNO | errno.EAFNOSUPPORT
    for number in set(range(EVERY_FAMILY)) - numbers:
        found.add(no, "socket", Compared(0, EQUAL, number, 0))
    found.add(no, "socket", Compared(0, GREATER, EVERY_FAMILY - 1, 0))
    return found


def _namespaces() -> Filter:
    found, no = Filter(ALLOW), ERRNO | errno.EPERM
    found.add(ERRNO | errno.ENOSYS, "clone3")  # its flags lie in memory, where no filter can look
    found.add(no, "unshare")
    found.add(no, "setns")
    for flag in NAMESPACES:
        found.add(no, "clone", Compared(0, MASKED, flag, flag))
    return found


def _executable_memory() -> Filter:
    found, no, both = Filter(ALLOW), ERRNO | errno.EPERM, WRITE | EXEC
    found.add(no, "mmap", Compared(2, MASKED, both, both))
    found.add(no, "mprotect", Compared(2, MASKED, EXEC, EXEC))
    found.add(no, "pkey_mprotect", Compared(2, MASKED, EXEC, EXEC))
    found.add(no, "shmat", Compared(2, MASKED, SHM_EXEC, SHM_EXEC))
    return found


def _other_peoples_rights() -> Filter:
    found, no = Filter(ALLOW), ERRNO | errno.EPERM
    for bit in (stat.S_ISUID, stat.S_ISGID):
        for call, place in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2), ("creat", 1)):
            found.add(no, call, Compared(place, MASKED, bit, bit))
    return found


def _personality() -> Filter:
    found, no = Filter(ALLOW), ERRNO | errno.EPERM
    found.add(no, "personality", Compared(0, GREATER, 0, 0))
    return found
