"""How long a post is by X's own count: 280, or 25,000 for whoever pays; a link is 23, an emoji 2.

What is not of the Latin world counts 2. Pure; any thread may call. It does what X's published parser does (twitter-text
3.1.0, configuration 3), step by step and in UTF-16, because that is what the parser's expressions are written for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from adapters.x_signs import EMOJI, TLDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST, MOST_OF_PAYING = 280, 25_000
LINK = 23
WIDE = 2
NARROW = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # what counts one
LONGEST = 26_000  # beyond it no link is looked for: a text of that length fits nowhere
LONGEST_LABEL = 63
LONGEST_LINK = 4096
LONGEST_NAME_AT_TCO = 40
NEVER = re.compile("[\ufffe\uffff\ufeff]")  # what no post may contain

LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    "\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
MARKS = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"  # of writing direction
BLANKS = "\t-\r \u0085\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
SIGN = rf"[^!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~${BLANKS}\ufffe\ufeff\uffff{MARKS}]"
LABEL = rf"{SIGN}{{1,260}}+(?:[_-]++{SIGN}{{1,260}}+){{0,64}}+\."  # no name is as long; the bounds bound the time
NAME = rf"{SIGN}{{1,260}}+(?:-++{SIGN}{{1,260}}+){{0,64}}+\."
IN_PATH = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{LATIN}]"
PARENS = rf"\((?:{IN_PATH}+|{IN_PATH}*\({IN_PATH}+\){IN_PATH}*)\)"
PATH = rf"(?:{IN_PATH}*(?:{PARENS}{IN_PATH}*)*[+\-a-z\u0400-\u04ff0-9=_#/{LATIN}]|{PARENS}|@{IN_PATH}+/)"
QUERY = r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]"
TCO = re.compile(r"https?://t\.co/([a-z0-9]+)(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Signs:
    """The expressions that take a moment to compile, which no start has to wait for."""

    url: re.Pattern[str]
    ascii_domain: re.Pattern[str]
    face: re.Pattern[str]


@cache
def _signs() -> _Signs:
    tld = rf"(?:{_one_of(TLDS.split())}(?=[^0-9a-zA-Z@+-]|$)|xn--[\-0-9a-z]+)"
    domain = rf"(?:{LABEL}){{0,30}}{NAME}{tld}"
    before = r"(?P<before>[^A-Za-z0-9@\uff20$#\uff03\ufffe\ufeff\uffff]|^)"
    url = rf"(?P<url>(?P<scheme>https?://)?(?P<domain>{domain})(?::[0-9]+)?(?P<path>/{PATH}*)?(?:{QUERY})?)"
    return _Signs(
        url=re.compile(before + url, re.IGNORECASE),
        ascii_domain=re.compile(rf"(?:[\-a-z0-9{LATIN}]+\.)+{tld}", re.IGNORECASE),
        face=re.compile(EMOJI),
    )


def length(text: str) -> int:
    """What X counts, of which it takes 280."""
    units = _units(unicodedata.normalize("NFC", text))
    links = dict(_links(units)) if len(units) <= LONGEST else {}
    faces = {found.start(): found.end() for found in _signs().face.finditer(units)}
    total, at = 0, 0
    while at < len(units):
        if at in links:
            total, at = total + LINK, links[at]
        elif at in faces:
            total, at = total + WIDE, faces[at]
        else:
            total += 1 if any(first <= ord(units[at]) <= last for first, last in NARROW) else WIDE
            at += 2 if _is_pair(units, at) else 1
    return total


def _links(units: str) -> Iterator[tuple[int, int]]:
    """Where the links begin and end. No link has a blank in it, so only what has a dot between blanks is looked at."""
    for word in re.finditer(rf"[{BLANKS}]?[^{BLANKS}]+", units):
        if "." in word[0]:
            for start, end in _links_of(word[0]):
                yield word.start() + start, word.start() + end


def _links_of(word: str) -> Iterator[tuple[int, int]]:
    for found in _signs().url.finditer(word):
        start, end = found.span("url")
        if not _is_domain(found["domain"]) or len(found["scheme"] or "https://") + end - start > LONGEST_LINK:
            continue
        if found["scheme"] is None:
            if not re.search(r"[-_./]$", found["before"]):
                yield from _bare(found, start)
            continue
        short = TCO.search(found["url"])
        if short is None:
            yield start, end
        elif len(short[1]) <= LONGEST_NAME_AT_TCO:
            yield start, start + len(short[0])


def _bare(found: re.Match[str], start: int) -> Iterator[tuple[int, int]]:
    """Without a scheme only names in Latin letters are links; to the last of them belongs as much as follows the name.

    (Where other letters stand in between, X's parser counts on too early. So do we.)
    """
    names = [one.span() for one in _signs().ascii_domain.finditer(found["domain"])]
    follows = len(found["url"]) - len(found["domain"]) if found["path"] else 0
    for nr, (first, last) in enumerate(names, 1):
        yield start + first, start + last + (follows if nr == len(names) else 0)


def _is_domain(domain: str) -> bool:
    """Whether every label fits into a name of the internet. (An idea of X's parser: no real name is checked.)"""
    if domain.startswith("xn--") and not _signs().ascii_domain.search(domain):
        return False
    for label in domain.split("."):
        whole = label.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        size = len(label) if label.isascii() else 4 + len(whole.encode("punycode"))
        if not 1 <= size <= LONGEST_LABEL:
            return False
    return True


def _units(text: str) -> str:
    """UTF-16 as a string of its units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, memoryview(raw).cast("H")))


def _is_pair(units: str, at: int) -> bool:
    return "\ud800" <= units[at] <= "\udbff" and "\udc00" <= units[at + 1 : at + 2] <= "\udfff"


def _one_of(names: Iterable[str]) -> str:
    """An expression for one of these, the longest that fits: a tree, because it is tried at every dot."""
    tree: dict[str, Any] = {}
    for name in names:
        at = tree
        for letter in name[4:].encode().decode("punycode") if name.startswith("xn--") else name:
            at = at.setdefault(letter, {})
        at[""] = {}
    return _branches(tree)


def _branches(tree: dict[str, Any]) -> str:
    found = [re.escape(letter) + _branches(below) for letter, below in sorted(tree.items()) if letter]
    if not found:
        return ""
    return f"(?:{'|'.join(found)}){'?' if '' in tree else ''}"
