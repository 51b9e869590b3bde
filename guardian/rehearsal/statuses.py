"""The platform's memory of accounts and posts, in this process only; any thread may call it, one lock guards it all.

Ids are Mastodon's snowflakes, (milliseconds since 1970 << 16) + a sequence, strictly increasing over everything.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import FORBIDDEN, NOT_FOUND, Refused
from guardian.rehearsal.posts import ANY_CLIENT, Person, Status
from guardian.rehearsal.ties import Ties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.rehearsal.posts import Draft, Edition, Window
    from guardian.rehearsal.ties import Kind

TOKEN_PREFIX = "rehearsal-"  # noqa: S105  # rehearsal tokens are no secrets
IDEMPOTENT_NS = 3600 * 1_000_000_000
_REPLY_NOT_FOUND = "The post you are trying to reply to does not appear to exist."


class Memory:
    """Accounts, posts and idempotency keys."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._last_id = 0
        self._people: dict[str, Person] = {}
        self._by_id: dict[int, Person] = {}
        self._up: Counter[int] = Counter()  # posts that are up, by person
        self._statuses: dict[int, Status] = {}  # in the order of their ids
        self._ties = Ties()
        self._keys: dict[tuple[int, str], tuple[int, int]] = {}  # (person, key) -> (status id, monotonic ns)

    def next_id(self) -> int:
        """A fresh snowflake."""
        with self._lock:
            self._last_id = max(self._last_id + 1, now_ms() << 16)
            return self._last_id

    def add_person(self, name: str, *, display: str | None = None) -> Person:
        """The account of that name; made if it is new."""
        with self._lock:
            if name not in self._people:
                person = Person(id=self.next_id(), name=name, created_ms=now_ms(), display=display)
                self._people[name] = self._by_id[person.id] = person
            return self._people[name]

    def person(self, name: str) -> Person | None:
        """The account of that name."""
        with self._lock:
            return self._people.get(name)

    def person_by_id(self, number: int) -> Person:
        """The account with that id, or 404."""
        with self._lock:
            if number not in self._by_id:
                raise Refused(404, NOT_FOUND)
            return self._by_id[number]

    def person_of_token(self, token: str) -> Person | None:
        """Whose token this is: `rehearsal-NAME` or, of another application than usual, `rehearsal-NAME.CLIENT`."""
        name = token.removeprefix(TOKEN_PREFIX).partition(".")[0]
        return self.person(name) if token.startswith(TOKEN_PREFIX) else None

    def publish(
        self, person: Person, compose: Callable[[], Edition], *, draft: Draft, key: str | None = None
    ) -> tuple[Status, bool]:
        """The new post and True; or, for a key that was seen within the hour, the post it made then and False.

        `compose` is called only for a new post: a repeated request must not find its own media taken.
        """
        with self._lock:
            if key is not None and (earlier := self._made_by(person, key)) is not None:
                return self.status(earlier, viewer=person), False  # 404 if deleted since, as Mastodon does
            if draft.reply_to is not None and not self._is_there(draft.reply_to, person):
                raise Refused(404, _REPLY_NOT_FOUND)
            if draft.quote_of is not None and not self._is_there(draft.quote_of, person):
                raise Refused(404, NOT_FOUND)
            status = Status(
                id=self.next_id(),
                person=person,
                editions=(replace(compose(), at_ms=now_ms()),),
                draft=draft,
                key=key,
                created_ns=time.monotonic_ns(),
            )
            self._statuses[status.id] = status
            self._up[person.id] += 1
            self._ties.tie(status)
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
        """The post, or 404. Looks at a post that lingers although it was deleted are counted here."""
        with self._lock:
            status = self._visible(number, viewer)
            if status.deleted:
                self._statuses[number] = replace(status, ghost=status.ghost - 1)
            return status

    def _visible(self, number: int, viewer: Person | None) -> Status:
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
        with self._lock:
            status = self._visible(number, owner)
            if status.person.id != owner.id:
                raise Refused(403, FORBIDDEN)
            return status

    def edit(self, number: int, edition: Edition, *, owner: Person) -> Status:
        """Replace what the post says; what it said stays in its history. Changing nothing is no edit."""
        with self._lock:
            status = self.own_status(number, owner=owner)
            if replace(edition, at_ms=status.now.at_ms) == status.now:
                return status
            edited = replace(status, editions=(*status.editions, replace(edition, at_ms=now_ms())))
            self._statuses[number] = edited
            return edited

    def revise(self, number: int, edition: Edition) -> None:
        """Change the latest edition itself, as votes do; 404 if the post is not there."""
        with self._lock:
            status = self._visible(number, self._statuses[number].person if number in self._statuses else None)
            self._statuses[number] = replace(status, editions=(*status.editions[:-1], edition))

    def delete(self, number: int, *, owner: Person) -> Status:
        """Take the post down, and every boost of it; returns it as it was."""
        with self._lock:
            status = self.own_status(number, owner=owner)
            for one in (status, *self.tied("boost", number)):
                self._statuses[one.id] = replace(one, deleted=True, ghost=0)
                self._up[one.person.id] -= not one.deleted
                self._ties.untie(one)
            return status

    def tied(self, kind: Kind, number: int) -> list[Status]:
        """The posts that answer, quote or boost this one and are up, oldest first."""
        with self._lock:
            return [self._statuses[one] for one in self._ties.of(kind, number)]

    def count_tied(self, kind: Kind, number: int) -> int:
        """How many they are."""
        with self._lock:
            return self._ties.count(kind, number)

    def linger(self, number: int, looks: float) -> None:
        """Serve a deleted post for so many more looks: the deletion was said and not done."""
        with self._lock:
            self._statuses[number] = replace(self._statuses[number], ghost=looks)

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

    def relatives(self, status: Status, *, viewer: Person | None) -> tuple[list[Status], list[tuple[int, Status]]]:
        """What the post answers, oldest first; and what answers it, with how far below it each stands."""
        with self._lock:
            ancestors: list[Status] = []
            above = status.reply_to
            while above is not None and (parent := self._statuses.get(above)) is not None:
                ancestors.append(parent)
                above = parent.reply_to
            depths = {status.id: 0}
            descendants = []
            for other in self._statuses.values():  # in id order, so a parent always comes before its replies
                if other.reply_to in depths:
                    depths[other.id] = depths[other.reply_to] + 1
                    descendants.append((depths[other.id], other))
        return (
            [one for one in reversed(ancestors) if one.visible_to(viewer)],
            [(depth, one) for depth, one in descendants if one.visible_to(viewer)],
        )

    def everything(self, *, newest: int | None = None) -> list[Status]:
        """All posts, deleted ones too, oldest first; or only the newest ones."""
        with self._lock:
            return list(islice(reversed(self._statuses.values()), newest))[::-1]

    def count_of(self, person: Person) -> int:
        """How many posts of the account are up."""
        with self._lock:
            return self._up[person.id]


def client_of(token: str | None) -> str:
    """The name of the application that shows this token."""
    return (token or "").partition(".")[2] or ANY_CLIENT


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
