"""Where secrets lie, and how they are fetched: the configuration names a place, never a value.

Nothing here puts the content of a file, or of a wrongly written reference, into an error: a token that was pasted in
the wrong place must not travel further in a log.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import Literal

from guardian import masking
from guardian.config.text import read_regular
from guardian.config.values import Bad
from guardian.model import Secret

MAX_SECRET_BYTES = 64 * 1024
OTHERS = 0o007
CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
SECRET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A well-formed name of a place: an absolute file, or a credential that systemd hands to the unit."""

    kind: Literal["file", "credential"]
    place: str


def secret_name(text: str) -> str:
    """What an adapter calls one of its secrets."""
    if not SECRET_NAME.fullmatch(text):
        raise Bad("no secret is called so", "write a name that the adapter declares, such as token")
    return text


def reference(value: object) -> Reference:
    """Read `file:/absolute/path` or `credential:NAME`; whatever else stands there may be the secret itself."""
    kind, _, place = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind == "file":
        if not place.startswith("/") or not place.isprintable():
            raise Bad("the file is not named by an absolute path", 'write it like "file:/etc/guardian/secrets/NAME"')
        return Reference("file", place)
    if kind == "credential":
        if not CREDENTIAL.fullmatch(place):
            raise Bad("systemd has no credential of such a name", 'write it like "credential:acme-token"')
        return Reference("credential", place)
    raise Bad(
        "a place is named here, never the secret itself: others may read this file",
        'store the secret with `install -m 600 /dev/stdin FILE`, write "file:FILE" here, and have the platform renew '
        "the secret if a real one stood here",
    )


def fetch(wanted: Reference) -> Secret:
    """Read the secret. Raises Bad, without a letter of what was read."""
    path = wanted.place if wanted.kind == "file" else _credential(wanted.place)
    # a credential's name is not shown: it could be a token, pasted after the wrong word
    shown = shlex.quote(path) if wanted.kind == "file" else "the credential that is named"
    try:
        mode, content = read_regular(path, MAX_SECRET_BYTES)
    except OSError as error:
        do = "store the secret there, readable by the user that the daemon runs as"
        raise Bad(f"{shown} cannot be read: {error.strerror or 'an error'}", do) from None
    if mode & OTHERS:
        do = f"run `chmod o= {shown}`" if wanted.kind == "file" else "hand it over with LoadCredential="
        raise Bad(f"{shown} is open to every user of this host", do)
    return _one_line(content, shown)


def _credential(place: str) -> str:
    base = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not base.startswith("/"):
        raise Bad(
            "systemd has handed over no credentials ($CREDENTIALS_DIRECTORY is not set)",
            'add LoadCredential= to the unit and start it there, or write "file:/absolute/path" here',
        )
    return f"{base}/{place}"


def _one_line(content: bytes, shown: str) -> Secret:
    fix = "store the secret alone, in one line"
    if len(content) > MAX_SECRET_BYTES:
        raise Bad(f"{shown} holds more than 64 KiB", fix)
    try:
        value = content.decode().strip()
    except UnicodeDecodeError:
        raise Bad(f"{shown} holds no text", fix) from None
    if not value:
        raise Bad(f"{shown} is empty", fix)
    if not value.isprintable():
        raise Bad(f"{shown} holds more than one line, or letters that cannot be printed", fix)
    masking.keep([value])  # before anybody has it
    return Secret(value)
