"""What a PDS answers, judged by its bytes alone: is the record there, what does it say, what does it show. Pure.

Any thread may call. Nothing here believes a page that a proxy or a login put in the place of an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.bluesky_names import DID, name_in
from guardian.adapter import Meaning, Reading
from guardian.model import Presence, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.adapter import Kind

Json = dict[str, Any]

OK, BAD_REQUEST, UNAUTHORISED = 200, 400, 401
MISSING = "RecordNotFound"
STALE = frozenset({"ExpiredToken", "InvalidToken"})  # said with 400: of the token, and not of what was asked
CLOSED = frozenset({"AccountTakedown", "AccountSuspended", "AccountDeactivated", "RepoTakendown", "RepoDeactivated"})
SAID_OF_AN_ERROR = frozenset({"error", "message"})
IMAGES, VIDEO = "app.bsky.embed.images", "app.bsky.embed.video"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as its PDS has it."""

    uri: str
    cid: str
    value: Json


def document(body: bytes) -> object:
    """What the bytes say as JSON; None when they are none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def stored(body: bytes) -> Stored | None:
    """The bytes of a getRecord as a record; None when they are none."""
    found = document(body)
    if not isinstance(found, dict):
        return None
    uri, cid, value = found.get("uri"), found.get("cid"), found.get("value")
    if not isinstance(uri, str) or name_in(uri) is None or not isinstance(cid, str) or not isinstance(value, dict):
        return None
    return Stored(uri, cid, value)


def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading | None:
    """What an answer to a changing request means where its status does not say: 400 is said of a token, too."""
    del kind, path  # it means the same of all of them
    said = error_in(body)
    if status in (BAD_REQUEST, UNAUTHORISED) and said in STALE:
        return Reading(meaning=Meaning.LATER, why=f"the platform answered {said}: the session is renewed")
    if said in CLOSED:
        why = f"the platform answered {said}, do sign in at bsky.app and see what it says of the account"
        return Reading(meaning=Meaning.SHUT, why=why)
    return None


def is_stale(status: int, body: bytes) -> bool:
    """Whether that was said of the token."""
    return status == UNAUTHORISED or (status == BAD_REQUEST and error_in(body) in STALE)


def blob_in(body: bytes) -> tuple[str, str, int] | None:
    """Link, media type and size of the blob that an upload was answered with."""
    found = document(body)
    blob = found.get("blob") if isinstance(found, dict) else None
    link = _link(blob)
    kind, size = (blob.get("mimeType"), blob.get("size")) if isinstance(blob, dict) else (None, None)
    return (link, kind, size) if link is not None and isinstance(kind, str) and type(size) is int else None


def error_in(body: bytes) -> str:
    """The name of the error that XRPC answers with; empty when it is no error of that form, and nothing more."""
    found = document(body)
    said = found.get("error") if isinstance(found, dict) and set(found) <= SAID_OF_AN_ERROR else None
    return said if isinstance(said, str) else ""


def presence(status: int, body: bytes, uri: str) -> Presence:
    """There with its own name, or gone in the words of the protocol: a 400, RecordNotFound. Else unknown."""
    if status == OK:
        found = stored(body)
        return Presence.THERE if found is not None and found.uri == uri else Presence.UNKNOWN
    if status == BAD_REQUEST and error_in(body) == MISSING:
        return Presence.GONE
    return Presence.UNKNOWN


def author(body: bytes) -> str | None:
    """The DID in whose repository it is: nobody else can write there."""
    found = stored(body)
    name = name_in(found.uri) if found is not None else None
    return name.repo if name is not None and DID.fullmatch(name.repo) else None


def files(body: bytes, blob: str) -> Iterator[Shown]:
    """The pictures of a post, or its film; `blob` is the address of a blob up to its CID."""
    found = stored(body)
    for kind, shown, said in _shown(found.value) if found is not None else ():
        link, alt = _link(shown), said.get("alt")
        if link is not None:
            yield Shown(url=f"{blob}{link}", type=kind, alt=alt if isinstance(alt, str) else None)


def _shown(value: Mapping[str, Any]) -> Iterator[tuple[str, object, Json]]:
    """What each file is, its blob, and what says so."""
    embed = value.get("embed")
    if isinstance(embed, dict) and isinstance(embed.get("media"), dict):  # a quote with pictures
        embed = embed["media"]
    if not isinstance(embed, dict):
        return
    listed = embed.get("images") if embed.get("$type") == IMAGES else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield "image", one.get("image"), one
    if embed.get("$type") == VIDEO:
        yield "video", embed.get("video"), embed


def _link(blob: object) -> str | None:
    ref = blob.get("ref") if isinstance(blob, dict) else None
    link = ref.get("$link") if isinstance(ref, dict) else None
    return link if isinstance(link, str) and link.isascii() and link.isalnum() else None
