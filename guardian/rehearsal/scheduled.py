"""Posts that the platform itself is to publish later, and the thread that does; any thread may call it.

Mastodon's trap is kept: an item that comes within five minutes of its time goes into the job queue, and the job
publishes it at that time by its id without looking at the item's new one. So deferring it then comes too late,
while a deleted item is not found by the job any more.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import NOT_FOUND, Refused
from guardian.rehearsal.statuses import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.messages import Json
    from guardian.rehearsal.posts import Draft, Edition, Person

AHEAD_MS = 5 * 60 * 1000
MOST = 300
MOST_PER_DAY = 25
_LONGEST_NAP = 60.0
_TOO_SOON = "Validation failed: Scheduled at The scheduled date must be in the future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A post that waits. `queued_ms` is when the job runs that was made for it, once there is one."""

    id: int
    person: Person
    at_ms: int
    edition: Edition
    draft: Draft
    params: Json
    queued_ms: int | None = None

    @property
    def due_ms(self) -> int:
        """When it will be published, whatever it says."""
        return self.at_ms if self.queued_ms is None else self.queued_ms

    def queued(self, now: int) -> Item:
        """The same, with its job made if the time for that has come."""
        return (
            self if self.queued_ms is not None or self.at_ms > now + AHEAD_MS else replace(self, queued_ms=self.at_ms)
        )


class Schedule:
    """The items by id, oldest first; `publish` is called for each when its time has come, in this object's thread."""

    def __init__(self, publish: Callable[[Item], None]) -> None:
        self._publish = publish
        self._changed = threading.Condition()
        self._items: dict[int, Item] = {}
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread = threading.Thread(target=self._run, name="rehearsal-schedule", daemon=True)
        self._thread.start()

    def stop(self, *, seconds: float) -> None:
        """Publish nothing more; waits so long for the thread. Safe to repeat."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def add(self, item: Item, *, free: bool = False) -> Item:
        """Keep an item; 422 for what Mastodon would not take, unless `free` of its rules."""
        with self._changed:
            if not free:
                self._check(item.at_ms, item.person)
            self._items[item.id] = item
            self._changed.notify_all()
            return item

    def _check(self, at_ms: int, person: Person) -> None:
        """As Mastodon checks: on a change too, and then the item itself counts."""
        if at_ms <= now_ms() + AHEAD_MS:
            raise Refused(422, _TOO_SOON)
        own = [item for item in self._items.values() if item.person.id == person.id]
        if len(own) >= MOST:
            raise Refused(422, f"Validation failed: You have exceeded the limit of {MOST} scheduled posts")
        if sum(1 for item in own if _day(item.at_ms) == _day(at_ms)) >= MOST_PER_DAY:
            raise Refused(
                422, f"Validation failed: You have exceeded the limit of {MOST_PER_DAY} scheduled posts for today"
            )

    def of(self, person: Person) -> list[Item]:
        """The items of an account, oldest first."""
        with self._changed:
            return [item for item in self._items.values() if item.person.id == person.id]

    def everything(self) -> list[Item]:
        """All items, those that come first before the others."""
        with self._changed:
            return sorted(self._items.values(), key=lambda item: item.due_ms)

    def get(self, number: int, *, owner: Person) -> Item:
        """The item; 404 if it is gone or another's."""
        with self._changed:
            item = self._items.get(number)
            if item is None or item.person.id != owner.id:
                raise Refused(404, NOT_FOUND)
            return item

    def defer(self, number: int, at_ms: int, *, owner: Person) -> Item:
        """Give the item another time; a job that is queued for it already does not hear of that."""
        with self._changed:
            item = self.get(number, owner=owner).queued(now_ms())
            self._check(at_ms, owner)
            self._items[number] = deferred = replace(item, at_ms=at_ms)
            self._changed.notify_all()
            return deferred

    def delete(self, number: int, *, owner: Person) -> Item:
        """Forget the item; it will not be published."""
        with self._changed:
            item = self.get(number, owner=owner)
            del self._items[number]
            return item

    def _run(self) -> None:
        while (due := self._wait_for_due()) is not None:
            for item in due:
                self._publish(item)

    def _wait_for_due(self) -> list[Item] | None:
        """The items whose time has come, taken off the list; None when stopped."""
        with self._changed:
            while not self._stopped:
                now = now_ms()
                due = sorted((item for item in self._items.values() if item.due_ms <= now), key=lambda one: one.due_ms)
                if due:
                    for item in due:
                        del self._items[item.id]
                    return due
                first = min((item.due_ms for item in self._items.values()), default=now + 60_000)
                self._changed.wait(min((first - now) / 1000, _LONGEST_NAP))
        return None


def when(text: str) -> int:
    """An ISO time in milliseconds since 1970, UTC if it names no zone; 422 if it is none."""
    try:
        read = datetime.fromisoformat(text)
        zoned = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
        return int(zoned.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Refused(422, "Validation failed: Scheduled at is invalid") from error


def _day(ms: int) -> int:
    return ms // 86_400_000
