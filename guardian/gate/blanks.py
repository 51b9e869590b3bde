"""Secrets are blanked before anything is kept: in addresses, headers and bodies, in every spelling that is usual.

A blank is as long as what it hides, so that lengths stay true and JSON stays JSON. Pure; any thread may use it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardian.rules.spellings import IN_JSON, IN_QUERY, NAMES, USER, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REMOVED = "[removed]"
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "cookie2", "set-cookie", "set-cookie2"})
SECRET_IN_NAME = re.compile(r"token|csrf|xsrf|secret|api-?key|signature|password|session|^dpop$", re.IGNORECASE)
IN_FORM = re.compile(rf"((?:^|&){NAMES}=)([^&]+)", re.IGNORECASE)
FORM = "application/x-www-form-urlencoded"
WORDS = re.compile(r"$|text/|.*(?:json|xml|javascript)|" + re.escape(FORM))  # pixels hold no queries
MOST = 4 << 20  # bytes in which names are looked for: an answer of an API has no more; our own secrets always are
PIECE = 64 * 1024  # bytes looked through at a time: no other thread runs meanwhile


class Blanks:
    """Removes the given secrets, and whatever is a secret by its name."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {spelling for secret in secrets if secret for spelling in spellings(secret)}
        self._spellings = sorted(found, key=len, reverse=True)
        self._bytes = [spelling.encode() for spelling in self._spellings]

    def hold(self, data: bytes) -> bool:
        """Whether one of the given secrets is in it, in any spelling."""
        return any(spelling in data for spelling in self._bytes)

    def text(self, text: str) -> str:
        """Any text, such as an error's."""
        for spelling in self._spellings:
            text = text.replace(spelling, "*" * len(spelling))
        return IN_QUERY.sub(_blank, text)

    def url(self, url: str) -> str:
        """An address: also what stands before an @."""
        return USER.sub(_blank, self.text(url))

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers in their order and case; of a secret one only the name stays."""
        return tuple((name, REMOVED if self._is_secret(name, value) else self.url(value)) for name, value in headers)

    def body(self, body: bytes, media_type: str) -> bytes:
        """A body of that type: our secrets in any, and what is a secret by its name where there are words."""
        for spelling in self._bytes:
            if spelling in body:
                body = body.replace(spelling, b"*" * len(spelling))
        if len(body) > MOST or not WORDS.match(media_type):
            return body
        return b"".join(_by_name(piece, media_type) for piece in _pieces(body))

    def _is_secret(self, name: str, value: str) -> bool:
        if name.lower() in SECRET_HEADERS or SECRET_IN_NAME.search(name):
            return True
        return any(spelling in value for spelling in self._spellings)


def _by_name(piece: bytes, media_type: str) -> bytes:
    text = piece.decode("latin-1")  # every byte is a character, and comes back as it was
    text = IN_JSON.sub(_blank, IN_QUERY.sub(_blank, text))
    if media_type == FORM:
        text = IN_FORM.sub(_blank, text)
    return text.encode("latin-1")


def _pieces(body: bytes) -> Iterator[bytes]:
    """Cut where no address and no value goes on; where there is no such place, it is no honest answer."""
    start = 0
    while start < len(body):
        end = start + PIECE
        if end < len(body):
            cut = max(body.rfind(one, start + 1, end) for one in (b"\n", b"<", b',"'))
            end = cut + 1 if cut > start else end
        yield body[start:end]
        start = end


def _blank(match: re.Match[str]) -> str:
    return match[1] + "*" * len(match[2])
