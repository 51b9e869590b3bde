"""Our last line on a file that we install: it tells one that a person changed from one that we may renew or remove."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

MARK = "# guardian init --system wrote this file and renews it; once changed, it is kept. SHA-256 of all above: "
LAST_LINE = re.compile(rf"{re.escape(MARK)}([0-9a-f]{{64}})\n\Z")


class Whose(StrEnum):
    """Whose a file is that may lie where ours belongs."""

    NOBODYS = "nobody's"
    OURS = "ours"
    THEIRS = "theirs"


def seal(text: str) -> str:
    """The text with our last line."""
    return f"{text}{MARK}{_digest(text)}\n"


def whose(found: str | None) -> Whose:
    """Whose it is: ours if it is to the letter what some version of us wrote. None: nothing lies there."""
    if found is None:
        return Whose.NOBODYS
    last = LAST_LINE.search(found)
    return Whose.OURS if last and last[1] == _digest(found[: last.start()]) else Whose.THEIRS


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
