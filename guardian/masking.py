"""The secrets that this process knows, and texts without them. Any thread may call; nothing here is ever written.

Whoever comes by a secret says so before anything is done with it: `config/secrets.py` for what was configured, the gate
for what a platform hands out. Whoever writes for people (the log, an error) asks for the text without them.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from guardian.rules.spellings import BEARER, IN_HEADER, IN_JSON, IN_QUERY, USER, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
SHORTEST = 6  # what is shorter is no secret, and stands in any text
HEAD, LONG = 12, 16  # of a long one its beginning is enough: logs cut what they quote
END = r"[^\s\"'<>&;,)\]}]*"
MOST_HANDED_OUT = 128  # tokens good for an hour or two: the oldest are forgotten
MOST = 1 << 20  # letters that are searched for tokens
SHORTEST_TOKEN = 16  # "token_type": "Bearer" hands out nothing
HANDED_OUT = re.compile(
    r'"[\w.-]*(?:token|jwt|secret|password|refresh|access|session)[\w.-]*"\s*:\s*"((?:[^"\\]|\\.)+)"', re.IGNORECASE
)
JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")


Marks = tuple[tuple[str, re.Pattern[str]], ...]


class Known:
    """A set of secrets that only grows, but for those that platforms hand out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._configured: dict[str, Marks] = {}
        self._handed_out: dict[str, Marks] = {}
        self._marks: Marks = ()

    def keep(self, secrets: Iterable[str]) -> None:
        """Know these from now on. None is forgotten: one that was replaced may still be good somewhere."""
        with self._lock:
            self._know(secrets, self._configured)

    def keep_for_now(self, secrets: Iterable[str]) -> None:
        """The same for what a platform hands out again and again; the newest 128 are known."""
        with self._lock:
            self._know(secrets, self._handed_out)

    def _know(self, secrets: Iterable[str], among: dict[str, Marks]) -> None:
        new = {one for one in secrets if len(one) >= SHORTEST and one not in among}
        if not new:
            return
        among.update({one: _marks(one) for one in new})
        for old in list(self._handed_out)[:-MOST_HANDED_OUT]:
            del self._handed_out[old]
        found = {pair for marks in (*self._configured.values(), *self._handed_out.values()) for pair in marks}
        self._marks = tuple(sorted(found, key=_longest_first))

    def without(self, text: str) -> str:
        """The text with three stars for every secret, known by its letters or by the name before it."""
        for mark, pattern in self._marks:
            if mark in text:
                text = pattern.sub(HIDDEN, text)
        for named in (IN_QUERY, IN_JSON, IN_HEADER, BEARER, USER):
            text = named.sub(rf"\1{HIDDEN}", text)
        return text

    def blanked(self, answer: bytes) -> bytes:
        """The bytes with what platforms have handed out blanked in its own length: an answer that says one back."""
        with self._lock:
            handed_out = sorted((one.encode() for one in self._handed_out), key=len, reverse=True)
        for one in handed_out:
            if one in answer:
                answer = answer.replace(one, b"*" * len(one))
        return answer


KNOWN = Known()
keep, keep_for_now, without, blanked = KNOWN.keep, KNOWN.keep_for_now, KNOWN.without, KNOWN.blanked


def keep_what_is_handed_out(answer: bytes) -> None:
    """Know every token in an answer to a login, or in what is kept of one: by its name (JSON, a form), or as a JWT."""
    text = answer[:MOST].decode("utf-8", "replace")
    found = [*HANDED_OUT.findall(text), *(name_and_value[1] for name_and_value in IN_QUERY.findall(f"&{text}"))]
    keep_for_now(one for one in (*found, *JWT.findall(text)) if len(one) >= SHORTEST_TOKEN)


def _marks(secret: str) -> Marks:
    """What to look for, and what to take out where it is."""
    found: dict[str, list[str]] = {}
    for spelling in sorted(spellings(secret), key=len, reverse=True):
        found.setdefault(spelling if len(spelling) < LONG else spelling[:HEAD], []).append(re.escape(spelling))
    return tuple((mark, re.compile("|".join([*whole, *_cut(mark, whole)]))) for mark, whole in found.items())


def _cut(mark: str, whole: list[str]) -> list[str]:
    """The beginning of a long one, and what follows up to where a word ends: the rest of it may have been cut off."""
    return [] if whole == [re.escape(mark)] else [re.escape(mark) + END]


def _longest_first(pair: tuple[str, re.Pattern[str]]) -> tuple[int, str, int, str]:
    """One secret may be a part of another."""
    return -len(pair[0]), pair[0], -len(pair[1].pattern), pair[1].pattern
