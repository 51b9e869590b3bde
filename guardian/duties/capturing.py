"""The snapshot of one post before anything is done to it: everything at once, under one deadline, then sealed.

Called by an account's takedown thread (`Capturing.take`), which waits; each request has a thread of a pool. What the
guardian holds of a post since it went live is written first, so that no bundle comes out empty, whatever the platform
answers. The deadline bounds the phase as a whole: a time-out for each read would be stretched by a server that trickles
(evidence 11).
"""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from guardian.beyond import Telling
from guardian.duties.facts import IDENTITY, Facts, Piece, at_most, grade_of
from guardian.duties.snapshot import (
    GONE,
    NOT_FOUND,
    STATUS,
    WHY_LENGTH,
    Late,
    Snapshot,
    Wanted,
    copy,
    extension,
    keep_answer,
)
from guardian.evidence import record
from guardian.evidence.bundle import Bundle
from guardian.evidence.record import Status
from guardian.failpoint import failpoint
from guardian.gate import recording
from guardian.model import PostRef
from guardian.rules import magic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from guardian.adapter import Answer, Look
    from guardian.duties.shelf import Shelf
    from guardian.duties.uploading import Spool
    from guardian.gate.accounts import Emergency
    from guardian.model import Account, Exchange, Shown

FINE = 200
AT_ONCE = 8 << 20  # a file of ours that is larger is copied after the act
MOST_FILES = 16
LATER = 5.0  # seconds more for what is not essential
CUT = "of each list at most {} are kept, as ordered; the file says of how many"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Which time it is, whether the kernel believes that, and by which configuration we act."""

    clock: Callable[[], int]
    synchronised: Callable[[], bool]
    config_sha256: str = ""


class Capturing:
    """Takes snapshots for one account."""

    def __init__(
        self,
        *,
        account: Account,
        emergency: Emergency,
        shelf: Shelf,
        spool: Spool,
        pool: Executor,
        sight: Sight,
    ) -> None:
        self.account = account
        self.emergency = emergency
        self.shelf = shelf
        self.spool = spool
        self.pool = pool
        self.clock = sight.clock
        self.sight = sight

    def begin(self, wanted: Wanted) -> Snapshot:
        """An empty bundle for it. Raises Unwritable, DiskFull."""
        target = wanted.target
        bundle = Bundle.create(
            self.shelf.root,
            account=target.account,
            platform=self.account.platform,
            platform_id=target.platform_id,
            at=self.clock(),
        )
        facts = Facts(
            order=wanted.order,
            target=target,
            given=wanted.given,
            platform=self.account.platform,
            config_sha256=self.sight.config_sha256,
            began_at=self.clock(),
            began=time.monotonic_ns(),
            synchronised=self.sight.synchronised(),
        )
        facts.know(wanted.publication)
        return Snapshot(wanted=wanted, shelf=self.shelf, bundle=bundle, facts=facts)

    def take(self, snapshot: Snapshot, *, who: bool) -> None:
        """Fill the bundle until everything essential is there or the deadline has come, and seal it.

        With `who`, the platform is also asked live who we are. Raises what the disk says.
        """
        wanted = snapshot.wanted
        looks = [look for look in self._looks(wanted) if not wanted.light or look.name == STATUS]
        asked = [self._ask(snapshot, look) for look in looks]
        essential = [future for look, future in zip(looks, asked, strict=True) if look.essential]
        if who:
            piece = Piece(IDENTITY, essential=True)
            with snapshot.writing():
                snapshot.facts.pieces.append(piece)
            essential.append(self.pool.submit(self._who, snapshot, piece))
        snapshot.pending = asked
        self._publish_copy(snapshot)
        status = next((future for look, future in zip(looks, asked, strict=True) if look.name == STATUS), None)
        files = self._files_when_known(snapshot, status)
        self._wait([*essential, *files], wanted.until)
        failpoint("takedown.captured")
        self._close(snapshot)

    def _looks(self, wanted: Wanted) -> Sequence[Look]:
        """Every look worth making; other people's words only where somebody asked for them."""
        ref = PostRef(id=wanted.target.platform_id, url=wanted.target.url)
        return [look for look in self.emergency.adapter.looks(ref) if wanted.replies or not look.others]

    def _ask(self, snapshot: Snapshot, look: Look) -> Future[None]:
        piece = Piece(look.name, look.essential)
        snapshot.facts.pieces.append(piece)
        return self.pool.submit(self._look, snapshot, look, piece)

    def _look(self, snapshot: Snapshot, look: Look, piece: Piece) -> None:
        """One request, in a thread of the pool."""
        kept: list[Exchange] = []
        until = snapshot.wanted.until + (0 if look.essential else LATER)
        try:
            keeper = self._keeper(snapshot, kept, others=look.others)
            with recording.record(keeper, until=until, whole=look.others) as told:
                answer = self.emergency.adapter.fetch(look) if look.token else self._read(look)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is written down, and the others go on)
            piece.failed(f"{type(error).__name__}: {error}"[:WHY_LENGTH])
            return
        body = kept[-1].body if kept else answer.body  # as the gate recorded it
        body, cut = at_most(body, snapshot.wanted.replies) if look.others else (body, False)
        fine = answer.status == FINE or (look.may_be_missing and answer.status in (NOT_FOUND, GONE))
        with snapshot.writing():
            snapshot.answers[look.name] = answer
            if snapshot.closed:
                if answer.status == FINE and not look.others:
                    snapshot.late.append(Late(look, piece, body, tuple(kept)))
                return
            if told.lost:
                piece.failed(f"it was not kept: {told.lost[0]}"[:WHY_LENGTH])
            elif answer.status == FINE:
                keep_answer(snapshot, look, piece, body, folder="third-party" if look.others else "api/before")
                piece.why = CUT.format(snapshot.wanted.replies) if cut else ""
            else:
                piece.failed(f"the platform answered {answer.status}")
                piece.status = Status.NOT_OFFERED if fine else Status.FAILED

    def _read(self, look: Look) -> Answer:
        """As anybody would."""
        return self.emergency.public.read(look.url, accept=look.accept)

    @staticmethod
    def _keeper(snapshot: Snapshot, kept: list[Exchange], *, others: bool) -> Callable[[Exchange], None]:
        """Writes exchanges into the bundle as they come, until the phase is over; other people's words only if whole.

        Where there are more of them than were asked for, a list that is cut is kept, and no archive of the rest.
        """

        def keep(exchange: Exchange) -> None:
            cut = others and at_most(exchange.body, snapshot.wanted.replies)[1]
            with snapshot.writing():
                snapshot.facts.heard(exchange)
                kept.append(exchange)
                if snapshot.closed or cut:
                    return
                snapshot.bundle.exchange(exchange, others=others)

        return keep

    def _who(self, snapshot: Snapshot, piece: Piece) -> None:
        """Ask live who we are: nothing is taken down with another account's token."""
        try:
            with recording.record(self._keeper(snapshot, [], others=False), until=snapshot.wanted.until):
                snapshot.identity = self.emergency.adapter.whoami()
            piece.captured(None, None)
        except Exception as error:  # noqa: BLE001 (as above)
            piece.failed(f"{type(error).__name__}: {error}"[:WHY_LENGTH])

    def _publish_copy(self, snapshot: Snapshot) -> None:
        """What we hold since it went live: the record, and the files that we sent."""
        wanted = snapshot.wanted
        if wanted.publication is None:
            return
        with snapshot.writing():
            snapshot.bundle.add("publish/record.json", wanted.publication)
            for nr, media in enumerate(wanted.media, 1):
                if media.size > AT_ONCE:
                    snapshot.large.append(media)
                else:
                    copy(snapshot, self.spool, nr, media)

    def _files_when_known(self, snapshot: Snapshot, status: Future[None] | None) -> list[Future[None]]:
        """As soon as the platform has said which files the post shows, fetch them as anybody would."""
        wanted = snapshot.wanted
        if status is None:
            return []
        self._wait([status], wanted.until)
        answer = snapshot.answers.get(STATUS)
        if answer is None or answer.status != FINE:
            return []
        snapshot.shown = list(self.emergency.adapter.files(answer.body))[:MOST_FILES]
        futures = []
        for nr, shown in enumerate(snapshot.shown, 1):
            piece = Piece(f"file {nr}", essential=True)
            with snapshot.writing():
                snapshot.facts.pieces.append(piece)
            futures.append(self.pool.submit(self._file, snapshot, nr, shown, piece))
        return futures

    def _file(self, snapshot: Snapshot, nr: int, shown: Shown, piece: Piece) -> None:
        wanted = snapshot.wanted
        try:
            with recording.record(self._keeper(snapshot, [], others=False), until=wanted.until):
                answer = self.emergency.public.read(shown.url)
        except Exception as error:  # noqa: BLE001 (as above)
            piece.failed(f"{type(error).__name__}: {error}"[:WHY_LENGTH])
            return
        if answer.status != FINE:
            piece.failed(f"it answered {answer.status}")
            return
        with snapshot.writing():
            if snapshot.closed:
                return
            sha8 = hashlib.sha256(answer.body).hexdigest()[:8]
            file = f"media/{nr:02}-{sha8}.{extension(magic.type_of(answer.body[: magic.HEAD]))}"
            piece.captured(file, snapshot.bundle.add(file, answer.body))
            published = wanted.media[nr - 1].sha256 if nr <= len(wanted.media) else None
            if published is not None:
                same = "the same bytes as were published" if published == piece.sha256 else "not the bytes published"
                snapshot.facts.notes.append(f"file {nr}: {same}")

    def _close(self, snapshot: Snapshot) -> None:
        """End the phase: grade it, write the record, seal."""
        with snapshot.writing():
            snapshot.closed = True
            facts = snapshot.facts
            self._see(snapshot)
            snapshot.grade = grade_of(facts.pieces, published=snapshot.wanted.publication is not None)
            record.add(snapshot.bundle, facts.record(snapshot.bundle.name, grade=snapshot.grade, clock=self.clock))
            failpoint("takedown.sealing")
            key = self.shelf.key()
            snapshot.seal = snapshot.bundle.seal(key.signer, at=self.clock(), allowed=key.allowed)
        failpoint("takedown.sealed")

    def _see(self, snapshot: Snapshot) -> None:
        """Surface what the answers that were kept say; that they cannot be understood keeps no post up."""
        adapter, facts = self.emergency.adapter, snapshot.facts
        kept = {one.what for one in facts.pieces if one.status is Status.CAPTURED}
        answers = {name: answer for name, answer in snapshot.answers.items() if name in kept}
        status = answers[STATUS].body if STATUS in answers else None
        try:
            facts.see(adapter.told(answers) if isinstance(adapter, Telling) else None, status)
        except Exception as error:  # noqa: BLE001 (as above)
            facts.notes.append(
                f"the answers were kept and not understood: {type(error).__name__}: {error}"[:WHY_LENGTH]
            )

    @staticmethod
    def _wait(futures: Sequence[Future[None]], until: float) -> None:
        wait(futures, timeout=max(until - time.monotonic(), 0))
