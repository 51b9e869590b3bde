"""What `guardian.sysusers` and `guardian.tmpfiles` ask for, read as systemd reads them: pure.

The two files are the only place that names users, groups, directories, owners and modes: where systemd's own programs
are missing, and to tell what is missing yet, the same lines are read here.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from guardian.errors import GuardianError

if TYPE_CHECKING:
    from collections.abc import Iterator


class User(NamedTuple):
    """A user of the system, with a group of the same name."""

    name: str
    comment: str
    home: str
    shell: str


class Directory(NamedTuple):
    """A directory with its owner; `mode` as chmod takes it."""

    path: str
    mode: int
    user: str
    group: str


def users(sysusers: str) -> tuple[User, ...]:
    """The users of the file."""
    return tuple(
        User(words[1], words[3], words[4], words[5] if len(words) > 5 else "/usr/sbin/nologin")  # noqa: PLR2004 (a column)
        for words in _lines(sysusers)
        if words[0] == "u"
    )


def groups(sysusers: str) -> tuple[str, ...]:
    """The groups of the file, those that come with a user included."""
    return tuple(words[1] for words in _lines(sysusers) if words[0] in ("u", "g"))


def directories(tmpfiles: str) -> tuple[Directory, ...]:
    """The directories of the file, in its order."""
    return tuple(
        Directory(words[1], int(words[2], 8), words[3], words[4]) for words in _lines(tmpfiles) if words[0] == "d"
    )


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise GuardianError(
                f"cannot read the line {line!r}, because of this: {error}", fix="put it right, or remove that file"
            ) from None
        if words:
            yield words
