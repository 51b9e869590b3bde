"""The JSON documents of the control socket. Times are UTC in ISO 8601; ids are strings; null means not known. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.config.in_force import Verdict
    from guardian.duties.spooling import Handed
    from guardian.model import Attempt, Entry, Freeze, Part, Post

Document = dict[str, Any]


def utc(at: int | None) -> str | None:
    """Milliseconds as people and programs both read them."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row(found: Any) -> Document:  # noqa: ANN401 (a row of the database)
    """A post in a list: the contract's keys, and what a person wants to see beside them."""
    return {
        "id": found["id"],
        "account": found["account"],
        "state": found["state"],
        "held_by": found["held_by"],
        "at": utc(found["at"]),
        "ref": found["ref"],
        "url": found["url"],
        "text": found["text"],
        "why": found["why"],
        "tags": json.loads(found["tags"]),
        "live": found["live"],
        "parts": found["parts"],
    }


def post(found: Post, held_by: str | None = None) -> Document:
    """One post."""
    return {
        "id": found.id,
        "account": found.account,
        "state": found.state,
        "held_by": held_by,
        "at": utc(found.at),
        "zone": found.zone,
        "ref": found.ref,
        "url": found.url,
        "platform_id": found.platform_id,
        "text": found.part.text,
        "warning": found.part.warning,
        "language": found.part.language,
        "visibility": found.part.visibility,
        "tags": list(found.tags),
        "why": found.why,
        "created_at": utc(found.created_at),
        "created_by": found.created_by,
    }


def record(found: Post) -> Document:
    """A post as the import record that would enter it again; files by their hash."""
    zone = UTC if found.zone is None else ZoneInfo(found.zone)
    at = found.wall or datetime.fromtimestamp(found.at / 1000, zone).isoformat()
    parts = [{"text": part.text, **_files(part)} for part in found.parts]
    said: Document = parts[0] if len(parts) == 1 else {"parts": parts}
    shown = found.part
    more = {
        "zone": found.zone,
        "warning": shown.warning,
        "language": shown.language,
        "visibility": shown.visibility,
        "tags": list(found.tags) or None,
        "ref": found.ref,
    }
    return {"account": found.account, "at": at, **said, **{key: value for key, value in more.items() if value}}


def _files(part: Part) -> Document:
    media = [{"sha256": one.sha256, "type": one.type, **({"alt": one.alt} if one.alt else {})} for one in part.media]
    return {"media": media} if media else {}


def story(found: Post, attempts: Sequence[Attempt], held_by: str | None) -> Document:
    """One post with everything that was tried."""
    return {
        **post(found, held_by),
        "attempts": [
            {
                "id": one.id,
                "key": one.key,
                "started_at": utc(one.started_at),
                "ended_at": utc(one.ended_at),
                "outcome": one.outcome,
                "detail": one.detail,
            }
            for one in attempts
        ],
    }


def config(found: Verdict) -> Document:
    """What became of the configuration when it was last read. `at` is when it was put in force, or refused."""
    return {"state": found.state, "at": utc(found.at), "why": found.why}


def freeze(found: Freeze) -> Document:
    """A freeze in force."""
    return {
        "id": found.id,
        "scope": found.scope,
        "reason": found.reason,
        "by": found.by,
        "at": utc(found.at),
        "epoch": found.epoch,
    }


def entry(found: Entry) -> Document:
    """A line of the journal, with the numbers that its hash covers as they are."""
    return {
        "seq": found.seq,
        "at": found.at,
        "kind": found.kind,
        "who": found.who,
        "data": found.data,
        "prev": found.prev,
        "hash": found.hash,
    }


def handed(found: Handed) -> Document:
    """What came of handing a file over."""
    media = found.media
    return {
        "sha256": media.sha256,
        "type": media.type,
        "size": media.size,
        "width": media.width,
        "height": media.height,
        "frames": found.frames,
        "known": found.known,
        "notes": list(found.notes),
    }
