"""Whether a post or comment that Reddit lists is the one that we sent. Pure; any thread may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters import reddit_words as words
from guardian.errors import Doubt

if TYPE_CHECKING:
    from guardian.model import Part

    Json = dict[str, Any]


def is_submission(thing: Json, part: Part, own: str) -> bool:
    """By title and place, and by what it shows. Raises Doubt where those agree and this cannot be told."""
    what, place = words.said(part), words.place(part.visibility, own)
    if place is None or str(thing.get("subreddit", "")).lower() != place.subreddit.lower():
        return False
    return words.plain(thing.get("title")) == words.plain(what.title) and _shows(thing, part, what)


def _shows(thing: Json, part: Part, what: words.Said) -> bool:
    is_self = thing.get("is_self")
    if part.media:
        if any(map(words.is_film, part.media)) or thing.get("is_video") is True:
            return thing.get("is_video") is True and any(map(words.is_film, part.media))
        return is_self is False and _shows_as_many(thing, len(part.media))
    if what.link is None:
        return is_self is True and words.plain(thing.get("selftext")) == words.plain(what.body)
    if is_self is False and not _is_same_address(what.link, thing.get("url")):
        raise Doubt(f"cannot say whether {thing['name']} is the post, because its title is, and its address is not")
    return is_self is False


def _shows_as_many(thing: Json, count: int) -> bool:
    """One picture, or a gallery of so many, if it tells."""
    gallery = thing.get("gallery_data")
    items = gallery.get("items") if isinstance(gallery, dict) else None
    is_gallery = thing.get("is_gallery") is True
    return is_gallery == (count > 1) and (not isinstance(items, list) or len(items) == count)


def is_comment(thing: Json, part: Part, below: str) -> bool:
    """By its words, and by what it hangs on."""
    return thing.get("parent_id") == below and words.plain(thing.get("body")) == words.plain(part.text)


def _is_same_address(ours: str, theirs: object) -> bool:
    """But for a slash at the end, and the case of the host."""
    if not isinstance(theirs, str):
        return False
    try:
        left, right = urlsplit(ours), urlsplit(theirs)
    except ValueError:
        return False
    same = left.netloc.lower() == right.netloc.lower() and left.path.rstrip("/") == right.path.rstrip("/")
    return same and left.query == right.query
