"""The files that a record shows: from what it names them by to what lies in the spool. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.duties.record_form import FileRecord
    from guardian.duties.records import Rules
    from guardian.model import Media
    from guardian.rules.columns import Path

SHA256 = re.compile(r"[0-9a-f]{64}")
NUMBERED = re.compile(r"media([1-9]\d*)(?:_(\w+))?")
HAND_IT_OVER = "do hand it over first: guardian client upload FILE"


def resolve(one: FileRecord, rules: Rules) -> Media | str:
    """The file as a part shows it, or why it cannot be shown."""
    if (one.path is None) == (one.sha256 is None):
        return "cannot use the file, because it has neither or both of 'path' and 'sha256', do give one"
    sha256 = one.sha256
    if one.path is not None:
        if rules.files is None:
            return f"cannot use the path {one.path!r}, because only the file's hash is taken here, {HAND_IT_OVER}"
        sha256 = rules.files.get(one.path)
        if sha256 is None:
            return f"cannot use {one.path!r}, because it was not handed over with the import"
        if SHA256.fullmatch(sha256) is None:
            return sha256 if sha256.startswith("cannot ") else f"cannot use {one.path!r}, because {sha256}"
    found = rules.media(str(sha256))
    if found is None:
        return f"cannot use the file {sha256}, because it is not in the spool, {HAND_IT_OVER}"
    return replace(found, alt=one.alt or None)


def key_of(field: str) -> tuple[str, Path]:
    """What a problem's field is about: `media2_alt` is `alt` of the second file."""
    found = NUMBERED.fullmatch(field)
    if found is None:
        return field, ()
    rest: Path = (int(found[1]) - 1, *([found[2]] if found[2] else []))
    return "media", rest
