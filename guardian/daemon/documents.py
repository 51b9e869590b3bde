"""The JSON documents of the control socket. Times are UTC in ISO 8601; ids are strings; null means not known. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardian.config.in_force import Verdict
    from guardian.duties.spooling import Handed
    from guardian.model import Attempt, Entry, Freeze, Hold, Part, Post
    from guardian.rules.advice import Advice

Document = dict[str, Any]
RECEIPTS = {
    None: "on its way",
    "unsent": "nothing left the house",
    "landed": "the platform has it",
    "refused": "the platform said no",
    "unknown": "it left, and no answer came: the platform is asked",
    "absent": "the platform was asked, and does not have it",
    "cancelled": "it left, no answer came, and a person ended the asking",
}


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
        "campaign": found["campaign"],
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
        "wall": found.wall,
        "ref": found.ref,
        "url": found.url,
        "platform_id": found.platform_id,
        "text": found.part.text,
        "warning": found.part.warning,
        "language": found.part.language,
        "visibility": found.part.visibility,
        "tags": list(found.tags),
        "campaign": found.campaign,
        "why": found.why,
        "live": found.live,
        "parts": len(found.parts),
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
        "campaign": found.campaign,
        "ref": found.ref,
    }
    return {"account": found.account, "at": at, **said, **{key: value for key, value in more.items() if value}}


def _files(part: Part) -> Document:
    media = [{"sha256": one.sha256, "type": one.type, **({"alt": one.alt} if one.alt else {})} for one in part.media]
    return {"media": media} if media else {}


def story(
    found: Post,
    held_by: str | None,
    *,
    attempts: Sequence[Attempt],
    live: Sequence[tuple[str, str | None]],
    freezes: Sequence[Freeze],
    holds: Sequence[Hold],
    journal: tuple[Sequence[Entry], int],
    advice: Sequence[Advice],
) -> Document:
    """One post with everything that it says, that was tried, that covers it, that was done with it and can be."""
    lines, in_all = journal
    return {
        **post(found, held_by),
        "content": [_part(nr, one, live) for nr, one in enumerate(found.parts)],
        "attempts": [attempt(one) for one in attempts],
        "freezes": [freeze(one) for one in freezes],
        "holds": [hold(one) for one in holds],
        "journal": [_about(one) for one in lines],
        "journal_in_all": in_all,
        "advice": [{"text": one.text, "command": one.command} for one in advice],
    }


def _part(nr: int, found: Part, live: Sequence[tuple[str, str | None]]) -> Document:
    """A part of a post; with its name on the platform, if it is there."""
    name, url = live[nr] if nr < len(live) else (None, None)
    return {
        "part": nr + 1,
        "text": found.text,
        "media": [asdict(one) for one in found.media],
        "live": nr < len(live),
        "platform_id": name,
        "url": url,
    }


def attempt(found: Attempt) -> Document:
    """One try, and what is known of it."""
    return {
        "id": found.id,
        "part": found.part + 1,
        "key": found.key,
        "started_at": utc(found.started_at),
        "ended_at": utc(found.ended_at),
        "outcome": found.outcome,
        "receipt": RECEIPTS.get(found.outcome, ""),
        "detail": found.detail,
    }


def _about(found: Entry) -> Document:
    """A line of the journal that tells about the post on whose page it stands."""
    data = {key: value for key, value in found.data.items() if key not in ("post", "posts", "account", "moved")}
    return {"seq": found.seq, "at": utc(found.at), "kind": found.kind, "who": found.who, "data": data}


def hold(found: Hold) -> Document:
    """A hold in force: of a post or of a tag."""
    which = {"post": found.post} if found.tag is None else {"tag": found.tag}
    return {"id": found.id, **which, "reason": found.reason, "by": found.by, "at": utc(found.at)}


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


def entries(rows: Iterable[Any]) -> str:
    """Lines of the journal as JSON, each as `entry` has it: put together from what lies there, and not read before."""
    lines = (
        f'{{"seq":{one["seq"]},"at":{one["at"]},"kind":{json.dumps(one["kind"])},"who":{json.dumps(one["who"])},'
        f'"data":{one["data"]},"prev":{json.dumps(one["prev"])},"hash":{json.dumps(one["hash"])}}}'
        for one in rows
    )
    return f'{{"entries":[{",".join(lines)}]}}'


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
