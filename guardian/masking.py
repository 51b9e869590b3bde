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
MOST_HANDED_OUT = 512  # tokens good for an hour each: the oldest are forgotten
MOST = 1 << 20  # letters that are searched for tokens


class Known:
    """A set of secrets that only grows, but for those that platforms hand out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._configured: set[str] = set()
        self._handed_out: dict[str, None] = {}
        self._marks: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def keep(self, secrets: Iterable[str]) -> None:
        """Know these from now on. None is forgotten: one that was replaced may still be good somewhere."""
        with self._lock:
            new = {one for one in secrets if len(one) >= SHORTEST} - self._configured
            if new:
                self._configured |= new
                self._marks = _marks({*self._configured, *self._handed_out})

    def keep_for_now(self, secrets: Iterable[str]) -> None:
        """The same for what a platform hands out again and again; the newest 512 are known."""
        with self._lock:
            new = [one for one in secrets if len(one) >= SHORTEST and one not in self._handed_out]
            if not new:
                return
            self._handed_out.update(dict.fromkeys(new))
            for old in list(self._handed_out)[:-MOST_HANDED_OUT]:
                del self._handed_out[old]
            self._marks = _marks({*self._configured, *self._handed_out})

    def without(self, text: str) -> str:
        """The text with three stars for every secret, known by its letters or by the name before it."""
        for mark, pattern in self._marks:
            if mark in text:
                text = pattern.sub(HIDDEN, text)
        for named in (IN_QUERY, IN_JSON, IN_HEADER, BEARER, USER):
            text = named.sub(rf"\1{HIDDEN}", text)
        return text


KNOWN = Known()
keep, keep_for_now, without = KNOWN.keep, KNOWN.keep_for_now, KNOWN.without


def keep_what_is_handed_out(answer: bytes) -> None:
    """Know every token that an answer to a login holds, by its name in the JSON."""
    text = answer[:MOST].decode("utf-8", "replace")
    keep_for_now(found[2] for found in IN_JSON.finditer(text))


def _marks(secrets: Iterable[str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What to look for, and what to take out where it is; longer ones first: one may be a part of another."""
    found: dict[str, list[str]] = {}
    for spelling in sorted({one for secret in secrets for one in spellings(secret)}, key=len, reverse=True):
        found.setdefault(spelling if len(spelling) < LONG else spelling[:HEAD], []).append(re.escape(spelling))
    marks = sorted(found, key=len, reverse=True)
    return tuple((mark, re.compile("|".join([*found[mark], *_cut(mark, found[mark])]))) for mark in marks)


def _cut(mark: str, whole: list[str]) -> list[str]:
    """The beginning of a long one, and what follows up to where a word ends: the rest of it may have been cut off."""
    return [] if whole == [re.escape(mark)] else [re.escape(mark) + END]
