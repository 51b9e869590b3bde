"""The platform's memory of accounts and posts, in this process only; any thread may call it, one lock guards it all.

Ids are Mastodon's snowflakes, (milliseconds since 1970 << 16) + a sequence, strictly increasing over everything.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import FORBIDDEN, NOT_FOUND, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN_PREFIX = "rehearsal-"  # noqa: S105  # rehearsal tokens are no secrets
IDEMPOTENT_NS = 3600 * 1_000_000_000
_REPLY_NOT_FOUND = "The post you are trying to reply to does not appear to exist."
_OPEN = frozenset({"public", "unlisted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account of the rehearsal."""

    id: int
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a post said at one time."""

    text: str
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    media: tuple[int, ...] = ()
    at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A post: its editions, oldest first, and what never changes."""

    id: int
    person: Person
    editions: tuple[Edition, ...]
    visibility: str
    reply_to: int | None
    key: str | None
    created_ns: int
    deleted: bool = False

    @property
    def now(self) -> Edition:
        """What it says now."""
        return self.editions[-1]

    def visible_to(self, viewer: Person | None) -> bool:
        """Nobody follows anybody here, so a post that is not public is its author's alone."""
        return not self.deleted and (self.visibility in _OPEN or (viewer is not None and viewer.id == self.person.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A page of a timeline, as Mastodon pages: newest first, `min_id` looks forward from a post instead of back."""

    limit: int = 20
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None


class Memory:
    """Accounts, posts and idempotency keys."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._last_id = 0
        self._people: dict[str, Person] = {}
        self._statuses: dict[int, Status] = {}  # in the order of their ids
        self._keys: dict[tuple[int, str], tuple[int, int]] = {}  # (person, key) -> (status id, monotonic ns)

    def next_id(self) -> int:
        """A fresh snowflake."""
        with self._lock:
            self._last_id = max(self._last_id + 1, _now_ms() << 16)
            return self._last_id

    def add_person(self, name: str) -> Person:
        """The account of that name; made if it is new."""
        with self._lock:
            if name not in self._people:
                self._people[name] = Person(id=self.next_id(), name=name, created_ms=_now_ms())
            return self._people[name]

    def person(self, name: str) -> Person | None:
        """The account of that name."""
        with self._lock:
            return self._people.get(name)

    def person_by_id(self, number: int) -> Person:
        """The account with that id, or 404."""
        with self._lock:
            for person in self._people.values():
                if person.id == number:
                    return person
        raise Refused(404, NOT_FOUND)

    def person_of_token(self, token: str) -> Person | None:
        """Whose token this is."""
        return self.person(token.removeprefix(TOKEN_PREFIX)) if token.startswith(TOKEN_PREFIX) else None

    def publish(
        self, person: Person, compose: Callable[[], Edition], *, visibility: str, reply_to: int | None, key: str | None
    ) -> tuple[Status, bool]:
        """The new post and True; or, for a key that was seen within the hour, the post it made then and False.

        `compose` is called only for a new post: a repeated request must not find its own media taken.
        """
        with self._lock:
            if key is not None and (earlier := self._made_by(person, key)) is not None:
                return self.status(earlier, viewer=person), False  # 404 if deleted since, as Mastodon does
            if reply_to is not None and not self._is_there(reply_to, person):
                raise Refused(404, _REPLY_NOT_FOUND)
            status = Status(
                id=self.next_id(),
                person=person,
                editions=(replace(compose(), at_ms=_now_ms()),),
                visibility=visibility,
                reply_to=reply_to,
                key=key,
                created_ns=time.monotonic_ns(),
            )
            self._statuses[status.id] = status
            if key is not None:
                self._keys[person.id, key] = (status.id, status.created_ns)
            return status, True

    def _made_by(self, person: Person, key: str) -> int | None:
        number, made_ns = self._keys.get((person.id, key), (None, 0))
        return number if time.monotonic_ns() - made_ns < IDEMPOTENT_NS else None

    def _is_there(self, number: int, viewer: Person) -> bool:
        status = self._statuses.get(number)
        return status is not None and status.visible_to(viewer)

    def status(self, number: int, *, viewer: Person | None) -> Status:
        """The post, or 404."""
        with self._lock:
            status = self._statuses.get(number)
            if status is None or not status.visible_to(viewer):
                raise Refused(404, NOT_FOUND)
            return status

    def any_status(self, number: int) -> Status | None:
        """The post, deleted or not."""
        with self._lock:
            return self._statuses.get(number)

    def own_status(self, number: int, *, owner: Person) -> Status:
        """The post if it is the owner's; 403 if it is another's."""
        status = self.status(number, viewer=owner)
        if status.person.id != owner.id:
            raise Refused(403, FORBIDDEN)
        return status

    def edit(self, number: int, edition: Edition, *, owner: Person) -> Status:
        """Replace what the post says; what it said stays in its history."""
        with self._lock:
            status = self.own_status(number, owner=owner)
            edited = replace(status, editions=(*status.editions, replace(edition, at_ms=_now_ms())))
            self._statuses[number] = edited
            return edited

    def delete(self, number: int, *, owner: Person) -> Status:
        """Take the post down; returns it as it was."""
        with self._lock:
            status = self.own_status(number, owner=owner)
            self._statuses[number] = replace(status, deleted=True)
            return status

    def page(
        self, window: Window, *, viewer: Person | None, keep: Callable[[Status], bool] = lambda _status: True
    ) -> list[Status]:
        """One page of what the viewer may see and `keep` lets through, newest first."""
        with self._lock:
            found = (status for status in self._between(window) if status.visible_to(viewer) and keep(status))
            page = list(islice(found, window.limit))
        return page[::-1] if window.min_id is not None else page

    def _between(self, window: Window) -> Iterator[Status]:
        forward = window.min_id is not None
        lowest = max(window.min_id or 0, window.since_id or 0)
        highest = window.max_id
        for number in self._statuses if forward else reversed(self._statuses):
            if forward and highest is not None and number >= highest:
                return
            if not forward and number <= lowest:
                return
            if number > lowest and (highest is None or number < highest):
                yield self._statuses[number]

    def relatives(self, status: Status, *, viewer: Person | None) -> tuple[list[Status], list[Status]]:
        """What the post answers, oldest first, and what answers it."""
        with self._lock:
            ancestors: list[Status] = []
            above = status.reply_to
            while above is not None and (parent := self._statuses.get(above)) is not None:
                ancestors.insert(0, parent)
                above = parent.reply_to
            below = {status.id}
            descendants = []
            for other in self._statuses.values():  # in id order, so a parent always comes before its replies
                if other.reply_to in below:
                    below.add(other.id)
                    descendants.append(other)
        return [s for s in ancestors if s.visible_to(viewer)], [s for s in descendants if s.visible_to(viewer)]

    def everything(self, *, newest: int | None = None) -> list[Status]:
        """All posts, deleted ones too, oldest first; or only the newest ones."""
        with self._lock:
            return list(islice(reversed(self._statuses.values()), newest))[::-1]

    def count_of(self, person: Person) -> int:
        """How many posts of the account are up."""
        with self._lock:
            return sum(1 for s in self._statuses.values() if s.person.id == person.id and not s.deleted)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
