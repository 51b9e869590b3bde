"""Who is at the other end of the socket: the kernel's word, read once from its struct, never parsed from a text.

Root and the daemon's own user may do all. Everybody else is what their groups are, as the kernel knew them when they
connected. What cannot be read has no rights (research/reliability 6.1).
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SO_PEERGROUPS = 59
MAX_GROUPS = 256
OVERFLOW_UID = 65534


class Right(StrEnum):
    """What a route asks for; the names are those of `[rights]`."""

    READ = "read"
    FREEZE = "freeze"
    OPERATE = "operate"
    TAKEDOWN = "takedown"


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end. `uid` None: it could not be read, and is nobody."""

    uid: int | None
    groups: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """The login name, for the journal."""
        if self.uid is None:
            return "nobody"
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"

    def may(self, right: Right, rights: Mapping[Right, Iterable[str]]) -> bool:
        """Whether this peer has a right: by uid, or by a group that the configuration names."""
        if self.uid is None or self.uid == OVERFLOW_UID:
            return False
        if self.uid in (0, os.geteuid()):
            return True
        return any(_gid(group) in self.groups for group in rights[right])


NOBODY = Peer(None)


def peer_of(sock: socket.socket) -> Peer:
    """The kernel's word about a connected Unix socket."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, gid = struct.unpack("3i", raw)
        groups = sock.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, MAX_GROUPS * 4)
    except (OSError, struct.error):
        return NOBODY
    return Peer(uid, frozenset((gid, *struct.unpack(f"{len(groups) // 4}I", groups))))


def _gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
