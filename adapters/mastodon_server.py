"""Which server answers, by what it says of itself: its limits, how it counts, and what is different there. Pure.

Everything that speaks Mastodon's client API gives its version in one line: `4.4.1`, `2.7.2 (compatible; Akkoma 3.13)`,
`0.19.1+git-abc` (GoToSocial, which may also put a Mastodon's version before its own, and names its source instead).
What nobody has told is what Mastodon does. Facts are from the servers' own sources, see docs/servers.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import grapheme
from mastodon import Mastodon

from guardian.model import Limits, MediaLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.model import Part

USUAL_CHARACTERS = 500
LINK = 23  # what every link counts at Mastodon
NAMED = re.compile(r"\(compatible; ([A-Za-z][\w-]{0,30})[ /]?([\w.+~-]{0,40})")
PLAIN = re.compile(r"\d+\.[\w.+~-]{1,60}")
MASTODON, GOTOSOCIAL, PIXELFED = "Mastodon", "GoToSocial", "Pixelfed"
PLEROMAS = frozenset({"Pleroma", "Akkoma"})
EDITS_FROM = (3, 5)  # Mastodon; before that nobody could edit, and no source was told
ALL_FILES_GONE_FROM = (4, 4)


class Counting(Enum):
    """What one character is, to a server that refuses a post of too many."""

    MASTODON = "a link is 23, @user@host is @user"
    GRAPHEMES = "signs as they are seen, links in full"  # Pleroma, Akkoma: String.length of words and warning
    CODE_POINTS = "code points, links in full"  # GoToSocial, Pixelfed and whoever else


@dataclass(frozen=True, slots=True)
class Server:
    """What answers at an address. `version` is empty where it does not say."""

    software: str
    version: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.software} {self.version}".strip()

    @property
    def counting(self) -> Counting:
        """How it counts."""
        if self.software == MASTODON:
            return Counting.MASTODON
        return Counting.GRAPHEMES if self.software in PLEROMAS else Counting.CODE_POINTS

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever decides should know of this server and not of others."""
        if self.software == MASTODON:
            return _of_mastodon(_numbers(self.version))
        return (*_OF.get(self.software, (UNTRIED,)), KEYLESS)

    def length(self, part: Part, limit: int) -> int:
        """As the server counts; counted sign by sign, which is slow, only where it could be beyond the limit at all."""
        warning = part.warning or ""
        most = len(part.text) + len(warning)
        if self.counting is Counting.MASTODON:
            most += LINK * part.text.count(":")  # no link is without one
            return most if most <= limit else int(Mastodon.get_status_length(part.text, warning))
        if self.counting is Counting.CODE_POINTS or most <= limit:
            return most
        return int(grapheme.length((part.text + warning).strip()))


KEYLESS = "knows no idempotency key, or not Mastodon's: what is in doubt is asked for, and never sent again"
UNTRIED = "a server that nobody has tried here: post one, hide it and delete it, before the day on which you need that"
_OF: Mapping[str, tuple[str, ...]] = {
    GOTOSOCIAL: (
        "before version 0.20 what a tool schedules there is published at once",
        "may show nothing to who is not logged in (401): then the public's view is missing in a proof",
    ),
    PIXELFED: ("tells no source of a post: hiding is refused, delete it", "wants a picture with every post"),
    **dict.fromkeys(
        PLEROMAS, ("a post may be delivered to others late, by its own queue", "the token needs read:media, too")
    ),
}


def _of_mastodon(version: tuple[int, ...]) -> tuple[str, ...]:
    if version and version < EDITS_FROM:
        return ("before version 3.5 nobody can edit a post: hiding is refused, delete it",)
    if version and version < ALL_FILES_GONE_FROM:
        return ("before version 4.4 the files of a deleted post can be reached by their own address for a day",)
    return ()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,4}", version.partition("+")[0])[:2])


def server(instance: object) -> Server:
    """Who answered, by its own document of itself (`/api/v2/instance`, `/api/v1/instance`)."""
    said = look(instance, "version")
    version = said if isinstance(said, str) else ""
    named = NAMED.search(version)
    if named is not None:
        return Server(named[1], named[2])
    found = PLAIN.search(version)
    plain = "" if found is None else found[0]
    source = look(instance, "source_url")
    if "gotosocial" in f"{version} {source}".lower() or plain.startswith("0."):
        return Server(GOTOSOCIAL, plain.rpartition("+")[2] if plain.count("+") > 1 else plain)
    return Server(MASTODON, plain)


def limits(instance: object) -> Limits:
    """What a post may have here; where a server does not say, Mastodon's own limits.

    Some say it as Mastodon does (`configuration`), some at the top (Pleroma: `max_toot_chars`, `upload_limit`).
    """
    configuration, found = look(instance, "configuration"), server(instance)
    statuses, media = look(configuration, "statuses"), look(configuration, "media_attachments")
    usual, types = MediaLimits(), look(media, "supported_mime_types")
    whole = _number(instance, "upload_limit")
    return Limits(
        characters=_number(statuses, "max_characters") or _number(instance, "max_toot_chars") or USUAL_CHARACTERS,
        media=MediaLimits(
            count=_number(statuses, "max_media_attachments")
            or _number(instance, "max_media_attachments")
            or usual.count,
            types=frozenset(map(str, types)) if isinstance(types, list) and types else None,
            image_bytes=_number(media, "image_size_limit") or whole or usual.image_bytes,
            video_bytes=_number(media, "video_size_limit") or whole or usual.video_bytes,
            pixels=_number(media, "image_matrix_limit"),
            alt_characters=_number(media, "description_limit")
            or _number(instance, "description_limit")
            or usual.alt_characters,
        ),
        server=found.name,
        remarks=found.remarks,
    )


def look(thing: Any, name: str) -> Any:  # noqa: ANN401 (the library's own dynamic type)
    """A field of an answer that some servers leave out."""
    return None if thing is None else getattr(thing, name, None)


def _number(thing: Any, name: str) -> int | None:  # noqa: ANN401 (the same)
    said = look(thing, name)
    return said if type(said) is int and said > 0 else None
