"""Uploaded files, in memory and bounded; any thread may call the shelf."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import FORBIDDEN, NOT_FOUND, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.rehearsal.forms import File
    from guardian.rehearsal.statuses import Person

MOST_PER_STATUS = 4
DESCRIPTION_LIMIT = 1500
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
VIDEOS = ("video/mp4", "video/webm", "audio/mpeg", "audio/ogg")
_MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file and what it shows."""

    id: int
    owner: int
    file: File
    description: str | None
    attached: bool = False


class Shelf:
    """The files by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[int, Attachment] = {}
        self._bytes = 0

    def put(self, number: int, file: File, *, owner: Person, description: str | None) -> Attachment:
        """Keep a file, or 422 for a type Mastodon would not take or when the shelf is full."""
        if file.kind not in IMAGES + VIDEOS:
            raise Refused(422, "Validation failed: File content type is invalid, File is invalid")
        _check(description)
        with self._lock:
            if self._bytes + len(file.data) > _MOST_BYTES:
                raise Refused(422, "Validation failed: the rehearsal platform keeps no more than 512 MiB of media")
            self._bytes += len(file.data)
            item = Attachment(id=number, owner=owner.id, file=file, description=description)
            self._items[number] = item
            return item

    def get(self, number: int) -> Attachment:
        """The file, or 404."""
        with self._lock:
            if number not in self._items:
                raise Refused(404, NOT_FOUND)
            return self._items[number]

    def own(self, number: int, *, owner: Person) -> Attachment:
        """The file if it is the owner's; 403 if it is another's."""
        item = self.get(number)
        if item.owner != owner.id:
            raise Refused(403, FORBIDDEN)
        return item

    def describe(self, number: int, description: str | None, *, owner: Person) -> Attachment:
        """Change what the file is said to show."""
        _check(description)
        item = replace(self.own(number, owner=owner), description=description)
        with self._lock:
            self._items[number] = item
        return item

    def attach(self, ids: Iterable[str], *, owner: Person, already: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Take unattached files (or those that this post has already) for a post; 422 if one is not to be had."""
        wanted = [int(text) if text.isascii() and text.isdigit() else 0 for text in ids]
        if len(wanted) > MOST_PER_STATUS:
            raise Refused(422, f"Validation failed: Cannot attach more than {MOST_PER_STATUS} files")
        with self._lock:
            missing = [number for number in wanted if number not in already and not self._is_free(number, owner)]
            if missing:
                names = ", ".join(map(str, missing))
                raise Refused(422, f"Validation failed: Media {names} not found or already attached to another post")
            for number in wanted:
                self._items[number] = replace(self._items[number], attached=True)
        return tuple(wanted)

    def _is_free(self, number: int, owner: Person) -> bool:
        item = self._items.get(number)
        return item is not None and item.owner == owner.id and not item.attached

    def release(self, ids: Iterable[int], *, forget: bool) -> None:
        """A post is gone: its files can be used again, or are forgotten at once."""
        with self._lock:
            for number in ids:
                item = self._items.pop(number, None)
                if item is not None and not forget:
                    self._items[number] = replace(item, attached=False)
                elif item is not None:
                    self._bytes -= len(item.file.data)

    def several(self, ids: Iterable[int]) -> list[Attachment]:
        """Those of the files that are still here."""
        with self._lock:
            return [self._items[number] for number in ids if number in self._items]


def _check(description: str | None) -> None:
    if description is not None and len(description) > DESCRIPTION_LIMIT:
        raise Refused(422, f"Validation failed: Description is too long (maximum is {DESCRIPTION_LIMIT} characters)")
