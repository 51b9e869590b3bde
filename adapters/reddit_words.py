"""How a part of ours becomes a post on Reddit: title, words, link, subreddit, flair, marks. Pure; any thread may call.

The record has no fields of Reddit's own, so: the first line of the text is the title, what follows is the body (where
that is one web address and nothing else, the post is a link). `visibility` says where: `r/NAME`, with `#ID` of a flair
behind it where one is wanted; without it, the account's own profile. `warning` is `nsfw`, `spoiler` or both. A thread's
later parts are comments, each below the one before it: no title, no files.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from guardian.model import Limits, MediaLimits, Problem
from guardian.rules.media import problems as media_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import Media, Part

TITLE, BODY, COMMENT = 300, 40_000, 10_000  # characters that Reddit takes
FILMS = frozenset({"video/mp4", "video/quicktime"})
LIMITS = Limits(
    characters=BODY,
    media=MediaLimits(
        count=20,
        types=frozenset({"image/png", "image/jpeg", "image/gif", *FILMS}),
        image_bytes=20 << 20,
        alt_characters=180,
    ),
)
PLACE = re.compile(r"(?P<kind>r|u)/(?P<name>[A-Za-z0-9_][\w-]{1,29})(#(?P<flair>[0-9A-Za-z-]{1,36}))?", re.ASCII)
LINK = re.compile(r"https?://[^\s<>\"]{3,2000}", re.IGNORECASE)
MARKS = frozenset({"nsfw", "spoiler"})
WANTS_A_PICTURE = "Reddit shows a picture until a film plays: add one to media beside the film"
SAY_MARKS = "Reddit shows no warning in words of ours: it must be 'nsfw', 'spoiler' or 'nsfw, spoiler'"


class Place(NamedTuple):
    """Where a post is to be seen: the subreddit as Reddit names it, and the flair's id."""

    subreddit: str
    flair: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a submission says."""

    title: str
    body: str
    link: str | None
    nsfw: bool
    spoiler: bool


def said(part: Part) -> Said:
    """A part as a submission."""
    title, _, rest = part.text.strip().partition("\n")
    body = rest.strip()
    marks = marks_of(part.warning)
    link = body if not part.media and LINK.fullmatch(body) else None
    return Said(
        title=title.strip(),
        body="" if link else body,
        link=link,
        nsfw="nsfw" in marks,
        spoiler="spoiler" in marks,
    )


def marks_of(warning: str | None) -> frozenset[str]:
    """The words of a warning."""
    return frozenset(re.split(r"[\s,;+]+", (warning or "").strip().lower())) - {""}


def place(visibility: str | None, own: str) -> Place | None:
    """Where; `own` is the name of the account. None: no such place, or somebody else's profile."""
    if visibility is None:
        return Place(f"u_{own}", None)
    found = PLACE.fullmatch(visibility.strip().removeprefix("/"))
    if found is None or (found["kind"] == "u" and found["name"].lower() != own.lower()):
        return None
    return Place(f"u_{own}" if found["kind"] == "u" else found["name"], found["flair"])


def problems(part: Part, limits: Limits, own: str) -> list[Problem]:
    """What Reddit would refuse."""
    found = _of_a_comment(part) if part.follows else _of_a_submission(part, limits)
    return [*found, *_of_how(part, own)]


def _of_a_comment(part: Part) -> Iterator[Problem]:
    if not part.text.strip():
        yield Problem(field="text", message="a comment must say something")
    if len(part.text) > COMMENT:
        yield Problem(field="text", message=f"it has {len(part.text)} characters, and a comment may have {COMMENT}")
    if part.media:
        yield Problem(field="media", message="a comment, as which a thread goes on at Reddit, shows no files")


def _of_a_submission(part: Part, limits: Limits) -> Iterator[Problem]:
    what = said(part)
    if not what.title:
        yield Problem(field="text", message="its first line is the title at Reddit, and it is empty")
    if len(what.title) > TITLE:
        yield Problem(
            field="text",
            message=f"its first line is the title at Reddit; it has {len(what.title)} characters, {TITLE} are allowed",
        )
    if len(what.body) > limits.characters:
        yield Problem(
            field="text",
            message=f"below its title it has {len(what.body)} characters, and {limits.characters} are allowed",
        )
    found = media_problems(part.media, limits=limits.media)
    films = sum(is_film(one) for one in part.media)
    alone = films > 0 or len(part.media) == 1  # then no alt text is sent, and may be as long as it likes
    as_it_should_be = films == 1 and len(part.media) == 2  # noqa: PLR2004 (the film, and its picture)
    if films == 1 and len(part.media) == 1 and not found:
        yield Problem(field="media", message=WANTS_A_PICTURE)
    if as_it_should_be:
        found = [one for one in found if one.field != "media"]  # elsewhere a film goes alone
    yield from (one for one in found if not (alone and one.field.endswith("_alt")))


def is_film(media: Media) -> bool:
    """Whether it is a film, and no picture."""
    return media.type.startswith("video/")


def _of_how(part: Part, own: str) -> Iterator[Problem]:
    if place(part.visibility, own) is None:
        yield Problem(
            field="visibility",
            message=f"it says where at Reddit: 'r/NAME', 'r/NAME#FLAIR-ID', or nothing for the profile u/{own}",
        )
    if not marks_of(part.warning) <= MARKS:
        yield Problem(field="warning", message=SAY_MARKS)


def plain(text: object) -> str:
    """Words as they are compared: Reddit strips, and may recompose, what it stores."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip() if isinstance(text, str) else ""
