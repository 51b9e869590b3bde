"""Whether a post that a server shows says what we sent: for servers that do not tell the source of a post. Pure.

What they show is HTML of their own making: links shortened or wrapped, mentions without their host, markup rendered,
line breaks as paragraphs. So there are three answers, and the middle one is no answer at all.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from html.parser import HTMLParser

GRAM = 3
UNLIKE_BELOW = 0.5  # of the shorter one's trigrams; unrelated sentences of one language share a tenth or two


class Likeness(Enum):
    """What the words prove."""

    SAME = "the same words"
    OTHER = "other words"
    UNSURE = "alike, but not the same"


def likeness(shown: str, sent: str) -> Likeness:
    """Compare the HTML that a server shows with the words that we sent.

    The same, if nothing but blanks differs; others, if they share less than half; else nobody can say.
    """
    ours, theirs = _joined(sent), _joined(_text_of(shown))
    if ours == theirs:
        return Likeness.SAME
    left, right = _grams(ours), _grams(theirs)
    if not left or not right:  # emoji, a word of two letters: too little to tell apart
        return Likeness.UNSURE
    shared = len(left & right) / min(len(left), len(right))
    return Likeness.OTHER if shared < UNLIKE_BELOW else Likeness.UNSURE


def words_of(shown: str) -> str:
    """The HTML that a server shows as the text that a person would read, line by line."""
    words = _Lines()
    words.feed(shown)
    words.close()
    return "".join(words.found).strip()


def _joined(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _grams(joined: str) -> set[str]:
    letters = "".join(letter for letter in joined.casefold() if letter.isalnum())
    return {letters[at : at + GRAM] for at in range(len(letters) - GRAM + 1)}


class _Words(HTMLParser):
    """Collects what a person would read; a picture stands for its words (that is how emoji are shown)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        self.found.append(data)


class _Lines(_Words):
    """The same, with line breaks where they are shown."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or (tag == "p" and self.found):
            self.found.append("\n" if tag == "br" else "\n\n")
        super().handle_starttag(tag, attrs)


def _text_of(shown: str) -> str:
    words = _Words()
    words.feed(shown)
    words.close()
    return "".join(words.found)
