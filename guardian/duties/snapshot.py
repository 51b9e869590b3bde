"""One snapshot on its way: what is wanted, what has come, and the only way to write into its bundle. Any thread.

Requests fill it at the same time, the takedown's thread acts on it, the finishing thread ends it, and whoever stamps or
erases may come in between: so everything that changes is changed inside `Snapshot.writing`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.evidence.bundle import Bundle
from guardian.model import Grade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from guardian.adapter import Answer, Look
    from guardian.duties.facts import Facts, Piece
    from guardian.duties.shelf import Shelf
    from guardian.duties.uploading import Spool
    from guardian.evidence.bundle import Seal
    from guardian.model import Exchange, Identity, Media, Shown, Takedown, Target

STATUS = "status"
NOT_FOUND, GONE = 404, 410
WHY_LENGTH = 300
EXTENSIONS = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/avif": "avif",
    "video/mp4": "mp4", "video/webm": "webm", "video/quicktime": "mov", "audio/mpeg": "mp3", "audio/ogg": "ogg",
    "application/vnd.ipld.car": "car",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a snapshot is taken of, and for whom. `until` is monotonic, in seconds."""

    order: Takedown
    target: Target
    given: dict[str, object]
    publication: bytes | None
    media: tuple[Media, ...]
    until: float
    light: bool = False  # among many: only the post itself and its files
    replies: int = 0  # how many of other people's replies are kept


@dataclass(frozen=True, slots=True)
class Late:
    """An answer that came when the first phase was over: the request had left before the act."""

    look: Look
    piece: Piece
    body: bytes
    exchanges: tuple[Exchange, ...]


@dataclass(slots=True)
class Snapshot:
    """What came of it. Everything in it that changes is changed inside `writing`."""

    wanted: Wanted
    shelf: Shelf
    bundle: Bundle
    facts: Facts
    answers: dict[str, Answer] = field(default_factory=dict)
    identity: Identity | None = None
    grade: Grade = Grade.NONE
    seal: Seal | None = None
    shown: list[Shown] = field(default_factory=list)
    large: list[Media] = field(default_factory=list)  # to be copied after the act
    pending: list[Future[None]] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    closed: bool = False  # what comes in after this is not kept: the phase is over

    @contextmanager
    def writing(self) -> Iterator[Bundle]:
        """The bundle's turn on the shelf: whoever stamps it, erases from it or seals it does so before or after.

        The same thread may take it again. What somebody else has sealed meanwhile is never written to.
        """
        with self.shelf.turn(self.bundle.name):
            if self.bundle.is_behind():
                self.bundle = Bundle.open(self.bundle.path)
            yield self.bundle

    @property
    def missing(self) -> list[str]:
        """What of the essential proof is lacking, each with the reason."""
        return self.facts.missing()

    @property
    def not_found(self) -> bool:
        """Whether the platform said that there is no such post."""
        return STATUS in self.answers and self.answers[STATUS].status in (NOT_FOUND, GONE)


def copy(snapshot: Snapshot, spool: Spool, nr: int, media: Media) -> None:
    """One file of ours into the bundle; that it cannot be read is a note, and no reason to stop."""
    try:
        data = spool.read(media.sha256)
    except GuardianError as error:
        snapshot.facts.notes.append(f"our copy of file {nr} cannot be read: {error}"[:WHY_LENGTH])
        return
    snapshot.bundle.add(f"publish/{nr:02}-{media.sha256[:8]}.{extension(media.type)}", data)


def extension(kind: str | None) -> str:
    """How a file of that type is called."""
    return EXTENSIONS.get(kind or "", "bin")


def keep_answer(snapshot: Snapshot, look: Look, piece: Piece, body: bytes, *, folder: str) -> None:
    """The body of an answer as a file of its own beside the archive: the working copy. Inside `Snapshot.writing`."""
    kind = "json" if body.lstrip()[:1] in (b"{", b"[") else EXTENSIONS.get(look.accept, "html")
    file = f"{folder}/{look.name}.{kind}"
    piece.captured(file, snapshot.bundle.add(file, body))


def add_what_came_late(snapshot: Snapshot) -> None:
    """Into the second phase: what was asked for at the beginning, and had not come when the first was sealed."""
    with snapshot.writing():
        for late in snapshot.late:
            for exchange in late.exchanges:
                snapshot.bundle.exchange(exchange)
            keep_answer(snapshot, late.look, late.piece, late.body, folder="api/late")
        snapshot.late.clear()
