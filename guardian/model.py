"""The nouns: frozen values that every floor of the house speaks of, with no behaviour beyond themselves.

Imports nothing of ours; knows no clock, no file, no thread. Times are integers, milliseconds since 1970 in UTC, unless
a name says otherwise; ids are strings everywhere, because platforms hand out numbers that outgrow other languages.
"""

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
    """What this account's platform accepts, asked from the platform itself."""

    characters: int
    media: MediaLimits = MediaLimits()


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


class Decision(StrEnum):
    """What is to become of a post that is live."""

    DELETE = "delete"
    HIDE = "hide"
    KEEP = "keep"


class Capture(StrEnum):
    """What a takedown does when the proof cannot be had in time."""

    BEST_EFFORT = "best-effort"  # take it down at the deadline all the same, and say what is missing
    REQUIRE = "require"  # do not take it down; a person decides
    SKIP = "skip"  # capture nothing: content whose mere possession is dangerous


class Presence(StrEnum):
    """What a look at the platform shows of a post. Anything but a plain word of the platform is UNKNOWN."""

    GONE = "gone"
    THERE = "there"
    VEILED = "veiled"
    UNKNOWN = "unknown"


class Grade(StrEnum):
    """How much of the essential proof a bundle holds."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    PUBLISH_COPY = "publish-copy-only"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer as the gate saw them, secrets removed. `status` 0: no whole answer came, and `why`.

    `began_at` is wall time in ms, `began` and `ended` are of the monotonic clock in ns. `certificate` is DER.
    """

    method: str
    url: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    status: int
    reason: str
    response_headers: tuple[tuple[str, str], ...]
    body: bytes
    began_at: int
    began: int
    ended: int
    peer: str
    tls: str | None
    certificate: bytes | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A file that a live post shows, as the platform names it."""

    url: str
    type: str
    alt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A poll as it stood: each option with its votes (None: not said), when it closes in the platform's words."""

    options: tuple[tuple[str, int | None], ...]
    multiple: bool = False
    closes_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a platform tells of a live post; what is empty or None it did not say. Times are in its own words.

    `as_written`: the text is what somebody typed, not what was made of it for a page. `about` says which post it
    boosts or quotes: ("boost", address).
    """

    text: str | None = None
    as_written: bool = False
    alts: tuple[str, ...] = ()
    warning: str = ""
    language: str = ""
    visibility: str = ""
    client: str = ""
    author: str = ""
    posted_at: str = ""
    edited_at: str = ""
    versions: int | None = None
    preview: str = ""
    about: tuple[str, str] | None = None
    poll: Poll | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A post that the platform shows on one of our accounts."""

    ref: PostRef
    at: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A post that the platform itself will publish later. `raw` is what it says of it.

    `unshown` of its files are named by the platform and not shown: nobody can save them.
    """

    id: str
    due: int
    text: str
    files: tuple[Shown, ...]
    raw: dict[str, object]
    unshown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One post that a takedown is about. `part` is the nr of our part, from 0; None: not one of ours."""

    id: str
    takedown: str
    nr: int
    account: str
    platform_id: str
    url: str | None
    post: str | None
    part: int | None
    state: str
    why: str
    evidence: str | None
    grade: Grade | None
    undo: dict[str, object] | None
    acts: int
    acted_at: int | None
    ended_at: int | None
    due_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Takedown:
    """One order: what is to become of some posts, why, by whom, and who agreed."""

    id: str
    incident: str | None
    decision: Decision
    capture: Capture
    severity: int
    reason: str
    by: str
    agreed: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A crisis from its first order to its end: it owns every line of the journal in between."""

    id: str
    reason: str
    by: str
    opened_at: int
    opened_seq: int
    closed_at: int | None
    closed_by: str | None
    closed_seq: int | None
