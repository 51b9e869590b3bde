"""What a Mastodon server tells of a post, in the house's words for its record. Pure; any thread may call.

The bytes are the evidence; this is what a reader finds without reading them. Nothing here raises, whatever they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.likeness import words_of
from adapters.mastodon_answers import OK, document, status_in
from guardian.model import Poll, Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.mastodon_answers import Json
    from guardian.adapter import Answer

MOST_OPTIONS = 50
MOST_VOTES = 2**53


def told(answers: Mapping[str, Answer]) -> Told | None:
    """What the looks `status`, `source` and `history` tell; None without the first."""
    status = answers.get("status")
    said = status_in(status.body) if status is not None and status.status == OK else None
    if said is None:
        return None
    source, history = _answered(answers, "source"), _answered(answers, "history")
    boosted = _within(said, "reblog")
    written = source.get("text") if isinstance(source, dict) and not boosted else None
    return Told(
        text=written if isinstance(written, str) else words_of(_text(said, "content") or _text(boosted, "content")),
        as_written=isinstance(written, str),
        alts=_alts(said),
        warning=_text(said, "spoiler_text"),
        language=_text(said, "language"),
        visibility=_text(said, "visibility"),
        client=_text(_within(said, "application"), "name"),
        author=_text(_within(said, "account"), "display_name"),
        posted_at=_text(said, "created_at"),
        edited_at=_text(said, "edited_at"),
        versions=len(history) if isinstance(history, list) else None,
        preview=_text(_within(said, "card"), "url"),
        about=_about(said),
        poll=_poll(_within(said, "poll")),
    )


def _answered(answers: Mapping[str, Answer], name: str) -> object:
    found = answers.get(name)
    return document(found.body) if found is not None and found.status == OK else None


def _text(thing: Json, name: str) -> str:
    found = thing.get(name)
    return found if isinstance(found, str) else ""


def _within(thing: Json, name: str) -> Json:
    found = thing.get(name)
    return found if isinstance(found, dict) else {}


def _alts(status: Json) -> tuple[str, ...]:
    files = status.get("media_attachments")
    return tuple(_text(one, "description") for one in files if isinstance(one, dict)) if isinstance(files, list) else ()


def _about(status: Json) -> tuple[str, str] | None:
    boosted, quote = _within(status, "reblog"), _within(status, "quote")
    if boosted:
        return "boost", _text(boosted, "url") or _text(boosted, "uri")
    if quote:
        quoted = (
            _within(quote, "quoted_status") or quote
        )  # before Mastodon 4.4, other servers put the post itself there
        return "quote", _text(quoted, "url") or _text(quoted, "uri")
    return None


def _poll(poll: Json) -> Poll | None:
    options = poll.get("options")
    if not isinstance(options, list) or not options:
        return None
    named = [one for one in options[:MOST_OPTIONS] if isinstance(one, dict)]
    return Poll(
        options=tuple((_text(one, "title"), _votes(one.get("votes_count"))) for one in named),
        multiple=poll.get("multiple") is True,
        closes_at=_text(poll, "expires_at"),
    )


def _votes(said: object) -> int | None:
    return said if type(said) is int and 0 <= said < MOST_VOTES else None
