"""A post as a page that needs nothing else: a RENDERING from the data, no screenshot. Pure."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.evidence.harmless import POLICY, address, attribute, isolated, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL = "RENDERING, made from the captured data. This is not a screenshot: the platform's own page looked different."
EMBEDDED = 8 << 20  # bytes of pictures that a card may carry; the others are linked
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
MOST_REPLIES = 500
_LINK = re.compile(r"(?:\.\./){0,2}[A-Za-z0-9][A-Za-z0-9._/-]*")
STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 42em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff }
.label { border: 2px solid #b00; color: #b00; padding: .5em; font-weight: bold }
.text { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #999; padding: .2em 1em }
.mark { background: #fd6; border: 1px solid #b00; font: .75em monospace; padding: 0 .2em }
img { max-width: 100% } figure { margin: 1em 0 } table { border-collapse: collapse } dt { color: #555 }
td, th { text-align: left; vertical-align: top; padding: .2em .8em .2em 0; overflow-wrap: anywhere }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A file of the post: its type, alt text, where it lies in the bundle (as seen from the card), and its bytes."""

    type: str
    alt: str | None
    file: str
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A post, own or foreign, as it was captured: everything in it may be hostile."""

    author: str
    handle: str
    text: str
    at: str
    url: str | None = None
    warning: str | None = None
    media: tuple[Shown, ...] = ()


def card(post: Said, *, captured: str, facts: Sequence[tuple[str, str]] = ()) -> str:
    """`render/card.html`: one post. `captured`: when it was captured, in words."""
    room = EMBEDDED
    figures = []
    for one in post.media:
        figures.append(_figure(one, embed=one.data is not None and len(one.data) <= room))
        room -= len(one.data or b"")
    rows = [("captured", captured), *facts]
    table = "".join(f"<tr><th>{shown(name)}</th><td>{isolated(value)}</td></tr>" for name, value in rows)
    return page("Card of a post", f"{_said(post)}{''.join(figures)}<table>{table}</table>")


def replies(posts: Sequence[Said], *, captured: str, most: int = MOST_REPLIES) -> str:
    """`third-party/replies.html`: other people's answers, so many at most; it says how many there are."""
    counts = f"{len(posts)} captured, {min(len(posts), most)} shown"
    told = f"<p>{counts}; all of them are in the archive. {shown(captured)}</p>"
    return page("Replies", told + "".join(_said(post) for post in posts[:most]))


def page(title: str, body: str, *, label: str = LABEL) -> str:
    """A page that fetches nothing and runs nothing. `body` is HTML of ours."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{shown(title)}</title><style>{STYLE}</style></head>\n'
        f'<body><p class="label">{shown(label)}</p>\n{body}\n</body></html>\n'
    )


def _said(post: Said) -> str:
    warning = f"<p>content warning: {isolated(post.warning)}</p>" if post.warning else ""
    return (
        f"<article><p><b>{isolated(post.author)}</b> {isolated(post.handle)}, {isolated(post.at)}<br>"
        f'{address(post.url)}</p>{warning}<div class="text" dir="auto">{shown(post.text)}</div></article>\n'
    )


def _figure(one: Shown, *, embed: bool) -> str:
    alt = isolated(one.alt) if one.alt else "<i>no alt text</i>"
    link = one.file if _LINK.fullmatch(one.file) and ".." not in one.file.lstrip("./") else ""
    source = link
    if embed and one.data is not None and one.type in PICTURES:
        source = f"data:{one.type};base64,{base64.b64encode(one.data).decode('ascii')}"
    picture = (
        f'<img src="{attribute(source)}" alt="{attribute(one.alt or "")}">' if one.type in PICTURES and source else ""
    )
    named = f'<a href="{attribute(link)}">{shown(link)}</a>' if link else shown(one.file)
    return f"<figure>{picture}<figcaption>alt text: {alt}<br>{named} ({shown(one.type)})</figcaption></figure>\n"
