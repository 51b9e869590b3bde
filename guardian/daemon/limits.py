"""The limits of the control socket, and who may have a place at it. Called by the server's thread only.

Nobody can hold the socket alone: places are counted in all and for each user, and some are kept for a freeze, so that
sixty who sit and read never stand in the way of the one who must stop (research/reliability 6.1).
"""

from __future__ import annotations

import os
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.daemon.peers import Peer

FIRST_BYTE_WITHIN = 2.0
REQUEST_WITHIN = 5.0  # from its first byte to its last
IMPORT_WITHIN = 60.0
IDLE_WITHIN = 5  # between two requests
READ_WITHIN = 10.0  # how long a peer may leave its answer unread
HEARD_OUT = 0.5  # a refused peer that is still sending: time to get as far as reading why

UPLOAD_WITHIN = 60.0  # and a second more for each mebibyte that has come
UPLOAD_RATE = 1 << 20
UPLOADS = 8  # files that come in at a time, each with a thread for the disk
UPLOADS_OF_ONE = 4
DOWNLOADS = 4  # threads that read files for those who fetch them

MAX_BODY = 256 * 1024  # a record with the longest text, whatever its script
MAX_IMPORT = 96 << 20
MAX_DEPTH = 8
MAX_TOKENS = 25_000  # strings, numbers and brackets of a body
MAX_TOKENS_IMPORT = 21_000  # an import is one long string, or names the hash of each of 10,000 files

PLACES = 64
PLACES_OF_ONE = 16
PLACES_OF_THE_HOUSE = 48  # root and the service user
KEPT = 16  # for freezes, when all others are taken
KEPT_OF_ONE = 4
STANDING = 256  # who found no place may stand until it is known whether it is a freeze; then the first must go
STANDING_OF_ONE = 32
HEARD_OUT_AT_ONCE = 64
HEARD_OUT_BYTES = 4 << 20
QUEUE = 4096  # connections that the kernel keeps for us: a full queue would turn a freeze away unheard
ACCEPTED_AT_ONCE = 16  # between two looks at those who are here already

WORKERS = 16  # threads for everything
FREEZERS = 32  # threads for freezes alone
WAITERS = 16  # threads for those who wait for the outcome of a takedown
UNREAD = 64 << 20  # bytes of large answers that wait to be read, all peers together
SMALL = 64 * 1024  # what is not counted against it


class Place(Enum):
    """What there is to have: a place for anything, one that is kept for freezes, room to stand."""

    ANY = "any"
    KEPT = "kept"
    STANDING = "standing"


IN_ALL = {Place.ANY: PLACES, Place.KEPT: KEPT, Place.STANDING: STANDING}
OF_THE_HOUSE = {Place.ANY: PLACES_OF_THE_HOUSE, Place.KEPT: KEPT, Place.STANDING: STANDING}
OF_ONE = {Place.ANY: PLACES_OF_ONE, Place.KEPT: KEPT_OF_ONE, Place.STANDING: STANDING_OF_ONE}
OF_NOBODY = {Place.ANY: KEPT_OF_ONE, Place.KEPT: 0, Place.STANDING: 0}


class Places:
    """The places at the socket; whoever got one gives it back."""

    def __init__(self) -> None:
        self._taken: Counter[Place] = Counter()
        self._of: Counter[tuple[Place, int | None]] = Counter()

    def take(self, place: Place, peer: Peer) -> bool:
        """Whether there was one for this peer, in all and of its own."""
        if self._taken[place] >= IN_ALL[place] or self.are_full_for(place, peer):
            return False
        self._taken[place] += 1
        self._of[place, peer.uid] += 1
        return True

    def are_full_for(self, place: Place, peer: Peer) -> bool:
        """Whether this peer has all that one may have."""
        return self._of[place, peer.uid] >= of_one(place, peer)

    def give_back(self, place: Place, peer: Peer) -> None:
        """The place is free again."""
        self._taken[place] -= 1
        self._of[place, peer.uid] -= 1
        if not self._of[place, peer.uid]:
            del self._of[place, peer.uid]


def of_one(place: Place, peer: Peer) -> int:
    """How many one user may have: root and the service user many, others some, and who cannot be named few."""
    if peer.uid is None:
        return OF_NOBODY[place]
    return OF_THE_HOUSE[place] if peer.uid in (0, os.geteuid()) else OF_ONE[place]


def uploads_of_one(peer: Peer) -> int:
    """How many files may come in from one user at a time: root and the service user may have all places."""
    return UPLOADS if peer.uid in (0, os.geteuid()) else UPLOADS_OF_ONE


def upload_within(size: int) -> float:
    """How long so many bytes of a file may take, in seconds."""
    return UPLOAD_WITHIN + size / UPLOAD_RATE


class Allowance:
    """Bytes that may be in memory at a time: large bodies, or answers that nobody reads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def take(self, size: int) -> bool:
        """Whether there is room; if so, it is taken. Whoever is alone has room, however large."""
        if self.used and self.used + size > self.most:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """The bytes are gone."""
        self.used -= size
