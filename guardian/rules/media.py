"""What a part may show: how many files, of which kinds, how large, described in how many characters. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.model import Media, MediaLimits

MOST_BYTES = 100 << 20  # of one file; no platform takes more of one request


def problems(media: Sequence[Media], *, limits: MediaLimits) -> list[Problem]:
    """What a platform with these limits would refuse of the files of one part.

    A field is `media`, or `media2` and `media2_alt` for the second file, as the columns of an import are called.
    """
    found = list(_together(media, limits))
    for place, one in enumerate(media, start=1):
        words = (*_kind(one, limits), *_size(one, limits), *_pixels(one, limits))
        found += [Problem(field=f"media{place}", message=message) for message in words]
        found += [Problem(field=f"media{place}_alt", message=message) for message in _alt(one, limits)]
    return found


def _together(media: Sequence[Media], limits: MediaLimits) -> Iterator[Problem]:
    if len(media) > limits.count:
        yield Problem(field="media", message=f"it has {len(media)} files, and {limits.count} are allowed")
    if len(media) > 1 and not all(map(_is_image, media)):
        yield Problem(field="media", message="it has a film or a sound beside other files, and one of those goes alone")
    if len({one.sha256 for one in media}) < len(media):
        yield Problem(field="media", message="it shows the same file twice")


def _kind(one: Media, limits: MediaLimits) -> Iterator[str]:
    if limits.types is not None and one.type not in limits.types:
        yield f"it is {one.type}, and allowed are {', '.join(sorted(limits.types))}"


def _size(one: Media, limits: MediaLimits) -> Iterator[str]:
    most = limits.image_bytes if _is_image(one) else limits.video_bytes
    if one.size >= most:  # Mastodon takes what is smaller, and not what is as large
        yield f"it has {one.size} bytes, and fewer than {most} are allowed"


def _pixels(one: Media, limits: MediaLimits) -> Iterator[str]:
    width, height = one.width or 0, one.height or 0
    if limits.pixels is not None and width * height > limits.pixels:
        yield f"it has {width} x {height} pixels, and {limits.pixels} in all are allowed"


def _alt(one: Media, limits: MediaLimits) -> Iterator[str]:
    length = len(one.alt or "")
    if length > limits.alt_characters:
        yield f"its alt text has {length} characters, and {limits.alt_characters} are allowed"


def _is_image(one: Media) -> bool:
    return one.type.startswith("image/")
