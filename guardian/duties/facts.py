"""What was learned while a snapshot was taken, on its way into the bundle's record. One thread at a time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.evidence import canonical, record
from guardian.evidence.record import Order, Record, Status, Subject, Times
from guardian.model import Grade

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.model import Exchange, Takedown, Target, Told

IDENTITY = "identity"
PUBLISHED = "what was published"
WRITTEN = "the platform, as it was written"
SHOWN = "the platform, as it was shown"
CUT = "no more were asked for"
WHOLE = "this is all that the platform's answer held"
WORDS = {"text": "words that", "alts": "alt texts that"}
PROFILE = "account"
LATE = "no whole answer came in time"


@dataclass(slots=True)
class Piece:
    """One piece of the proof: whether it was had, and if not, why."""

    what: str
    essential: bool
    status: Status = Status.LATE
    why: str = LATE
    file: str | None = None
    sha256: str | None = None

    @property
    def got(self) -> bool:
        """Whether nothing of it is lacking."""
        return self.status in (Status.CAPTURED, Status.NOT_OFFERED)

    def failed(self, why: str) -> None:
        """It could not be had."""
        self.status, self.why = Status.FAILED, why

    def captured(self, file: str | None, sha256: str | None) -> None:
        """Here it is."""
        self.status, self.why, self.file, self.sha256 = Status.CAPTURED, "", file, sha256


@dataclass(slots=True, kw_only=True)
class Facts:
    """Everything beside the platform's own bytes."""

    order: Takedown
    target: Target
    platform: str
    given: dict[str, object]
    began_at: int
    began: int
    synchronised: bool | None
    config_sha256: str
    pieces: list[Piece] = field(default_factory=list)
    server: tuple[int, int] | None = None
    notes: list[str] = field(default_factory=list)
    subject: dict[str, object] = field(default_factory=dict)

    def heard(self, exchange: Exchange) -> None:
        """Note which time the server says it was; the first that says it counts."""
        date = next((value for name, value in exchange.response_headers if name.lower() == "date"), None)
        ended_at = exchange.began_at + (exchange.ended - exchange.began) // 1_000_000
        self.server = self.server or record.server_ahead(date, began_at=exchange.began_at, ended_at=ended_at)

    def missing(self) -> list[str]:
        """The essential pieces that were not had, each with the reason."""
        return [f"{one.what}: {one.why}" for one in self.pieces if one.essential and not one.got]

    def record(self, bundle: str, *, grade: Grade, clock: Callable[[], int]) -> Record:
        """The record of this phase, as it is written down."""
        order, target, given = self.order, self.target, self.given
        uid = given.get("uid")
        return Record(
            bundle=bundle,
            subject=Subject(
                account=target.account,
                platform=self.platform,
                platform_id=target.platform_id,
                url=target.url,
                post=target.post,
                **self.subject,  # type: ignore[arg-type]  # what `know` found, by the names of the fields
            ),
            order=Order(
                uid=uid if isinstance(uid, int) else None,
                login=str(given.get("login") or ""),
                tty=str(given.get("tty") or ""),
                host=str(given.get("host") or ""),
                boot_id=str(given.get("boot") or ""),
                by=order.by,
                agreed=order.agreed,
                reason=order.reason,
                incident=order.incident or "",
                takedown=order.id,
                decision=order.decision,
                capture=order.capture,
            ),
            items=[
                record.Item(
                    what=one.what,
                    status=one.status,
                    why=one.why,
                    file=one.file,
                    sha256=one.sha256,
                    essential=one.essential,
                )
                for one in self.pieces
            ],
            times=Times(
                began_at=self.began_at,
                ended_at=clock(),
                began=self.began,
                ended=time.monotonic_ns(),
                server=self.server,
                synchronised=self.synchronised,
            ),
            tool=record.tool(config_sha256=self.config_sha256),
            grade=grade,
            notes=tuple(self.notes),
        )

    def know(self, publication: bytes | None) -> None:
        """What we know of the post ourselves, since it went live."""
        if publication is None:
            return
        found = json.loads(publication)
        self.subject = {
            "author": str(found.get("identity") or ""),
            "text": found.get("text"),
            "text_from": PUBLISHED,
            "alts": tuple(str(one.get("alt") or "") for one in found.get("media") or ()),
            "published_at": _utc(found.get("landed_at")),
        }

    def see(self, told: Told | None, status: bytes | None) -> None:
        """What the platform says of the post: that comes first; where it differs from what we published is noted."""
        if status is not None:
            self.subject |= {"counts": _counts(status), "as_of": self.began_at}
        if told is None:
            return
        for name, shown in (("text", told.text), ("alts", told.alts)):
            published = self.subject.get(name)
            if published is not None and shown is not None and not _same(shown, published):
                self.notes.append(
                    f"the {WORDS[name]} the platform showed are not those published: see publish/record.json"
                )
        if told.text is not None:
            self.subject |= {"text": told.text, "text_from": WRITTEN if told.as_written else SHOWN}
        for name, said in (("author", told.author), ("published_at", told.posted_at)):
            self.subject[name] = self.subject.get(name) or said
        self.subject |= {"told": told, "alts": told.alts}


def _same(shown: object, published: object) -> bool:
    if isinstance(shown, str) and isinstance(published, str):
        return shown.strip() == published.strip()
    return shown == published


def _counts(status: bytes) -> dict[str, int]:
    """How many answered, boosted and liked it, as far as the answer has numbers of the kind."""
    try:
        found = json.loads(status)
    except (ValueError, RecursionError):
        return {}
    said = found.items() if isinstance(found, dict) else ()
    return {
        name.removesuffix("_count"): value
        for name, value in said
        if name.isascii() and name.endswith("_count") and type(value) is int and 0 <= value < canonical.LARGEST
    }


def grade_of(pieces: Sequence[Piece], *, published: bool) -> Grade:
    """How much of the essential proof is there (`published`: our own copy is); pure.

    That we asked who we are is no part of it. Neither our own profile nor a piece that the platform does not offer
    shows anything of the post: with nothing else, there is none.
    """
    essential = [one for one in pieces if one.essential and one.what != IDENTITY]
    if not any(one.status is Status.CAPTURED and one.what != PROFILE for one in essential):
        return Grade.PUBLISH_COPY if published else Grade.NONE
    return Grade.COMPLETE if all(one.got for one in essential) else Grade.PARTIAL


def at_most(body: bytes, replies: int) -> tuple[bytes, bool]:
    """Lists of other people's posts, each cut to so many, with the counts of all, and why each ends where it does.

    Also whether anything was cut. What is no such list is left out.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return b"{}", True
    lists = found if isinstance(found, dict) else {"items": found}
    cut = {name: value[:replies] for name, value in lists.items() if isinstance(value, list)}
    counts = {name: len(value) for name, value in lists.items() if isinstance(value, list)}
    stopped = {name: CUT if count > replies else WHOLE for name, count in counts.items()}
    told = {"kept_at_most": replies, "counts": counts, "stopped": stopped, **cut}
    raw = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return raw, any(count > replies for count in counts.values())


def _utc(at: object) -> str:
    """Milliseconds as people read them."""
    if type(at) is not int:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
