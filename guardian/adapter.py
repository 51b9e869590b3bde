"""The contract between the house and a platform: what an adapter is given, and what it owes.

An adapter is found by name (entry point group `guardian.adapters`), is handed its network and cannot open one of its
own. It never decides whether something may be sent; it declares which of its requests publish, and the gate decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from guardian.model import Account, Identity, Limits, Media, Part, PostRef, Problem


class Kind(StrEnum):
    """What a request does to the public, which its HTTP verb does not tell (research/platforms 1.3)."""

    READ = "read"
    AUTH = "auth"
    UPLOAD = "upload"
    PUBLISH = "publish"
    MANAGE = "manage"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of changing request: method, and the whole path as a regular expression."""

    kind: Kind
    method: str
    path: str

    def matches(self, method: str, path: str) -> bool:
        """Whether a request with this method and path (no query) is this route."""
        return method == self.method and re.fullmatch(self.path, path) is not None


class Readiness(StrEnum):
    """How far the platform is with a file that was uploaded."""

    READY = "ready"
    PROCESSING = "processing"
    FAILED = "failed"


class Network(Protocol):
    """What an adapter is given to reach its platform: a session whose every request goes through the gate."""

    @property
    def session(self) -> requests.Session:
        """The guarded session; hand it to the client library."""
        ...


class Adapter(Protocol):
    """One account's live connection to its platform. Used by one thread at a time: the account's lane, or reconcile."""

    def whoami(self) -> Identity:
        """Ask the platform who the token belongs to."""
        ...

    def limits(self) -> Limits:
        """Ask the platform what it accepts."""
        ...

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """What the platform would refuse in `part`, without asking it again. Any thread may call it."""
        ...

    def upload(self, data: bytes, media: Media) -> str:
        """Hand over one file with exactly one uploading request; the platform's id of it.

        Nobody sees the file before it is part of a post.
        """
        ...

    def ready(self, upload: str) -> Readiness:
        """Ask the platform whether a post may show the file now. Never waits for it."""
        ...

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        """Make one post with exactly one publishing request; `key` is the idempotency key, the same for every attempt.

        `uploads` are the platform's ids of the part's media, `reply_to` that of the part before it in its thread.
        Whatever it raises, the receipt that the gate wrote says what happened.
        """
        ...

    def find(self, part: Part, *, since: int, known: frozenset[str], reply_to: str | None = None) -> PostRef | None:
        """Ask the platform whether it has `part`, made at or after `since` (ms), under an id that is not in `known`.

        None means: surely not there now. Raises Doubt when the platform could not be asked to the end.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What the entry point of an adapter names: how to connect, which requests change what, which secrets it needs."""

    connect: Connect
    routes: tuple[Route, ...]
    secrets: tuple[str, ...]


class Connect(Protocol):
    """Make the live adapter of one account; opens no connection yet."""

    def __call__(self, account: Account, network: Network) -> Adapter:
        """Return the adapter for `account`, which uses `network` for every request."""
        ...
