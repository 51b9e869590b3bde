"""What the platform knows of people and posts, as frozen facts for any thread; who may change them is `statuses`."""

from __future__ import annotations

from dataclasses import dataclass

_OPEN = frozenset({"public", "unlisted"})
ANY_CLIENT = "Rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account of the rehearsal. `display` is what it calls itself: any text at all, None for its name."""

    id: int
    name: str
    created_ms: int
    display: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What a post asks. `votes` has one number for each option."""

    id: int
    options: tuple[str, ...]
    votes: tuple[int, ...]
    expires_ms: int
    multiple: bool = False
    hide_totals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a post said at one time. `descriptions` are what its files were said to show then, one for each."""

    text: str
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    media: tuple[int, ...] = ()
    descriptions: tuple[str | None, ...] = ()
    poll: Poll | None = None
    at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new post is made from, but for what it says."""

    visibility: str = "public"
    reply_to: int | None = None
    quote_of: int | None = None
    boost_of: int | None = None
    client: str = ANY_CLIENT  # the application that sends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A post: its editions, oldest first, and what never changes."""

    id: int
    person: Person
    editions: tuple[Edition, ...]
    draft: Draft
    key: str | None
    created_ns: int
    deleted: bool = False
    ghost: float = 0  # how many more looks find it although it is deleted; infinity: all of them

    @property
    def now(self) -> Edition:
        """What it says now."""
        return self.editions[-1]

    @property
    def reply_to(self) -> int | None:
        """The post that it answers."""
        return self.draft.reply_to

    @property
    def visibility(self) -> str:
        """Who may see it."""
        return self.draft.visibility

    @property
    def media(self) -> tuple[int, ...]:
        """Every file of any of its editions, in the order in which they came."""
        return tuple(dict.fromkeys(number for edition in self.editions for number in edition.media))

    @property
    def is_there(self) -> bool:
        """Whether it is served: it is up, or lingers."""
        return not self.deleted or self.ghost > 0

    @property
    def was_public(self) -> bool:
        """Whether everybody could see it, and nobody can any more."""
        return not self.is_there and self.visibility in _OPEN

    def visible_to(self, viewer: Person | None) -> bool:
        """Nobody follows anybody here, so a post that is not public is its author's alone."""
        return self.is_there and (self.visibility in _OPEN or (viewer is not None and viewer.id == self.person.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A page of a timeline, as Mastodon pages: newest first, `min_id` looks forward from a post instead of back."""

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
