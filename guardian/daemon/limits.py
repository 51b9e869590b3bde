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

MAX_BODY = 256 * 1024  # a record with the longest text, whatever its script
MAX_IMPORT = 96 << 20
MAX_DEPTH = 8
MAX_TOKENS = 25_000  # strings, numbers and brackets of a body
MAX_TOKENS_IMPORT = 64  # an import is one long string

PLACES = 64
PLACES_OF_ONE = 16
PLACES_OF_THE_HOUSE = 48  # root and the service user
KEPT = 16  # for freezes, when all others are taken
KEPT_OF_ONE = 4
GRACE = 0.05  # in a kept place: whoever has not asked after that makes room for the next one
HEARD_OUT_AT_ONCE = 64
QUEUE = 1024  # connections that the kernel keeps for us: a full queue would turn a freeze away unheard
ACCEPTED_AT_ONCE = 16  # between two looks at those who are here already

WORKERS = 16  # threads for everything
FREEZERS = 32  # threads for freezes alone
UNREAD = 64 << 20  # bytes of large answers that wait to be read, all peers together
SMALL = 64 * 1024  # what is not counted against it


class Place(Enum):
    """What a connection may do here."""

    ANY = "any"
    FREEZE_ONLY = "freeze only"


class Places:
    """The places at the socket; whoever got one gives it back."""

    def __init__(self) -> None:
        self._taken: Counter[Place] = Counter()
        self._of: Counter[tuple[Place, int | None]] = Counter()

    def take(self, peer: Peer) -> Place | None:
        """A place for this peer; None when there is none left, for it or at all."""
        for place in Place:
            if self._taken[place] < in_all(place) and self._of[place, peer.uid] < of_one(place, peer):
                self._taken[place] += 1
                self._of[place, peer.uid] += 1
                return place
        return None

    def are_full(self, place: Place) -> bool:
        """Whether every place of a kind is taken, whoever asks."""
        return self._taken[place] >= in_all(place)

    def give_back(self, place: Place, peer: Peer) -> None:
        """The place is free again."""
        self._taken[place] -= 1
        self._of[place, peer.uid] -= 1
        if not self._of[place, peer.uid]:
            del self._of[place, peer.uid]


def in_all(place: Place) -> int:
    """How many places of a kind there are."""
    return PLACES if place is Place.ANY else KEPT


def of_one(place: Place, peer: Peer) -> int:
    """How many of them one user may have. Who cannot be named has few, and nobody's are kept."""
    if peer.uid is None:
        return KEPT_OF_ONE if place is Place.ANY else 0
    if peer.uid in (0, os.geteuid()):
        return PLACES_OF_THE_HOUSE if place is Place.ANY else KEPT
    return PLACES_OF_ONE if place is Place.ANY else KEPT_OF_ONE


class Allowance:
    """Bytes that may be in memory at a time: large bodies, or answers that nobody reads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def take(self, size: int) -> bool:
        """Whether there is room; if so, it is taken."""
        if self.used + size > self.most:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """The bytes are gone."""
        self.used -= size
