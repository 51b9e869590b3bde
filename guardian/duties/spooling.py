"""Taking files in that people hand over, giving them back, and sweeping out what no post refers to.

A file is looked at before it gets its name in the spool, so nothing unfit ever lies there. Called by API threads, the
sweep by a loop of its own. Lock order: the spool's turn, then the store's writer.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardian.duties.pictures import FORMATS, Picture, Unchecked, Unreadable, look
from guardian.errors import Mistake
from guardian.model import Media
from guardian.store import journal, media

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

    from guardian.store.database import Database, Tx
    from guardian.store.incoming import Incoming
    from guardian.store.spool import Spool

UNUSED_FOR = 7 * 24 * 3_600_000
SWEEP_AFTER = 10 * 60_000
LOOK_AGAIN = 60_000  # while the clock is in doubt
SWEEP_EVERY = 6 * 3_600_000
MOST_AT_ONCE = 10_000
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A file that lies in the spool now; `known` if it did before: then it is not looked at again, no frame counted.

    `notes` are worth knowing, and no fault.
    """

    media: Media
    known: bool
    frames: int | None
    notes: tuple[str, ...]


class Spooling:
    """The way in, the way out, and the broom."""

    def __init__(
        self, *, database: Database, spool: Spool, clock: Callable[[], int], clock_is_right: Callable[[], bool]
    ) -> None:
        self.database = database
        self.spool = spool
        self.clock = clock
        self.clock_is_right = clock_is_right
        self._sweep_at: int | None = None

    def receiving(self) -> Incoming:
        """A file that is about to come in. Raises DiskFull, Unwritable."""
        return self.spool.receiving()

    def settle(self, incoming: Incoming, *, who: str) -> Handed:
        """It has come: look at it, and keep it. Raises Mistake, and keeps nothing, when it cannot be published."""
        incoming.finish()
        with self.database.reading() as tx:
            was = media.find(tx, incoming.sha256)
        if was is not None:  # the same content has been looked at before
            self._keep(incoming, was, who)
            notes = () if was.type in FORMATS else _notes(Unchecked(type=was.type))
            return Handed(media=was, known=True, frames=None, notes=notes)
        found = look(incoming.fd)
        if isinstance(found, Unreadable):
            raise Mistake(f"cannot take the file, because {found.why}", fix="send a picture, a film or a sound")
        kept = Media(sha256=incoming.sha256, type=found.type, size=incoming.size)
        frames = None
        if isinstance(found, Picture):
            kept, frames = replace(kept, width=found.width, height=found.height), found.frames
        return Handed(media=kept, known=self._keep(incoming, kept, who), frames=frames, notes=_notes(found))

    def file(self, sha256: str) -> BufferedReader:
        """The content, open, its hash computed again. Raises Unfound, Rotten."""
        return self.spool.checked(sha256)

    def poll(self, now: int) -> int | None:
        """Sweep four times a day, and only while the clock is right: a clock that jumped makes everything look old."""
        if self._sweep_at is None or self._sweep_at > now + SWEEP_EVERY:
            self._sweep_at = now + SWEEP_AFTER
        if now >= self._sweep_at and self.clock_is_right():
            self._sweep_at = now + SWEEP_EVERY
            self.sweep(now)
        return max(self._sweep_at, now + LOOK_AGAIN)

    def sweep(self, now: int) -> int:
        """Remove what no post refers to and nobody handed over for a week; how many files that were."""
        before = now - UNUSED_FOR
        with self.database.reading() as tx:
            old = media.unseen(tx, before=before)
        old.update(self._nameless(before))
        seen = self._withdraw_shown(old) if old else 0
        wanted = sorted(old)[:MOST_AT_ONCE]
        return sum(
            self._remove(wanted[place : place + BATCH], old, seen, now) for place in range(0, len(wanted), BATCH)
        )

    def _keep(self, incoming: Incoming, kept: Media, who: str) -> bool:
        now = self.clock()
        with self.spool.turn:
            fresh = incoming.keep().fresh
            try:
                with self.database.transaction() as tx:
                    known = media.note(tx, kept, now=now, who=who)
                    if not known:
                        journal.append(
                            tx, "handed over", who=who, now=now, sha256=kept.sha256, type=kept.type, size=kept.size
                        )
            except BaseException:
                if fresh:
                    with contextlib.suppress(OSError):
                        self.spool.remove(kept.sha256)
                raise
        return known

    def _nameless(self, before: int) -> set[str]:
        """Files that a crash left without a row."""
        lying = {one.sha256 for one in self.spool.lying() if one.at < before}
        with self.database.reading() as tx:
            return {sha256 for sha256 in lying if media.find(tx, sha256) is None}

    def _withdraw_shown(self, old: set[str]) -> int:
        """Take out of `old` what posts show, stretch by stretch; how far the posts were looked through."""
        seen, end = 0, 1
        while seen < end:
            with self.database.reading() as tx:
                end = media.last_post(tx)
                upto = min(seen + media.STRETCH, end)
                old.difference_update(media.shown(tx, after=seen, upto=upto))
            seen = upto
        return seen

    def _remove(self, batch: list[str], old: set[str], seen: int, now: int) -> int:
        """Strike out and delete, unless a post was entered meanwhile that shows it."""
        before = now - UNUSED_FOR
        with self.spool.turn:
            with self.database.transaction() as tx:
                old.difference_update(media.shown(tx, after=seen, upto=media.last_post(tx)))
                gone = [sha256 for sha256 in batch if sha256 in old and self._strike(tx, sha256, before)]
                if gone:
                    journal.append(tx, "media removed", who="guardian", now=now, count=len(gone), sha256=gone)
            for sha256 in gone:
                self.spool.remove(sha256)
        return len(gone)

    @staticmethod
    def _strike(tx: Tx, sha256: str, before: int) -> bool:
        media.forget(tx, sha256, before=before)
        return media.find(tx, sha256) is None


def _notes(found: Picture | Unchecked) -> tuple[str, ...]:
    if isinstance(found, Unchecked):
        return (f"it begins like {found.type}; its content was not checked",)
    notes = []
    if not found.whole:
        notes.append(f"it has many frames, and only the first {found.frames} were looked at")
    if found.after:
        notes.append(f"it has {found.after} bytes after its end, which are kept and sent as they are")
    return tuple(notes)
