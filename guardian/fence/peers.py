"""Who is at the other end of a socket: the kernel's word, read once from its struct, never parsed from a text.

Root and the user that we run as may do all. Everybody else is what their groups are, as the kernel knew them when they
connected. What cannot be read has no rights: an unknown peer, one of another user namespace (uid 65534), one with more
groups than we read (research/reliability 6.1).
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from enum import StrEnum

from guardian.fence.light import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SO_PEERGROUPS = 59
MAX_GROUPS = 256
OVERFLOW_UID = 65534
CREDENTIALS = "=iII"  # struct ucred of the kernel: pid, uid, gid


class Right(StrEnum):
    """What somebody must have to do a thing; the names are those of `[rights]`."""

    READ = "read"
    FREEZE = "freeze"
    OPERATE = "operate"
    TAKEDOWN = "takedown"


class Peer(NamedTuple):
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
        return any(_gid(group) in self.groups for group in rights.get(right, ()))


NOBODY = Peer(None)


def peer_of(sock: socket.socket) -> Peer:
    """The kernel's word about a connected Unix socket; NOBODY when it cannot be had whole."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(CREDENTIALS))
        _, uid, gid = struct.unpack(CREDENTIALS, raw)
        groups = sock.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, MAX_GROUPS * 4)
    except (OSError, struct.error):
        return NOBODY
    return Peer(uid, frozenset((gid, *struct.unpack(f"={len(groups) // 4}I", groups))))


def pid_of(sock: socket.socket) -> int | None:
    """The process at the other end, to look at and never to decide rights by: numbers are used again.

    At the calling end of a connection that is the process that listens.
    """
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(CREDENTIALS))
        return int(struct.unpack(CREDENTIALS, raw)[0]) or None
    except (OSError, struct.error):
        return None


def _gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
