"""record.json: the facts about one snapshot, for programs and for whoever asks later. Pure but for `tool`.

Ids are text, and so are nanoseconds (they outgrow other programs' numbers); other times are whole milliseconds since
1970, UTC. What was not captured is an item, too, with its reason: unknown is never shown as success.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from guardian import __version__
from guardian.evidence import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.evidence.bundle import Bundle
    from guardian.model import Grade, Poll, Told

VERSION = 1


class Status(StrEnum):
    """What became of one thing that was to be captured."""

    CAPTURED = "captured"
    FAILED = "failed"
    LATE = "late"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who ordered it, from where, and why."""

    uid: int | None
    login: str
    tty: str = ""
    host: str = ""
    boot_id: str = ""
    by: str = ""
    agreed: tuple[str, ...] = ()
    reason: str = ""
    incident: str = ""
    takedown: str = ""
    decision: str = ""
    capture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that was to be captured: what, how it went, why, and in which file it is."""

    what: str
    status: Status
    why: str = ""
    file: str | None = None
    sha256: str | None = None
    essential: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When: `began_at` and `ended_at` by the wall clock (ms), `began` and `ended` by the monotonic one (ns).

    `server` is by how much (ms, from, to) the platform's clock was ahead of ours; None when it did not say.
    """

    began_at: int
    ended_at: int
    began: int
    ended: int
    server: tuple[int, int] | None = None
    synchronised: bool | None = None  # by the kernel's own word


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What captured it."""

    version: str
    python: str
    os: str
    config_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The post as it was seen: what it says is text, numbers are as of `as_of` (ms).

    `told` is what the platform told of it. `text` and `alts` are its own, too, where it told them; else what was
    published, and `text_from` says which of the two.
    """

    account: str
    platform: str
    platform_id: str
    url: str | None
    post: str | None = None
    author: str = ""
    text: str | None = None
    alts: tuple[str, ...] = ()
    published_at: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    as_of: int | None = None
    text_from: str = ""
    told: Told | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All of it."""

    bundle: str
    subject: Subject
    order: Order
    items: Sequence[Item]
    times: Times
    tool: Tool
    grade: Grade
    notes: tuple[str, ...] = ()


def tool(*, config_sha256: str) -> Tool:
    """What we are: the program, on the machine that it runs on."""
    return Tool(
        version=f"post-guardian {__version__}",
        python=sys.version.split()[0],
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        config_sha256=config_sha256,
    )


def server_ahead(date: str | None, *, began_at: int, ended_at: int) -> tuple[int, int] | None:
    """By how much the server's clock was ahead of ours (ms, from, to), by its `Date`, which knows whole seconds."""
    try:
        when = parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return None
    said = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * 1000
    return said - ended_at, said + 1000 - began_at


def written(record: Record) -> bytes:
    """The record in its one form (see `canonical`). Raises Mistake."""
    found = asdict(record)
    found["items"] = [asdict(item) for item in record.items]
    found["times"] |= {"began": str(record.times.began), "ended": str(record.times.ended)}
    return canonical.written({"version": VERSION, **found}) + b"\n"


def plain(told: Told | None) -> list[tuple[str, str]]:
    """What the platform told beside text, alt texts and times, as rows of a table; what it did not say is left out."""
    if told is None:
        return []
    poll = told.poll
    rows = [
        ("content warning", told.warning),
        ("language", told.language),
        ("visibility", told.visibility),
        ("written with", told.client),
        ("edited", told.edited_at),
        ("versions", "" if told.versions is None else str(told.versions)),
        ("link preview", told.preview),
        (f"it is a {told.about[0]} of", told.about[1]) if told.about is not None else ("", ""),
        *[
            (f"poll: {title}", "votes not said" if votes is None else f"{votes} votes")
            for title, votes in _options(poll)
        ],
        ("poll closes", poll.closes_at if poll is not None else ""),
    ]
    return [(name, value) for name, value in rows if value]


def _options(poll: Poll | None) -> Sequence[tuple[str, int | None]]:
    return () if poll is None else poll.options


def add(bundle: Bundle, record: Record) -> str:
    """Keep it as this phase's `record-N.json`; the name. Raises Refusal when this phase has one already."""
    name = f"record-{bundle.phase}.json"
    bundle.add(name, written(record))
    return name
