"""The nouns of every day: accounts, posts and their parts, attempts, freezes, holds, lines of the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """Where a post is in its life. *Held* is no state: it is `queued`, and a freeze covers it."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    BLOCKED = "blocked"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PUBLISHED = "published"
    REFUSED = "refused"
    MISSED = "missed"
    CANCELLED = "cancelled"
    RETRACTING = "retracting"
    RETRACTED = "retracted"


class Event(StrEnum):
    """What can happen to a post; the table in `rules.lifecycle` says where each leads."""

    CLAIM = "claim"
    UNCLAIM = "unclaim"
    BLOCK = "block"
    MEND = "mend"
    INTEND = "intend"
    UNSENT = "unsent"
    LANDED = "landed"
    GO_ON = "go on"
    REFUSE = "refuse"
    LOSE = "lose"
    ABSENT = "absent"
    MISS = "miss"
    RELEASE = "release"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    RETRACT = "retract"
    GONE = "gone"
    STILL_THERE = "still there"


class Secret:
    """A string that shows itself to nobody but `reveal()`: not in a repr, a log line, an error or a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it at the last moment, in the adapter that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        message = "cannot pickle a secret"
        raise TypeError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of a brand on a platform, as the configuration names it."""

    name: str
    platform: str
    brand: str
    base_url: str
    identity: str
    secrets: dict[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every fence scope that covers a send from this account, sorted: all of them must be armed."""
        return tuple(sorted(("all", f"platform:{self.platform}", f"brand:{self.brand}", f"account:{self.name}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture (or film, or sound) that a part shows: its hash in the spool, and what it shows in words."""

    sha256: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    alt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one publishing request says: the words and how they are to be shown. `follows`: below the one before it."""

    text: str
    warning: str | None = None
    language: str | None = None
    visibility: str | None = None
    media: tuple[Media, ...] = ()
    follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as the store keeps it. A thread is one post: its first part, its tail, and how many of them are live."""

    id: str
    account: str
    state: State
    at: int
    entered_at: int
    part: Part
    tail: tuple[Part, ...] = ()
    live: int = 0
    zone: str | None
    wall: str | None = None
    tags: tuple[str, ...]
    campaign: str | None = None
    ref: str | None
    why: str | None
    platform_id: str | None
    url: str | None
    created_at: int
    created_by: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that it says, in order."""
        return (self.part, *self.tail)

    @property
    def due_part(self) -> Part:
        """What goes out next: the first part that is not live."""
        return self.parts[min(self.live, len(self.tail))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to publish one part of a post: opened before a byte may leave, closed with what is known of it."""

    id: str
    post: str
    account: str
    part: int
    key: str
    started_at: int
    ended_at: int | None
    outcome: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A stop in force (or lifted) over one scope: a row, never an update of posts."""

    id: str
    scope: str
    reason: str
    by: str
    at: int
    epoch: int
    mark: str | None
    lifted_at: int | None
    lifted_by: str | None
    lifted_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One post, or every post with a tag, that is kept back until somebody lifts it: a row like a freeze."""

    id: str
    post: str | None
    tag: str | None
    reason: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal; `hash` covers the line and the hash of the line before it."""

    seq: int
    at: int
    kind: str
    who: str
    data: dict[str, object]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the platform says that we are. `handle` is canonical: `@user@host` on Mastodon."""

    id: str
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """What files this account's platform accepts. `types` and `pixels` None: it does not say. Sizes are in bytes."""

    count: int = 4
    types: frozenset[str] | None = None
    image_bytes: int = 16 << 20
    video_bytes: int = 99 << 20
    pixels: int | None = None
    alt_characters: int = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What this account's platform accepts, asked from the platform itself.

    `server` is what it calls itself, where many programs speak one language; `remarks` what is different there.
    """

    characters: int
    media: MediaLimits = MediaLimits()
    server: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRef:
    """A post on its platform: the platform's own id and the public address."""

    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with what somebody wants to publish."""

    field: str
    message: str
