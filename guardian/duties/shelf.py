"""The shelf of evidence: where bundles stand, the key that seals them, and whose turn it is with which.

Any thread may call. A bundle is written by one at a time: whoever appends, seals, stamps or erases has its turn, from
opening the bundle until it is done with it, and never across a request. Lock order: a turn, then the store's writer.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from guardian.errors import GuardianError, Unfound
from guardian.evidence import Bundle, names
from guardian.evidence.keyring import EVIDENCE, Keyring
from guardian.model import Grade
from guardian.store import bundles, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardian.evidence import Seal
    from guardian.evidence.keyring import Key
    from guardian.store.database import Database, Tx

WHO = "guardian"
log = structlog.get_logger()


class Shelf:
    """Every bundle of the house, by its name."""

    def __init__(self, *, state_dir: Path, database: Database, clock: Callable[[], int]) -> None:
        self.root = state_dir / EVIDENCE
        self.keyring = Keyring(state_dir)
        self.database = database
        self.clock = clock
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[threading.RLock, int]] = {}

    def open(self) -> None:
        """At the start: have a key, and its fingerprint in the journal. What goes wrong is logged and stops nothing."""
        try:
            with self._lock:
                key, fresh = self.keyring.have(now=self.clock())
            with self.database.transaction() as tx:
                self._note_key(tx, key, "key made" if fresh else "key found")
        except (GuardianError, OSError) as error:
            log.error("no key for evidence", why=str(error))  # noqa: TRY400 (its words say it all)

    def key(self) -> Key:
        """What seals from now on. Raises ConfigMistake when it cannot be used."""
        with self._lock:
            return self.keyring.load()

    def rotate(self, *, who: str) -> tuple[Key, Key]:
        """Begin a new key; the old one and the new one. Raises ConfigMistake, Unwritable."""
        with self._lock:
            old, new = self.keyring.rotate(now=self.clock())
        with self.database.transaction() as tx:
            self._note_key(tx, new, "key rotated", who=who, before=old.fingerprint)
        return old, new

    def place(self, name: str) -> Path:
        """The directory of a bundle. Raises Unfound for what cannot be the name of one, or is not there."""
        path = self.root / name
        if not names.is_bundle(name) or path.is_symlink() or not path.is_dir():
            raise Unfound(
                f"cannot find the bundle {name[:100]!r}, because it is not on the shelf", fix="guardian evidence list"
            )
        return path

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Nobody else writes into this bundle meanwhile. The same thread may take it again."""
        with self._lock:
            lock, waiting = self._turns.get(name, (threading.RLock(), 0))
            self._turns[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._turns[name]
                if waiting == 1:
                    del self._turns[name]
                else:
                    self._turns[name] = (lock, waiting - 1)

    @contextmanager
    def opened(self, name: str) -> Iterator[Bundle]:
        """A bundle to write into, for as long as the turn lasts. Raises Unfound, Refusal, Unwritable."""
        with self.turn(name):
            yield Bundle.open(self.place(name))

    def note_seal(self, tx: Tx, name: str, seal: Seal, *, who: str, now: int, **more: object) -> None:
        """Write a seal down: in the row (with the `grade`, if any), and in the journal, by which it is judged later."""
        grade = more.get("grade")
        bundles.sealed(tx, name, n=seal.n, sha256=seal.sha256, grade=grade if isinstance(grade, Grade) else None)
        journal.append(tx, bundles.SEALED, who=who, now=now, bundle=name, seal=seal.n, sha256=seal.sha256, **more)

    def _note_key(self, tx: Tx, key: Key, event: str, *, who: str = WHO, **more: object) -> None:
        """Once for each key: the journal says since when it seals here."""
        named = f"key {key.fingerprint}"
        if journal.of_post(tx, named, limit=1)[1] == 0:
            line = journal.append(
                tx,
                bundles.CUSTODY,
                who=who,
                now=self.clock(),
                bundle=None,
                event=event,
                fingerprint=key.fingerprint,
                **more,
            )
            journal.tells_about(tx, line, [named])
