"""Foreign text made safe for a page: escaped, and what steers or hides is made visible. Pure.

The raw files keep it all. Emoji, Chinese, Arabic and the like are left to the reader's own browser, which shows them
better than we could.
"""

from __future__ import annotations

import html
import re
import unicodedata

from guardian.rules.letters import UNSEEN

POLICY = "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'"
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")  # England, Scotland, Wales
_JOINERS = "\u200c\u200d"
_PLAIN = "\n\t"


def shown(text: str) -> str:
    """The text as HTML: every letter that is seen as it is, every other as its number in a box."""
    pieces, place = [], 0
    for flag in _FLAG.finditer(text):
        pieces += [_shown(text, place, flag.start()), flag[0]]
        place = flag.end()
    return "".join([*pieces, _shown(text, place, len(text))])


def attribute(text: str) -> str:
    """The same for an attribute, where no boxes can be."""
    return html.escape("".join(one if _is_seen(text, place) else _number(one) for place, one in enumerate(text)))


def isolated(text: str, tag: str = "bdi") -> str:
    """An element in which the text has its own direction, so that it cannot turn what stands around it."""
    return f'<{tag} dir="auto">{shown(text)}</{tag}>'


def address(url: str | None) -> str:
    """An address as text, and as a link if it is http(s): a click is the reader's own act."""
    if not url:
        return "-"
    if re.match(r"https?://[^\s]", url, re.IGNORECASE) is None:
        return isolated(url)
    return f'<a rel="noopener noreferrer nofollow" href="{attribute(url)}">{isolated(url)}</a>'


def _shown(text: str, start: int, end: int) -> str:
    return "".join(
        html.escape(text[place]) if _is_seen(text, place) else f'<span class="mark">{_number(text[place])}</span>'
        for place in range(start, end)
    )


def _is_seen(text: str, place: int) -> bool:
    letter = text[place]
    if letter in _JOINERS:
        return _joins(text, place)
    if letter in UNSEEN:
        return False
    return letter in _PLAIN or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _joins(text: str, place: int) -> bool:
    """A joiner between two emoji, or two letters of a script that uses it, is a part of the writing."""
    before = next((one for one in reversed(text[max(place - 3, 0) : place]) if not _is_modifier(one)), "")
    after = text[place + 1 : place + 2]
    return bool(before and after) and all(_is_joined(one) for one in (before, after))


def _is_joined(letter: str) -> bool:
    return (
        unicodedata.category(letter) in {"So", "Sk"}
        or (letter >= "\u0600" and unicodedata.category(letter)[0] in "LM")
        or letter in "\u2640\u2642\u2695\u2696\u2708\u2764"
    )


def _is_modifier(letter: str) -> bool:
    return letter == "\ufe0f" or "\U0001f3fb" <= letter <= "\U0001f3ff"


def _number(letter: str) -> str:
    return f"U+{ord(letter):04X}"
