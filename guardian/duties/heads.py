"""The journal's end, signed and stamped once a day: what is cut off behind it shows from then on.

In `STATE_DIR/evidence/heads`: `head-YYYYMMDD.json` says which line was the last and its hash, `.sig` is the house's
signature of it, `.NAME.tsr` an authority's stamp over that signature. Called by the loop of the stamps alone.
"""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from guardian.errors import GuardianError
from guardian.evidence import canonical, files, roots, signing, stamps
from guardian.evidence.labels import label
from guardian.fence import scopes
from guardian.store import bundles
from guardian.store.queries import Q
from guardian.store.stamps import WAITS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.duties.shelf import Shelf
    from guardian.store.database import Tx

    Answered = Callable[
        [str, bytes], tuple[bytes, bytes]
    ]  # authority, question: its answer, and the roots to check it by

WHO = "guardian"
HEADS, NAME = "heads", re.compile(r"head-\d{8}\.json")
DAY = 86_400_000
MOST = 1 << 16
MOST_DAYS = 20_000
log = structlog.get_logger()


class Heads:
    """One head for each day (UTC) on which an authority is named."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.database = shelf.database
        self.root = shelf.root / HEADS
        self._failed: dict[str, tuple[int, int]] = {}  # authority: how often today, and when it is asked again
        self._day = ""

    def poll(self, now: int, authorities: Sequence[str], answered: Answered) -> int | None:
        """Have today's head stamped by one authority that has not; when to be called again."""
        if not authorities:
            return None
        day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d")
        if day != self._day:
            self._day, self._failed = day, {}
        stem = f"head-{day}.json"
        missing = [one for one in authorities if not (self.root / f"{stem}.{label(one)}.tsr").exists()]
        waiting = {one: self._failed.get(one, (0, 0))[1] for one in missing}
        for authority, at in waiting.items():
            if at <= now:
                self._stamp(stem, authority, answered, now=now)
                return now
        return min(waiting.values(), default=(now // DAY + 1) * DAY)

    def wrong(self, tx: Tx) -> list[tuple[str, str]]:
        """Every head that does not fit the journal, or its own signature or stamps: file and sentence."""
        found: list[tuple[str, str]] = []
        trusted = signing.known(self.shelf.key().allowed)
        names = sorted(one.name for one in self.root.iterdir()) if self.root.is_dir() else []
        for name in names[-MOST_DAYS:]:
            if NAME.fullmatch(name):
                found += self._wrong(tx, name, trusted)
            elif name.endswith(".tsr") and stamps.available():
                found += self._wrong_stamp(name)
        return found

    def _stamp(self, stem: str, authority: str, answered: Answered, *, now: int) -> None:
        try:
            self._head(stem, now=now)
            named = f"{stem}.{label(authority)}"
            question = stamps.query(files.read(self.root, f"{stem}.sig", limit=MOST))
            answer, ends = answered(authority, question)
            pieces = {"tsq": question, "root.pem": ends, "chain.pem": roots.sent(answer), "tsr": answer}
            at = self._checked(stem, named, pieces)
        except (GuardianError, OSError) as error:
            self._note_gap(authority, str(error), now=now)
            return
        self._failed.pop(authority, None)
        with self.database.transaction() as tx:
            bundles.custody(tx, None, "head stamped", who=WHO, now=now, head=stem, authority=authority, time=at)

    def _checked(self, stem: str, named: str, pieces: dict[str, bytes]) -> int:
        """Keep the pieces of a stamp once they are found right; the response gets its name last."""
        for end, data in pieces.items():
            (self.root / f"{named}.{end}.part").unlink(missing_ok=True)
            files.write_part(self.root, f"{named}.{end}", data)
        part = {end: self.root / f"{named}.{end}.part" for end in pieces}
        try:
            for against in (["-queryfile", str(part["tsq"])], ["-data", str(self.root / f"{stem}.sig")]):
                at = stamps.check(part["tsr"], against, root=part["root.pem"], chain=part["chain.pem"])
        except GuardianError:
            for path in part.values():
                path.unlink()
            raise
        for end in pieces:
            part[end].replace(self.root / f"{named}.{end}")
        files.sync_directory(self.root)
        return at

    def _head(self, stem: str, *, now: int) -> None:
        """Today's head: the line that is the last one now, signed."""
        if (self.root / f"{stem}.sig").exists():
            return
        scopes.make_private(str(self.root))
        with self.database.reading() as tx:
            head = Q.journal_head(tx)
        data = canonical.written({"at": now, "hash": head["hash"], "seq": head["seq"]}) + b"\n"
        for name, content in ((stem, data), (f"{stem}.sig", self.shelf.key().signer.sign(data))):
            for left in (name, f"{name}.part"):  # of a crash: what has no signature counts for nothing
                (self.root / left).unlink(missing_ok=True)
            files.write_part(self.root, name, content)
            files.settle(self.root, name)
        files.sync_directory(self.root)

    def _note_gap(self, authority: str, why: str, *, now: int) -> None:
        tries, _ = self._failed.get(authority, (0, 0))
        self._failed[authority] = (tries + 1, now + WAITS[min(tries, len(WAITS) - 1)])
        log.warning("the journal's end has no time stamp", authority=authority, why=why)
        if tries == 0:
            with self.database.transaction() as tx:
                bundles.custody(tx, None, "anchor gap", who=WHO, now=now, authority=authority, why=why[:300])

    def _wrong(self, tx: Tx, name: str, trusted: Sequence[signing.Known]) -> list[tuple[str, str]]:
        try:
            data = files.read(self.root, name, limit=MOST)
            said = json.loads(data)
            seq, sha256, at = int(said["seq"]), str(said["hash"]), int(said["at"])
            public = signing.verified(files.read(self.root, f"{name}.sig", limit=MOST), data)
        except (GuardianError, ValueError, KeyError, TypeError) as error:
            return [(name, f"it is not as it was signed: {error}")]
        if not any(one.public == public and one.counts_at(at) for one in trusted):
            return [(name, f"the key that signed it is not known: {signing.fingerprint(public)}")]
        line = next(iter(Q.journal_after(tx, after=seq - 1, limit=1)), None)
        if line is None:
            return [(name, f"line {seq} of the journal was there, and is gone: its end was cut off")]
        return [] if line["hash"] == sha256 else [(name, f"line {seq} of the journal is not the one that was signed")]

    def _wrong_stamp(self, name: str) -> list[tuple[str, str]]:
        stem = name.removesuffix(".tsr")
        keys = {which: self.root / f"{stem}.{which}.pem" for which in ("root", "chain")}
        signature = self.root / f"{stem.partition('.json')[0]}.json.sig"
        with contextlib.suppress(OSError):
            try:
                stamps.check(self.root / name, ["-data", str(signature)], **keys)
            except GuardianError as error:
                return [(name, str(error))]
        return []
