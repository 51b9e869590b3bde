"""The nouns of an incident: what is ordered and what the platform shows, exchanges, takedowns, the incident itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.model.posts import PostRef


class Decision(StrEnum):
    """What is to become of a post that is live.

    A limit hides nothing: the post stays, its words stay, and a person can lift the limit again.
    """

    DELETE = "delete"
    HIDE = "hide"
    KEEP = "keep"
    CLOSE_REPLIES = "close-replies"
    DETACH_QUOTES = "detach-quotes"
    LOCK = "lock"
    SPOILER = "spoiler"

    @property
    def is_limit(self) -> bool:
        """Whether the post stays, under a limit."""
        return self not in (Decision.DELETE, Decision.HIDE, Decision.KEEP)


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
    LIMITED = "limited"  # it is there, and the limit that was asked for is in force
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
    """One order: what is to become of some posts, why, by whom, and who agreed.

    `overwrite`: their words are overwritten before they are deleted, where that is possible.
    """

    id: str
    incident: str | None
    decision: Decision
    capture: Capture
    severity: int
    reason: str
    by: str
    agreed: tuple[str, ...]
    at: int
    overwrite: bool = False


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
