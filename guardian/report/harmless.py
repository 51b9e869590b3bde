"""Text that can do nothing: what steers or hides is made visible, what is too long cut, what is markup escaped. Pure.

Whatever stands in a report may come from a platform, from whoever was angry enough to write to it, or from a person in
a hurry. So nothing of it is trusted: each text passes `visible`, then the escape of the form that it is written in.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

from guardian.rules.letters import UNSEEN

LONGEST = 2000
MARKS = 4  # more marks than this on one letter climb over the lines above
LINE_END = " \u23ce "
MARKUP = re.compile(r"([\\`*_\[\]|~$])")
OPENS = re.compile(r"[#+\-=]|\d+[.)](?=\s|$)")  # what begins a heading, a list, a rule, a quotation
ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)


def visible(text: object, *, longest: int = LONGEST) -> str:
    """One line of letters that a person sees: the ends of lines as a sign, everything that steers as its number."""
    words = str(text).replace("\r\n", "\n").replace("\r", "\n")
    cut = len(words) - longest
    if cut > 0:
        words = f"{words[:longest]}\u2026 (+{cut})"
    shown, marks = [], 0
    for letter in words:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        shown.append(_shown(letter, marks))
    return "".join(shown)


def _shown(letter: str, marks: int) -> str:
    if letter == "\n":
        return LINE_END
    if letter.isprintable() and letter not in UNSEEN and marks <= MARKS:
        return letter
    return f"\\u{ord(letter):04x}"


def all_visible(found: Any, *, longest: int = LONGEST) -> Any:  # noqa: ANN401 (any JSON)
    """A document with each of its texts made visible, for whoever shows it on a terminal."""
    if isinstance(found, dict):
        return {key: all_visible(value, longest=longest) for key, value in found.items()}
    if isinstance(found, list):
        return [all_visible(value, longest=longest) for value in found]
    return visible(found, longest=longest) if isinstance(found, str) else found


def in_markdown(text: object, *, longest: int = LONGEST) -> str:
    """A text inside a paragraph, a list or a cell of a table: no markup, no markup of HTML, no address to click on."""
    words = visible(text, longest=longest).strip()
    words = MARKUP.sub(r"\\\1", words)
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = ADDRESS.sub(lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;"), words)
    opens = OPENS.match(words)
    if opens is None:
        return words
    at = opens.end() - 1
    return f"{words[:at]}\\{words[at:]}"


def in_html(text: object, *, longest: int = LONGEST) -> str:
    """A text inside an element or an attribute with quotes."""
    return html.escape(visible(text, longest=longest), quote=True)
