"""What a subreddit allows, by what Reddit tells of it, and what it would refuse in a part of ours. Pure.

Only what is refused under every reading of the documentation is a problem here: a forbidden word counts where it stands
alone and in the same case, a length where characters are counted either way. The rest Reddit says itself, when it is
sent. Its regular expressions are never run: somebody else has written them, and some never end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters import reddit_answers as answers_
from adapters import reddit_words as words
from guardian.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.adapter import Answer
    from guardian.model import Part

    Json = dict[str, Any]

MISSING = 404
MOST, LONGEST, SHOWN = 500, 500, 80
GONE, CLOSED = "SUBREDDIT_NOEXIST", "SUBREDDIT_NO_ACCESS"
REASONS = {
    GONE: "there is no such subreddit (any more)",
    "banned": "Reddit has closed it (banned)",
    "private": "it is private, and this account is no member",
    "quarantined": "it is quarantined, and this account has not agreed to see it",
    "gated": "it is gated, and this account has not agreed to see it",
    "gold_only": "it is for those who pay Reddit, and this account does not",
    CLOSED: "it is private or closed, and this account may not enter",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is known of one subreddit. `shut`: why this account can post nothing there; empty: it may."""

    shut: str = ""
    about: Json = field(default_factory=dict)
    required: Json = field(default_factory=dict)


def read(about: Answer | None, required: Answer | None) -> Rules | None:
    """What the answers tell; None where neither tells anything."""
    shut = next((why for why in map(_shut, (about, required)) if why), "")
    if shut:
        return Rules(shut=shut)
    told = _document(about)
    data = told.get("data") if told.get("kind") == "t5" else None
    known = data if isinstance(data, dict) else {}
    wanted = _document(required)
    wanted = wanted if "body_restriction_policy" in wanted else {}
    return Rules(shut=_barred(known), about=known, required=wanted) if known or wanted else None


def _document(answer: Answer | None) -> Json:
    found = answers_.document(answer.body) if answer is not None and answer.status == answers_.OK else None
    return found if isinstance(found, dict) else {}


def _shut(answer: Answer | None) -> str:
    """Why it cannot be entered, by Reddit's own word. A page, a bare 403 or a 404 of a proxy is none."""
    if answer is None:
        return ""
    found = answers_.document(answer.body)
    if answer.status == answers_.OK:  # the name of none: an empty list, strangely
        return REASONS[GONE] if answers_.children(found) == [] else ""
    reason = answers_.at(found, "reason")
    return REASONS.get(reason, "") if answer.status in (MISSING, answers_.FORBIDDEN) and isinstance(reason, str) else ""


def _barred(about: Json) -> str:
    """Why this account may not post there, though it may enter."""
    if about.get("user_is_banned") is True:
        return "its moderators have banned this account"
    ours = about.get("user_is_moderator") is True or about.get("user_is_contributor") is True
    kind = about.get("subreddit_type")
    if kind == "archived":
        return "it is archived, and nobody can post there"
    if kind == "restricted" and about.get("restrict_posting") is True and not ours:
        return "only those whom its moderators approve may post there, and this account is not among them"
    return ""


def problems(rules: Rules, part: Part, place: words.Place) -> Iterator[Problem]:
    """What it would refuse of a submission; `place` is where it is to be seen."""
    name = f"r/{place.subreddit}"
    if rules.shut:
        yield Problem(field="visibility", message=f"nothing can be posted to {name}: {rules.shut}")
        return
    what = words.said(part)
    for key, message in (
        *_of_kind(rules.about, part, what),
        *_of_title(rules.required, what.title),
        *_of_body(rules.required, part, what),
        *_of_link(rules.required, what.link),
        *_of_gallery(rules.required, part),
    ):
        yield Problem(field=key, message=f"{name} {message}")
    if rules.required.get("is_flair_required") is True and place.flair is None:
        yield Problem(field="visibility", message=f"{name} wants a flair: write '{name}#FLAIR-ID'")


def _of_kind(about: Json, part: Part, what: words.Said) -> Iterator[tuple[str, str]]:
    kind = about.get("submission_type")
    if kind == "self" and (what.link or part.media):
        yield ("media" if part.media else "text"), "takes posts of words alone, no links and no pictures"
    if kind == "link" and not what.link and not part.media:
        yield "text", "takes links and pictures alone, no posts of words"
    films = any(map(words.is_film, part.media))
    for shown, allowed, name in (
        (films, "allow_videos", "films"),
        (not films and len(part.media) == 1, "allow_images", "pictures"),
        (not films and len(part.media) > 1, "allow_galleries", "galleries"),
    ):
        if shown and about.get(allowed) is False:
            yield "media", f"takes no {name}"


def _of_title(required: Json, title: str) -> Iterator[tuple[str, str]]:
    yield from _of_text("title", title, required, "title_text_min_length", "title_text_max_length")
    yield from _of_strings("title", title, required)


def _of_body(required: Json, part: Part, what: words.Said) -> Iterator[tuple[str, str]]:
    """Of a post of words."""
    if what.link or part.media:
        return
    policy = required.get("body_restriction_policy")
    if policy == "required" and not what.body:
        yield "text", "wants words below the title"
    if policy == "notAllowed" and what.body:
        yield "text", "takes a title alone, no words below it"
    if not what.body:
        return
    yield from _of_text("body", what.body, required, "body_text_min_length", "body_text_max_length")
    yield from _of_strings("body", what.body, required)


def _of_text(what: str, text: str, required: Json, least: str, most: str) -> Iterator[tuple[str, str]]:
    few, many = _number(required.get(least)), _number(required.get(most))
    if few is not None and len(text.encode("utf-16-le")) // 2 < few:
        yield "text", f"wants at least {few} characters in the {what}"
    if many is not None and len(text) > many:
        yield "text", f"takes at most {many} characters in the {what}, and it has {len(text)}"


def _of_strings(what: str, text: str, required: Json) -> Iterator[tuple[str, str]]:
    for one in _strings(required.get(f"{what}_blacklisted_strings")):
        if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text):
            yield "text", f"does not take {one[:SHOWN]!r} in the {what}"
    wanted = _strings(required.get(f"{what}_required_strings"))
    if wanted and not any(one.casefold() in text.casefold() for one in wanted):
        shown = ", ".join(repr(one[:SHOWN]) for one in wanted[:5])
        yield "text", f"wants one of these in the {what}: {shown}{', ...' if len(wanted) > 5 else ''}"  # noqa: PLR2004 (as many as are shown)


def _of_link(required: Json, link: str | None) -> Iterator[tuple[str, str]]:
    host = _host(link)
    policy = required.get("link_restriction_policy")
    if not host:
        return
    banned, taken = (_strings(required.get(f"domain_{one}")) for one in ("blacklist", "whitelist"))
    if policy == "blacklist" and any(host.removeprefix("www.") == one.lower().removeprefix("www.") for one in banned):
        yield "text", f"takes no links to {host[:SHOWN]}"
    if policy == "whitelist" and taken and not any(f".{host}".endswith(f".{one.lower()}") for one in taken):
        yield "text", f"takes links to some sites alone, and {host[:SHOWN]} is none of them"


def _of_gallery(required: Json, part: Part) -> Iterator[tuple[str, str]]:
    if len(part.media) < 2 or any(map(words.is_film, part.media)):  # noqa: PLR2004 (one picture is no gallery)
        return
    few, many = _number(required.get("gallery_min_items")), _number(required.get("gallery_max_items"))
    if few is not None and len(part.media) < few:
        yield "media", f"wants at least {few} pictures in a gallery"
    if many is not None and len(part.media) > many:
        yield "media", f"takes at most {many} pictures in a gallery"
    captions = required.get("gallery_captions_requirement")
    if captions == "required" and not all(one.alt for one in part.media):
        yield "media", "wants a caption below each picture of a gallery: give each an alt text"
    if captions == "notAllowed" and any(one.alt for one in part.media):
        yield "media", "takes no captions in a gallery, and an alt text would be one"
    if required.get("gallery_urls_requirement") == "required":
        yield "media", "wants a link below each picture of a gallery, which cannot be given from here"


def _number(said: object) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else None


def _strings(said: object) -> list[str]:
    listed = said[:MOST] if isinstance(said, list) else []
    return [one.strip() for one in listed if isinstance(one, str) and one.strip() and len(one) <= LONGEST]


def _host(link: str | None) -> str:
    try:
        return (urlsplit(link or "").hostname or "").lower()
    except ValueError:
        return ""
