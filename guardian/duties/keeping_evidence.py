"""Evidence once it is sealed: verified, held, exported, erased in part, and let go when its time is over.

Called by API threads, retention by a loop of its own. Every touch is a line of the journal, of kind `custody`. A legal
hold goes before every time limit. Lock order: the bundle's turn, then the store's writer.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from guardian.errors import Broken, GuardianError, Illegal, Mistake, Unfound
from guardian.evidence import Bundle, Seal, erasure, files, names, recovery, signing, tombstones
from guardian.evidence import verify as verifying
from guardian.store import bundles
from guardian.store import stamps as wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardian.config.in_force import InForce
    from guardian.duties.heads import Heads
    from guardian.duties.shelf import Shelf
    from guardian.store.bundles import Kept
    from guardian.store.database import Tx

WHO = "guardian"
DAY = 86_400_000
LOOK_AFTER = 15 * 60_000
LOOK_EVERY = 6 * 3_600_000
LOOK_AGAIN = 60_000  # while the clock is in doubt
MOST_AT_ONCE = 200
GRACE = 0.3  # seconds between a seal and its line in the journal, at most
LEAVING = ".leaving-"
HEADS = "heads"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a look at a bundle found: sentences that each name a file, and what merely is not proven (yet)."""

    name: str
    wrong: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]


class KeepingEvidence:
    """What people do with bundles, and what time does."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        heads: Heads,
        in_force: InForce,
        clock: Callable[[], int],
        clock_is_right: Callable[[], bool],
    ) -> None:
        self.shelf = shelf
        self.heads = heads
        self.database = shelf.database
        self.in_force = in_force
        self.clock = clock
        self.clock_is_right = clock_is_right
        self._look_at: int | None = None
        self._own_alone: set[str] = set()  # bundles without other people's words, as far as they were looked at

    def verify(self, name: str, *, who: str) -> Verified:
        """Hold it against its seals, the house's keys and the journal. Raises Unfound."""
        if name == HEADS:
            return self._verify_heads()
        with self.database.reading() as tx:
            known = bundles.seals(tx, name)
            row = bundles.get(tx, name)
        place = self.shelf.root / name
        gaps: list[str] = []
        if not place.is_dir():
            found = [(name, "its directory is missing")]
        else:
            seals = [Seal(n, sha256) for n, sha256 in sorted(known.items())]
            trusted, why = self._house_keys()
            found = [(one.file, one.what) for one in verifying.verify(place, sealed=seals, trusted=trusted)]
            found += self._unknown_seals(name, row.seals, present=_last_seal(place))
            gaps = [*verifying.gaps(place), *why]
        with self.database.transaction() as tx:
            torn = self.database.audit.torn
            if torn is not None:
                found.append(("journal", f"its chain breaks at line {torn.seq}: {torn.why}"))
            bundles.custody(tx, name, "verified", who=who, now=self.clock(), whole=not found, wrong=len(found))
        return Verified(name=name, wrong=tuple(found), gaps=tuple(gaps))

    def hold(self, name: str, *, reason: str, who: str) -> Kept:
        """Neither time nor people take anything from it until the hold is lifted. Raises Unfound, Mistake."""
        _must_say(reason, "hold evidence")
        bundle = Bundle(self.shelf.place(name), phase=1)  # not opened: a damaged one can be held, too
        with self.shelf.turn(name):
            if not erasure.held(bundle):
                erasure.hold(bundle, who=who, at=self.clock(), reason=reason)
            with self.database.transaction() as tx:
                bundles.get(tx, name)
                bundles.hold(tx, name, reason=reason, who=who, now=self.clock())
                return bundles.get(tx, name)

    def unhold(self, name: str, *, reason: str, who: str) -> Kept:
        """Lift the hold. Raises Unfound, Mistake, and Illegal when there is none."""
        _must_say(reason, "lift a legal hold")
        bundle = Bundle(self.shelf.place(name), phase=1)
        with self.shelf.turn(name):
            with self.database.transaction() as tx:
                if bundles.get(tx, name).held is None and not erasure.held(bundle):
                    raise Illegal(f"cannot lift a hold of {name}, because there is none")
                bundles.lift(tx, name, reason=reason, who=who, now=self.clock())
                found = bundles.get(tx, name)
            if erasure.held(bundle):
                erasure.lift(bundle)
        return found

    def erase(self, name: str, *, ground: str, who: str) -> list[str]:
        """Erase what other people wrote; the files that are gone. Raises Unfound, Mistake, and Illegal under a hold."""
        _must_say(ground, "erase")
        with self.shelf.opened(name) as bundle:
            with self.database.reading() as tx:
                if bundles.get(tx, name).held is not None or erasure.held(bundle):
                    raise Illegal(
                        f"cannot erase from {name}, because a legal hold keeps it",
                        fix="lift it, if counsel agrees: guardian evidence unhold",
                    )
            gone = _left_over(bundle)
            if not gone:
                raise Illegal(f"cannot erase from {name}, because it holds nothing that other people wrote")
            key, now = self.shelf.key(), self.clock()
            sealing = [bundle.seal(key.signer, at=now, allowed=key.allowed)] if _is_open(bundle) else []
            sealing.append(
                erasure.erase(bundle, gone, who=who, at=now, ground=ground, signer=key.signer, allowed=key.allowed)
            )
            with self.database.transaction() as tx:
                self._note_seals(tx, name, sealing, who=who, now=now)
                bundles.erased(tx, name, now=now)
                bundles.custody(tx, name, "erased", who=who, now=now, ground=ground, files=gone)
        return gone

    def poll(self, now: int) -> int | None:
        """Let go what is over, four times a day, and only while the clock is right: one that jumped ages everything."""
        if self._look_at is None or self._look_at > now + LOOK_EVERY:
            self._look_at = now + LOOK_AFTER
        if now >= self._look_at and self.clock_is_right():
            self._look_at = now + LOOK_EVERY
            self.tidy(now)
        return max(self._look_at, now + LOOK_AGAIN)

    def tidy(self, now: int) -> tuple[list[str], list[str]]:
        """Purge what is over, and erase other people's words whose time is over; the names of both."""
        for left in self.shelf.root.glob(f"{LEAVING}*"):  # a crash left it, after the journal was told
            self._remove(left.name.removeprefix(LEAVING))
        with self.database.reading() as tx:
            over = bundles.to_purge(tx, now=now, limit=MOST_AT_ONCE)
        purged = [name for name in over if self._in_peace(self._purge, name)]
        return purged, [name for name in self._old_words(now) if self._in_peace(self._erase_old, name)]

    def _old_words(self, now: int) -> list[str]:
        """Bundles that hold other people's words for too long."""
        before = now - self.in_force.settings.evidence.keep_others
        found: list[str] = []
        place = (-1, "")
        while len(found) < MOST_AT_ONCE:
            with self.database.reading() as tx:
                some = bundles.to_erase(tx, before=before, after=place, limit=MOST_AT_ONCE)
            if not some:
                break
            place = some[-1]
            found += [name for _, name in some if name not in self._own_alone and self._holds_others(name)]
        return found[:MOST_AT_ONCE]

    def _holds_others(self, name: str) -> bool:
        root = self.shelf.root / name
        if root.is_dir() and _left_over(Bundle(root, phase=1)):
            return True
        self._own_alone.add(name)
        return False

    def _erase_old(self, name: str) -> None:
        days = self.in_force.settings.evidence.keep_others // DAY
        self.erase(name, ground=f"its time is over: what other people wrote is kept {days} days", who=WHO)

    def _purge(self, name: str) -> None:
        """Out of sight, then out of the books, then off the disk: nothing half-purged is ever shown as evidence."""
        with self.shelf.turn(name):
            place = self.shelf.root / name
            if place.is_dir() and erasure.held(Bundle(place, phase=1)):
                raise Illegal(f"cannot purge {name}, because a hold lies in it")
            with self.database.reading() as tx:
                row = bundles.get(tx, name)
            if row.held is not None:
                raise Illegal(f"cannot purge {name}, because a legal hold keeps it")
            if place.is_dir():
                place.rename(self.shelf.root / f"{LEAVING}{name}")
            with self.database.transaction() as tx:
                facts = {"sha256": row.sha256, "seals": row.seals, "created_at": row.created_at}
                bundles.custody(tx, name, "purged", who=WHO, now=self.clock(), ground="its time is over", **facts)
                bundles.forget(tx, name)
            self._remove(name)

    def _remove(self, name: str) -> None:
        """Off the disk, unless the journal was not told yet: then it is a bundle again."""
        left = self.shelf.root / f"{LEAVING}{name}"
        try:
            with self.database.reading() as tx:
                bundles.get(tx, name)
        except Unfound:
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.rename(self.shelf.root / name)

    def _in_peace(self, work: Callable[[str], None], name: str) -> bool:
        """One that cannot be let go does not keep the others."""
        try:
            work(name)
        except Broken:
            raise
        except (GuardianError, OSError) as error:
            log.warning("evidence stays", bundle=name, why=str(error))
            return False
        return True

    def _verify_heads(self) -> Verified:
        with self.database.reading() as tx:
            found = self.heads.wrong(tx)
        return Verified(name=HEADS, wrong=tuple(found), gaps=())

    def _house_keys(self) -> tuple[list[signing.Known] | None, list[str]]:
        """Who may seal here; without the house's own list, the bundle's, and that this is so."""
        try:
            return signing.known(self.shelf.key().allowed), []
        except GuardianError as error:
            return None, [f"not compared with the house's own keys: {error.message}"]

    def _unknown_seals(self, name: str, known: int, *, present: int) -> list[tuple[str, str]]:
        """Seals that the journal was never told of. One that is being set right now is given time to be told."""
        if known < present:
            time.sleep(GRACE)
            with self.database.reading() as tx:
                known = bundles.get(tx, name).seals
        why = "the journal does not know it: the guardian ended before it wrote it down, or somebody else has sealed"
        return [(names.manifest(n), why) for n in range(known + 1, present + 1)]

    def _note_seals(self, tx: Tx, name: str, sealing: list[Seal], *, who: str, now: int) -> None:
        for seal in sealing:
            self.shelf.note_seal(tx, name, seal, who=who, now=now)
            wanted.want(tx, name, seal.n, self.in_force.settings.evidence.authorities, now=now)


def _left_over(bundle: Bundle) -> list[str]:
    """Files of other people's words that are still there, or whose erasing a crash has interrupted."""
    begun = (name for one in tombstones.of(bundle.path, recovery.phase(bundle.path)) for name in one.files)
    return sorted({*erasure.third_party(bundle), *begun})


def _is_open(bundle: Bundle) -> bool:
    """Whether other people's words were added since the last seal: only what is sealed can be erased."""
    return any(names.phase_of(name) == bundle.phase for name in erasure.third_party(bundle))


def _last_seal(place: Path) -> int:
    """The number of the last seal that lies there."""
    return max((found[0] for one in files.listed(place) if (found := names.seal_of(one)) and not found[1]), default=0)


def _must_say(why: str, what: str) -> None:
    if not why.strip():
        raise Mistake(f"cannot {what}, because no reason is given", fix="say why: it stands in the journal")
