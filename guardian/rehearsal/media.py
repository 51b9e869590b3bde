"""Uploaded files, in memory and bounded; any thread may call the shelf."""

from __future__ import annotations

import io
import math
import threading
import time
import warnings
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

from guardian.rehearsal.messages import FORBIDDEN, NOT_FOUND, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardian.rehearsal.forms import File
    from guardian.rehearsal.posts import Person

MOST_PER_STATUS = 4
DESCRIPTION_LIMIT = 1500
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
VIDEOS = ("video/mp4", "video/webm", "audio/mpeg", "audio/ogg")
PROCESSING_FAILED = "Error processing thumbnail for uploaded media"
_MOST_BYTES = 512 * 1024 * 1024
_NOT_READY = "Validation failed: Cannot attach files that have not finished processing. Try again in a moment!"
_MIXED = "Validation failed: Cannot attach a video to a post that already contains images"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRules:
    """What files the platform takes: said in the instance's configuration, and enforced. Sizes are in bytes."""

    types: tuple[str, ...] = IMAGES + VIDEOS
    count: int = MOST_PER_STATUS
    image_bytes: int = 16 * 1024 * 1024
    video_bytes: int = 99 * 1024 * 1024
    pixels: int = 33_177_600
    description: int = DESCRIPTION_LIMIT

    def changed(self, options: object) -> Self:
        """The same with some values changed; ValueError says what is wrong with them."""
        if not isinstance(options, dict) or not set(options) <= {field.name for field in fields(self)}:
            raise ValueError("cannot change the rules for media, because a rule is not called that")
        types = options.get("types", self.types)
        numbers = [value for name, value in options.items() if name != "types"]
        if not isinstance(types, list | tuple) or not all(isinstance(one, str) for one in types):
            raise ValueError("cannot change the rules for media, because types are a list of words")
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("cannot change the rules for media, because a limit is a number")
        return replace(self, **{**options, "types": tuple(types)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file and what it shows."""

    id: int
    owner: int
    file: File
    description: str | None
    attached: bool = False
    ready_at: float = 0.0  # on the monotonic clock; infinity: when told
    fails: bool = False

    @property
    def is_processed(self) -> bool:
        """Whether the platform is through with it, well or badly."""
        return time.monotonic() >= self.ready_at

    @property
    def is_image(self) -> bool:
        """A picture may stand beside others, everything else stands alone."""
        return self.file.kind.startswith("image/")


class Shelf:
    """The files by id; `rules` may be changed at any time."""

    def __init__(self) -> None:
        self.rules = MediaRules()
        self._lock = threading.Lock()
        self._items: dict[int, Attachment] = {}
        self._ghosts: dict[int, tuple[Attachment, float]] = {}  # forgotten, and still served so many times
        self._bytes = 0

    def put(self, number: int, file: File, *, owner: Person, description: str | None) -> Attachment:
        """Keep a file, or 422 for what Mastodon would not take or when the shelf is full."""
        rules = self.rules
        if file.kind not in rules.types:
            raise Refused(422, "Validation failed: File content type is invalid, File is invalid")
        most = rules.image_bytes if file.kind.startswith("image/") else rules.video_bytes
        if len(file.data) >= most:
            less = f"must be less than {most >> 20} MB"
            raise Refused(422, f"Validation failed: File file size {less}, File {less}")
        _check_pixels(file, rules.pixels)
        _check(description, rules.description)
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
            return self._there(number)

    def _there(self, number: int) -> Attachment:
        if number not in self._items:
            raise Refused(404, NOT_FOUND)
        return self._items[number]

    def serve(self, number: int) -> Attachment:
        """The file for who asks for its address, or 404; one that lingers is served so many times more."""
        with self._lock:
            if number not in self._ghosts or number in self._items:
                return self._there(number)
            item, looks = self._ghosts.pop(number)
            if looks > 1:
                self._ghosts[number] = (item, looks - 1)
            return item

    def haunt(self, items: Iterable[Attachment], looks: float) -> None:
        """Go on serving files that were forgotten: the deletion was said and not done."""
        with self._lock:
            self._ghosts.update({item.id: (item, looks) for item in items if looks > 0})

    def vacuum(self) -> None:
        """Forget every file that belongs to no post, as Mastodon does after about a day."""
        with self._lock:
            loose = [number for number, item in self._items.items() if not item.attached]
        self.release(loose, forget=True)

    def own(self, number: int, *, owner: Person) -> Attachment:
        """The file if it is the owner's; 403 if it is another's."""
        item = self.get(number)
        if item.owner != owner.id:
            raise Refused(403, FORBIDDEN)
        return item

    def process(self, number: int, *, seconds: float | None, fails: bool) -> Attachment:
        """Be busy with a file for so long (None: until told), and fail at it in the end if so wished."""
        until = math.inf if seconds is None else time.monotonic() + seconds
        return self._changed(number, ready_at=until, fails=fails)

    def finish(self) -> None:
        """Be through with everything now."""
        with self._lock:
            for number, item in self._items.items():
                self._items[number] = replace(item, ready_at=0.0)

    def _changed(self, number: int, **values: object) -> Attachment:
        with self._lock:
            item = self._items[number] = replace(self._items[number], **values)  # type: ignore[arg-type]
            return item

    def describe(self, number: int, description: str | None, *, owner: Person) -> Attachment:
        """Change what the file is said to show."""
        _check(description, self.rules.description)
        self.own(number, owner=owner)
        return self._changed(number, description=description)

    def attach(self, ids: Iterable[str], *, owner: Person, already: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Take unattached files (or those that this post has already) for a post; 422 if one is not to be had."""
        wanted = [int(text) if text.isascii() and text.isdigit() else 0 for text in ids]
        if len(wanted) > self.rules.count:
            raise Refused(422, f"Validation failed: Cannot attach more than {self.rules.count} files")
        with self._lock:
            missing = [number for number in wanted if number not in already and not self._is_free(number, owner)]
            if missing:
                names = ", ".join(map(str, missing))
                raise Refused(422, f"Validation failed: Media {names} not found or already attached to another post")
            items = [self._there(number) for number in wanted]
            if not all(item.is_processed and not item.fails for item in items):
                raise Refused(422, _NOT_READY)
            if len(items) > 1 and not all(item.is_image for item in items):
                raise Refused(422, _MIXED)
            for item in items:
                self._items[item.id] = replace(item, attached=True)
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
        """Those of the files that are still here, or linger."""
        with self._lock:
            ghosts = {number: item for number, (item, _) in self._ghosts.items()}
            there = ghosts | self._items if ghosts else self._items
            return [there[number] for number in ids if number in there]


def _check(description: str | None, most: int) -> None:
    if description is not None and len(description) > most:
        raise Refused(422, f"Validation failed: Description is too long (maximum is {most} characters)")


def _check_pixels(file: File, most: int) -> None:
    """As much as the head of a picture tells; what is no picture is not the platform's to find out at once."""
    from PIL import Image

    if not file.kind.startswith("image/"):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file.data)) as image:
                width, height = image.size
    except Image.DecompressionBombError as error:
        raise Refused(422, "images of that size are not supported") from error
    except (OSError, ValueError, SyntaxError):
        return
    if width * height > most:
        raise Refused(422, f"{width}x{height} images are not supported")
