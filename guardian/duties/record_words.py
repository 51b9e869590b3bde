"""What can be wrong with a record, in words: each fault with the way to the key that it is about. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from guardian.duties.record_form import FEWEST_PARTS, MOST_FILES, MOST_PARTS, Record

if TYPE_CHECKING:
    from collections.abc import Collection

    from guardian.rules.columns import Path

SAY_SOMETHING = "write it, or add a picture"
A_THREAD = f"a thread has {FEWEST_PARTS} to {MOST_PARTS} parts, do write one post as 'text'"
KEYS_OF = {"media": ("path", "sha256", "alt"), "parts": ("text", "media")}
ITEMS = {"parts": "part", "media": "file"}
AT_MOST = {"parts": MOST_PARTS, "media": MOST_FILES}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a record, and the way to the key that it is about."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Unwelcome(Fault):
    """The record may be right; its account's platform has said that we may not post there."""


def worded(error: Any) -> Fault:  # noqa: ANN401 (pydantic's own dictionary)
    """What a model found wrong, in our words."""
    path: Path = tuple(error["loc"])
    key = path[-1] if path else ""
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(key), _siblings(path), n=1)
        there = f" in {named(path[:-1])}" if len(path) > 1 else ""
        return Fault(
            path, f"cannot read {key!r}{there}, because there is no such key{f', do write {near[0]}' if near else ''}"
        )
    if error["type"] == "missing":
        return Fault(path, f"cannot read the record, because {key!r} is missing, do add it")
    if key in AT_MOST and error["type"] in ("too_short", "too_long", "list_type"):
        why = A_THREAD if key == "parts" else f'at most {MOST_FILES} files fit, each as {{"path": ..., "alt": ...}}'
        return Fault(path, f"cannot use {named(path)}, because {why}")
    why = str(error["msg"]).removeprefix("Value error, ")
    return Fault(path, f"cannot use {named(path)}, because {why[:1].lower()}{why[1:]}")


def _siblings(path: Path) -> list[str]:
    above = next((str(step) for step in reversed(path[:-1]) if not isinstance(step, int)), "")
    return list(KEYS_OF.get(above, Record.model_fields))


def named(path: Path) -> str:
    """A key and where it stands, in words: `'alt' of file 2 of part 3`."""
    keys = [step for step in path if isinstance(step, str)]
    steps = [(above, step) for above, step in pairwise(path) if isinstance(step, int)]
    words = [f"{ITEMS[str(above)]} {step + 1}" for above, step in steps if above in ITEMS]
    own = repr(keys[-1]) if keys and (isinstance(path[-1], str) or keys[-1] not in ITEMS) else ""
    return " of ".join([*([own] if own else []), *reversed(words)]) or "the record"


def no_account(name: str, known: Collection[str]) -> str:
    """That an account is none of ours, and which one may be meant."""
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"do you mean {near[0]!r}?" if near else f"do choose from: {', '.join(sorted(known)) or 'none yet'}"
    return f"cannot post as {name!r}, because the configuration has no such account, {fix}"
