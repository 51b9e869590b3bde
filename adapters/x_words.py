"""Whether a post that X shows says what we sent: its links are shortened, its pictures are a link. Pure; any thread."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from adapters.likeness import Likeness, likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEME = re.compile(r"https?://", re.IGNORECASE)
SLASH = re.compile(r"/(?=\s|$)")


def text_of(post: dict[str, Any]) -> str:
    """What it says, with the links that its author wrote, and without the link to its own pictures.

    Of a long post `text` is only how it begins; `note_tweet` has all of it, with links of its own.
    """
    whole = post.get("note_tweet")
    if isinstance(whole, dict) and isinstance(whole.get("text"), str):
        return text_of({**post, "note_tweet": None, "text": whole["text"], "entities": _both(post, whole)})
    said = post.get("text")
    text = html.unescape(said) if isinstance(said, str) else ""
    for link in _links(post):
        shown, meant = link.get("url"), link.get("expanded_url")
        if isinstance(shown, str) and shown and isinstance(meant, str):
            text = text.replace(shown, "" if "media_key" in link else meant)
    return text.strip()


def pictures_of(post: dict[str, Any]) -> int:
    """How many files it shows."""
    attached = post.get("attachments")
    keys = attached.get("media_keys") if isinstance(attached, dict) else None
    return len(keys) if isinstance(keys, list) else 0


def alike(post: dict[str, Any], text: str, *, our_name: str) -> Likeness:
    """Compare a post with what we sent. A reply may begin with the name of whom it answers: us, in a thread."""
    theirs, ours = _plain(text_of(post)), _plain(text)
    mention = f"@{our_name} ".lower()
    if theirs.lower().startswith(mention) and not ours.lower().startswith(mention):
        theirs = theirs[len(mention) :]
    return Likeness.SAME if theirs == ours else likeness(html.escape(theirs), ours)


def _both(post: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    return {"urls": [*_links(whole), *_links(post)]}


def _links(post: dict[str, Any]) -> Sequence[dict[str, Any]]:
    entities = post.get("entities")
    said = entities.get("urls") if isinstance(entities, dict) else None
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _plain(text: str) -> str:
    """A link is the same with and without its scheme, and a slash at its end."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    return SLASH.sub("", SCHEME.sub("", text))
