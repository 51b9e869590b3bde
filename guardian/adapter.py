"""The contract between the house and a platform: what an adapter is given, and what it owes.

An adapter is found by name (entry point group `guardian.adapters`), is handed its network and cannot open one of its
own. It never decides whether something may be sent; it declares which of its requests publish, and the gate decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from guardian.abilities import Abilities, Act, Budget, Certainty, Files, Finding, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import httpx
    import requests

    from guardian.model import (
        Account,
        Decision,
        Identity,
        Limits,
        Media,
        Native,
        Part,
        PostRef,
        Presence,
        Problem,
        Seen,
        Shown,
    )


__all__ = [
    "Abilities",
    "Act",
    "Adapter",
    "Answer",
    "Budget",
    "Certainty",
    "Connect",
    "Files",
    "Finding",
    "Host",
    "Keeping",
    "Kind",
    "Look",
    "Maker",
    "Meaning",
    "Network",
    "Proof",
    "Readiness",
    "Reading",
    "Reads",
    "Route",
    "Undoing",
]


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
    """One kind of changing request: method, and the whole path as a regular expression.

    A retracting route says where the request names the post that it takes down: in a group of the path, or in a field
    of the body, called `target`; where several fields make up the name, `target` says how: `at://{repo}/{rkey}`.

    One request may be two kinds: an edit hides a post, or shows it again. Then both routes are declared, and it is done
    under the one that was announced. One path may be many: then the body says which, in the fields of `where`.
    """

    kind: Kind
    method: str
    path: str
    target: str | None = None  # of a retracting route whose path has no group `target`: the body's field, or fields
    where: tuple[tuple[str, str], ...] = ()  # fields at the top of a JSON body, each with its one value: words, `true`
    announced: bool = False  # of a retracting route: the platform knows the target by another name there, so that the
    # whole path is one of the values that `Undoing.says` announces

    def matches(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> bool:
        """Whether a request with this method, path (no query) and fields at the top of its body is this route."""
        if method != self.method or re.fullmatch(self.path, path) is None:
            return False
        said = fields or {}
        return all(said.get(name) == value for name, value in self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host that a platform has beside the account's `base_url`, and what may be asked of it: always https, port 443.

    A name that begins with `*.` stands for every host below it, and is only for hosts that get no token. Where the
    account's `base_url` is on loopback (a double of the platform), whatever is asked of this host goes there.
    """

    name: str
    kinds: frozenset[Kind]
    token: bool = True  # False: nothing that is sent there may carry a credential of the account, in any form

    def __post_init__(self) -> None:
        """Raises ValueError for what is no name of a host, or hands a token to hosts that nobody has named."""
        if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", self.name):
            raise ValueError(f"{self.name!r} is no name of a host")
        if self.name.startswith("*.") and self.token:
            raise ValueError(f"{self.name} would be given the token, and nobody knows who that is")


class Meaning(StrEnum):
    """What an answer means for what was asked, where a platform's own words tell more than the status."""

    REFUSED = "refused"  # nothing was made, and the same again would be refused again
    UNCERTAIN = "uncertain"  # an earlier request of ours may have made it: ask the platform
    SHUT = "shut"  # nothing was made, and nothing will be for this account until a person has acted
    LATER = "later"  # nothing was made; the same may be sent again later


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an answer means, and why, in words for people: *the platform answered that ..., do ...*."""

    meaning: Meaning
    why: str
    after: float | None = None  # of LATER: seconds, if the platform said


class Reads(Protocol):
    """How a platform's answers are read. Pure, and any thread may call it."""

    def __call__(self, kind: Kind, path: str, status: int, body: bytes) -> Reading | None:
        """What the answer to a changing request means; None: what its status says, and nothing else.

        An answer that proves nothing (a 5xx, a 409) stays uncertain, whatever is said of it here.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One reading request whose answer is evidence. Without `token` it is asked as anybody would."""

    name: str  # what the answer is called in a bundle: "status", "context", ...
    url: str
    essential: bool = True  # before the deletion; else after it
    others: bool = False  # it holds words of other people
    token: bool = True
    may_be_missing: bool = False  # a 404 is an answer here, and nothing is lacking
    accept: str = "application/json"  # in which form it is asked for: one address may have several


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a look."""

    status: int
    body: bytes


class Readiness(StrEnum):
    """How far the platform is with a file that was uploaded."""

    READY = "ready"
    PROCESSING = "processing"
    FAILED = "failed"


class Keeping(Protocol):
    """What the platform gave in place of a login, kept for the next start, sealed under the account's own secrets.

    It is forgotten by itself when a person configures other secrets. Any thread.
    """

    def turn(self, *, within: float = ...) -> AbstractContextManager[None]:
        """Be the only one who renews this account's login, over all threads and processes; look again when you are.

        Raises Doubt when that does not come about in `within` seconds.
        """
        ...

    def read(self) -> bytes | None:
        """What was kept; None: nothing. It may be out of date, or no good. Raises Doubt when the disk does not say."""
        ...

    def write(self, data: bytes) -> None:
        """Keep at most 64 KiB, on the disk when this returns, before the new token is used. Raises Doubt.

        Only in a turn.
        """
        ...


class Network(Protocol):
    """What an adapter is given to reach its platform: a session whose every request goes through the gate."""

    @property
    def session(self) -> requests.Session:
        """The guarded session; hand it to the client library."""
        ...

    @property
    def keeping(self) -> Keeping:
        """Where a session or a rotated token outlives the daemon."""
        ...

    def hush(self, secret: str) -> None:
        """Say that this is a secret, too: a token that the platform has given. It is blanked wherever it would appear.

        Before it is sent for the first time; a bearer in `Authorization` is known by itself. Any thread.
        """
        ...

    def httpx_transport(self) -> httpx.BaseTransport:
        """The same door for a client library that is built on httpx; asks for httpx only now."""
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
        """Hand over one file, and what it shows in words, with uploading requests alone; the platform's id of it.

        Nobody sees the file before it is part of a post. Raises Mistake, before anything is asked, for a file that the
        platform surely will not show as it is.
        """
        ...

    def ready(self, upload: str) -> Readiness:
        """Whether a post may show the file now; the platform is asked where it has not said so. Never waits for it."""
        ...

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        """Make one post with exactly one publishing request; `key` is the idempotency key, the same for every attempt.

        `uploads` are the platform's ids of the part's media, `reply_to` that of the part before it in its thread.
        Whatever it raises, the receipt that the gate wrote says what happened.
        """
        ...

    def find(
        self, part: Part, *, since: int, known: frozenset[str], reply_to: str | None = None, key: str = ""
    ) -> PostRef | None:
        """Ask the platform whether it has `part`, made at or after `since` (ms), under an id that is not in `known`.

        `key` is that of the attempt whose answer was lost: where it makes the post's own name, nothing is guessed.
        None means: not there now; surely so, unless the declared abilities say that nobody can know that. Raises Doubt
        when the platform could not be asked to the end.
        """
        ...

    # Below: what an incident needs. These are called on a second adapter of the account, with a session of its own, so
    # that nothing of it ever waits behind a lane. `fetch` may be called by several threads at once; the others by one.

    def resolve(self, url: str) -> PostRef | None:
        """The post that a public address names, or None when it is none of this platform's.

        Asks the platform only where the address does not say it. Never sends a token to another host.
        """
        ...

    def looks(self, ref: PostRef) -> Sequence[Look]:
        """Every reading request whose answer is evidence of the post, the best first. Asks nothing."""
        ...

    def fetch(self, look: Look) -> Answer:
        """Make one look with the account's token: exactly one reading request, its bytes as they came."""
        ...

    def author(self, status: bytes) -> str | None:
        """Who wrote the post, by the bytes of the look `status`: an Identity's `id`. None: they do not say."""
        ...

    def files(self, status: bytes) -> Sequence[Shown]:
        """The files that the post shows, by the bytes of the look `status`."""
        ...

    def presence(self, ref: PostRef) -> Presence:
        """Read back with the token whether the post is there: one reading request, judged by its answer alone."""
        ...

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """What the act will say and what undoes it, from the looks that were made. Asks nothing.

        Raises Refusal when the act is not possible (an edit that would lose a poll), with the reason.
        """
        ...

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        """Delete or hide with exactly one retracting request. Whatever it raises, the receipt says what happened."""
        ...

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:
        """Reverse an act, or a deferral (`ref` names the native post), with exactly one MANAGE request.

        It may publish: refused while frozen, like any.
        """
        ...

    def natives(self) -> Sequence[Native] | None:
        """Every post that the platform itself will publish later; None: this platform cannot be asked."""
        ...

    def remove_native(self, native: Native) -> None:
        """Delete one of them with exactly one retracting request."""
        ...

    def deferral(self, native: Native, *, until: int) -> Undoing:
        """What putting it off until then (ms) will say, and what undoes it. Asks nothing.

        Raises Refusal when that is not later than it is due: it would be published sooner.
        """
        ...

    def defer_native(self, native: Native, *, until: int) -> None:
        """Put one of them off until then (ms) with exactly one retracting request. Raises what `deferral` raises."""
        ...

    def recent(self, *, since: int) -> Sequence[Seen]:
        """Our own posts that were made at or after `since` (ms), newest first, boosts left out. Raises Doubt.

        As the clocks differ, some that were made a moment before may be among them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What a retracting request will say beside its target, and what reverses it (None: nothing can).

    The gate lets a retracting request carry these values and no others: nothing new can be published under it.

    `request`: its name, where the decision alone does not say which one is meant. `ahead`: another request, which goes
    before it under an intent of its own; whatever comes of that, this one follows. `note`: for people, beside the
    outcome.
    """

    says: frozenset[str] = frozenset()
    undo: Mapping[str, object] | None = None
    request: str = ""
    ahead: Undoing | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What the entry point of an adapter names: how to connect, which requests change what, which secrets it needs.

    A secret called `one|other` is one of those two, `name?` may be missing, and a `|` alone parts two whole sets of
    which an account has one (`rules/secret_names.py`).
    """

    connect: Connect
    routes: tuple[Route, ...]
    secrets: tuple[str, ...]
    abilities: Abilities = field(default_factory=Abilities)
    hosts: tuple[Host, ...] = ()  # beside the account's own
    sites: frozenset[str] = frozenset()  # where people see posts, if that is not the account's own host
    reads: Reads | None = None  # where the status of an answer does not say everything


class Connect(Protocol):
    """Make the live adapter of one account; opens no connection yet."""

    def __call__(self, account: Account, network: Network) -> Adapter:
        """Return the adapter for `account`, which uses `network` for every request."""
        ...
