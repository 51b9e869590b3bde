"""Time stamps from outside: each seal, and once a day the journal's end, is stamped by every authority that is named.

A loop of its own: a takedown never waits for it. A stamp that cannot be had is a gap that the journal tells once, and
is asked for again, later each time, for ever; one that comes late shows by how much.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import certifi
import structlog

from guardian.config.text import read_regular
from guardian.errors import Broken, GuardianError, Refusal, Unfound
from guardian.evidence import files, names, roots, stamps
from guardian.evidence.labels import label
from guardian.store import bundles
from guardian.store import stamps as wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.config.in_force import InForce
    from guardian.duties.heads import Heads
    from guardian.duties.shelf import Shelf
    from guardian.store.stamps import Wanted

    class Ask(Protocol):
        """Who reaches an authority."""

        def __call__(self, url: str, query: bytes, *, within: float) -> bytes:
            """The answer, in so many seconds. Raises GuardianError, OSError."""
            ...


WHO = "guardian"
WITHIN = 10.0  # seconds for an authority's whole answer
MOST_ROOTS = 1 << 20
SIGNATURE_BYTES = 1 << 16
LONGEST_WHY = 300
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A stamp: the time that it names, and how long after the seal that is (both ms)."""

    at: int
    late: int


class Stamping:
    """Polled by a loop of its own; one request each time, so that the end of the daemon never waits for more."""

    def __init__(self, *, shelf: Shelf, in_force: InForce, clock: Callable[[], int], ask: Ask, heads: Heads) -> None:
        self.shelf = shelf
        self.database = shelf.database
        self.in_force = in_force
        self.clock = clock
        self.ask = ask
        self.heads = heads

    def poll(self, now: int) -> int | None:
        """Ask for the stamp that waits longest; when to be called again, None when nothing is wanted."""
        with self.database.reading() as tx:
            due = wanted.due(tx, now=now, limit=1)
        if due:
            self._stamp(due[0])
            return now
        evidence = self.in_force.settings.evidence
        following = self.heads.poll(now, evidence.authorities, self._answered)
        with self.database.reading() as tx:
            coming = wanted.next_due(tx)
        return min((one for one in (following, coming) if one is not None), default=None)

    def _stamp(self, stamp: Wanted) -> None:
        if stamp.authority not in self.in_force.settings.evidence.authorities:
            with self.database.transaction() as tx:  # nobody names it any more: that it never came stays a gap
                wanted.forget(tx, stamp)
            return
        try:
            found = self._had(stamp)
        except Broken:
            raise
        except (GuardianError, OSError) as error:
            why = (error.message if isinstance(error, GuardianError) else str(error))[:LONGEST_WHY]
            self._note_gap(stamp, why)
        else:
            self._note(stamp, found)

    def _had(self, stamp: Wanted) -> Stamped:
        """Ask, check, keep. The bundle is nobody's while the authority is asked."""
        place = self.shelf.place(stamp.bundle)
        named = label(stamp.authority)
        kept = place / f"{names.manifest(stamp.seal)}.{named}.tsr"
        if kept.exists():  # a crash came between the file and the line about it
            at = stamps.stamped_at(kept)
            return Stamped(at=at, late=max(at - _sealed_at(place, stamp.seal), 0))
        signature = files.read(place, f"{names.manifest(stamp.seal)}.sig", limit=SIGNATURE_BYTES)
        question = stamps.query(signature)
        answer, ends = self._answered(stamp.authority, question)
        with self.shelf.opened(stamp.bundle) as bundle:
            at = stamps.accept(bundle, stamp.seal, named, answer, asked=question, roots=ends)
        return Stamped(at=at, late=max(at - _sealed_at(place, stamp.seal), 0))

    def _answered(self, authority: str, question: bytes) -> tuple[bytes, bytes]:
        """The answer, and the roots that it may end in. Raises Refusal, and what asking raises."""
        known = _roots(self.in_force.settings.evidence.roots)
        answer = self.ask(authority, question, within=WITHIN)
        return answer, roots.picked(answer, known)

    def _note(self, stamp: Wanted, found: Stamped) -> None:
        now = self.clock()
        facts = {"seal": stamp.seal, "authority": stamp.authority, "time": found.at, "late_ms": found.late}
        with self.database.transaction() as tx:
            wanted.done(tx, stamp, now=now)
            bundles.custody(tx, stamp.bundle, "stamped", who=WHO, now=now, **facts, tries=stamp.tries + 1)

    def _note_gap(self, stamp: Wanted, why: str) -> None:
        now = self.clock()
        log.warning("no time stamp", bundle=stamp.bundle, seal=stamp.seal, authority=stamp.authority, why=why)
        with self.database.transaction() as tx:
            again = wanted.failed(tx, stamp, why=why, now=now)
            if stamp.tries == 0:
                facts = {"seal": stamp.seal, "authority": stamp.authority, "why": why, "again_at": again}
                bundles.custody(tx, stamp.bundle, "anchor gap", who=WHO, now=now, **facts)


def _roots(path: str) -> bytes:
    """The roots that are trusted. Raises Unfound."""
    named = Path(path or certifi.where())
    try:
        _, found = read_regular(named, MOST_ROOTS)
    except OSError as error:
        raise Unfound(f"cannot check a time stamp, because {named} cannot be read: {error.strerror}") from error
    if len(found) > MOST_ROOTS:
        raise Refusal(f"cannot check a time stamp, because {named} has more than {MOST_ROOTS} bytes")
    return found


def _sealed_at(place: Path, seal: int) -> int:
    """When a seal was set, by its own word (ms). Raises Refusal."""
    try:
        return int(json.loads(files.read(place, names.contents(seal), limit=SIGNATURE_BYTES))["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"cannot read when seal {seal} of {place.name} was set, because its words are garbled") from error
