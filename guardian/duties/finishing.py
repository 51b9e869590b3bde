"""What a takedown still owes when the answer is out: what anybody sees now, the readable pages, the second seal.

One thread of its own (`finish`), one target after the other; nothing of it is on the way to a deletion. What a crash
leaves undone is found at the next start: an ended target whose bundle has one seal.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from guardian.duties import outside_view
from guardian.duties.capturing import LATER
from guardian.duties.outcomes import WHO, about
from guardian.duties.snapshot import add_what_came_late, copy
from guardian.errors import Unfound
from guardian.evidence import canonical, card, custody, record, summary, words
from guardian.failpoint import failpoint
from guardian.rules import magic
from guardian.store import bundles, journal, stamps, takedowns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from guardian.config.in_force import InForce
    from guardian.duties.outside_view import View
    from guardian.duties.shelf import Shelf
    from guardian.duties.snapshot import Snapshot
    from guardian.duties.uploading import Spool
    from guardian.evidence.bundle import Seal
    from guardian.gate.accounts import Emergency
    from guardian.model import Account, Entry, Exchange, Takedown, Target
    from guardian.store.database import Tx

VIEW_WITHIN = 15.0
log = structlog.get_logger()


class Finishing:
    """Finishes bundles."""

    def __init__(
        self,
        *,
        shelf: Shelf,
        in_force: InForce,
        spool: Spool,
        desk: Callable[[Account], Emergency],
        clock: Callable[[], int],
        picture: Callable[[Snapshot], None],
    ) -> None:
        """`picture` adds a rendered page to a bundle, where there is a browser; whatever it raises is only logged."""
        self.shelf = shelf
        self.database = shelf.database
        self.in_force = in_force
        self.spool = spool
        self.desk = desk
        self.clock = clock
        self.picture = picture
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="finish")

    def recover(self) -> int:
        """At the start: what a crash has left without its second seal is sealed as it is; how many there were."""
        with self.database.reading() as tx:
            found = takedowns.unfinished(tx)
        for target in found:
            self._threads.submit(self._seal_or_log, target)
        return len(found)

    def _seal_or_log(self, target: Target) -> None:
        try:
            with self.database.reading() as tx:
                bundles.get(tx, str(target.evidence))  # what no line tells of was begun and never sealed
            with self.shelf.opened(str(target.evidence)) as bundle:
                told = {"note": "the guardian ended before this bundle was finished", "state": target.state}
                bundle.append("checks.jsonl", canonical.written({"at_ms": self.clock(), **told}))
                key = self.shelf.key()
                seal = bundle.seal(key.signer, at=self.clock(), allowed=key.allowed)
            with self.database.transaction() as tx:
                order, now = takedowns.get(tx, target.takedown), self.clock()
                self.shelf.note_seal(tx, str(target.evidence), seal, who=WHO, now=now, **about(order, target))
                for n in range(1, seal.n + 1):
                    stamps.want(tx, str(target.evidence), n, self.in_force.settings.evidence.authorities, now=now)
        except Unfound as error:
            log.warning("a bundle stays open", bundle=target.evidence, why=str(error))
        except Exception:
            log.exception("a bundle was not sealed", bundle=target.evidence)

    def later(self, target: Target, snapshot: Snapshot | None) -> None:
        """Finish this one as soon as may be. Any thread."""
        if snapshot is not None and snapshot.seal is not None:
            self._threads.submit(self._finish_or_log, target, snapshot)
        elif snapshot is None and target.evidence is not None:  # its proof was sealed in another life of ours
            self._threads.submit(self._seal_or_log, target)

    def close(self) -> None:
        """Begin nothing more; what is under way is bounded in time."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _finish_or_log(self, target: Target, snapshot: Snapshot) -> None:
        try:
            self.finish(target, snapshot)
        except Exception:
            log.exception("a bundle was not finished", bundle=snapshot.bundle.name)

    def finish(self, target: Target, snapshot: Snapshot) -> None:
        """Everything that makes the bundle whole, then its second seal. Its turn is never held over a request."""
        views = self._views(target, snapshot) if target.acts else []
        wait(snapshot.pending, LATER)
        with snapshot.writing():
            self._fill(target, snapshot, views)
        try:
            self.picture(snapshot)
        except Exception as error:  # noqa: BLE001 (a picture is no proof: its lack is a note)
            snapshot.facts.notes.append(f"no rendered page: {error}"[:300])
        failpoint("takedown.finishing")
        with snapshot.writing():
            self._write(target, snapshot, self._seal(target, snapshot), views)
        failpoint("takedown.finished")

    def _fill(self, target: Target, snapshot: Snapshot, views: Sequence[View]) -> None:
        """What came late, what is large, what anybody sees now, what was done, and the pages for reading."""
        add_what_came_late(snapshot)
        for nr, media in enumerate(snapshot.wanted.media, 1):
            if media in snapshot.large:
                copy(snapshot, self.spool, nr, media)
        for view in views:
            snapshot.bundle.append("checks.jsonl", canonical.written({"at_ms": self.clock(), **asdict(view)}))
        self._act(snapshot, target)
        self._pages(snapshot)

    def _views(self, target: Target, snapshot: Snapshot) -> Sequence[View]:
        account = next((one for one in self.in_force.settings.accounts if one.name == target.account), None)
        if account is None:
            return []
        public = self.desk(account).public
        return outside_view.look(public, target.url, snapshot.shown, within=VIEW_WITHIN, keep=_into(snapshot))

    @staticmethod
    def _act(snapshot: Snapshot, target: Target) -> None:
        """What was done, and what came of it."""
        wanted = snapshot.wanted
        told = {
            "decision": wanted.order.decision, "state": target.state, "why": target.why, "acts": target.acts,
            "acted_at_ms": target.acted_at, "ended_at_ms": target.ended_at,
            "undo": None if target.undo is None else json.dumps(target.undo, sort_keys=True, ensure_ascii=False),
        }  # fmt: skip
        snapshot.bundle.add("action/outcome.json", canonical.written(told))

    def _pages(self, snapshot: Snapshot) -> None:
        """The post as a card, and the record for reading."""
        wanted, facts = snapshot.wanted, snapshot.facts
        captured = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(facts.began_at / 1000))
        told = record_of(snapshot, self.clock)
        subject = told.subject
        said = card.Said(
            author=subject.author or subject.account,
            handle=subject.account,
            text=subject.text or "",
            at=subject.published_at,
            url=subject.url,
            warning=subject.told.warning if subject.told is not None else None,
            media=tuple(_shown(snapshot)),
        )
        rows = [("decision", wanted.order.decision), *record.plain(subject.told)]
        html = card.card(said, captured=captured, facts=rows)
        snapshot.bundle.add("render/card.html", html.encode("utf-8", "replace"))
        seals = [(seal.n, seal.sha256) for seal in snapshot.bundle.seals()]
        snapshot.bundle.add("report.html", summary.summary(told, seals=seals).encode("utf-8", "replace"))
        draft = words.certificate_draft(
            bundle=told.bundle,
            url=subject.url or f"{subject.platform} {subject.platform_id}",
            at=facts.began_at,
            tool=told.tool.version,
            seals=seals,
            facts={"ordered by": told.order.by, "reason": told.order.reason, "grade of the capture": told.grade},
        )
        snapshot.bundle.add("certificate-draft.txt", draft.encode("utf-8", "replace"))

    def _seal(self, target: Target, snapshot: Snapshot) -> Seal:
        with self.database.reading() as tx:
            lines = bundles.lines(tx, snapshot.bundle.name)
            of_target = journal.of_post(tx, target.id, limit=1000)[0]
        custody.extract(snapshot.bundle, sorted({one.seq: one for one in (*lines, *of_target)}.values(), key=_seq))
        record.add(snapshot.bundle, record_of(snapshot, self.clock))
        key = self.shelf.key()
        return snapshot.bundle.seal(key.signer, at=self.clock(), allowed=key.allowed)

    def _write(self, target: Target, snapshot: Snapshot, seal: Seal, views: Sequence[View]) -> None:
        now, name = self.clock(), snapshot.bundle.name
        authorities = self.in_force.settings.evidence.authorities
        stays = snapshot.wanted.order.decision.is_limit
        served = [] if stays else [view for view in views if view.verdict == "served"]
        lingering = [f"{view.what} is still served: {view.url}" for view in served]
        with self.database.transaction() as tx:
            order = takedowns.get(tx, target.takedown)
            self.shelf.note_seal(tx, name, seal, who=WHO, now=now, **about(order, target), grade=snapshot.grade)
            if views:
                _looked(tx, order, target, views, lingering, now)
            for n in range(1, seal.n + 1):
                stamps.want(tx, name, n, authorities, now=now)


def _looked(tx: Tx, order: Takedown, target: Target, views: Sequence[View], lingering: Sequence[str], now: int) -> None:
    seen = [{"what": one.what, "status": one.status, "verdict": one.verdict} for one in views]
    facts = {**about(order, target), "check": 0, "presence": target.state, "views": seen, "lingering": list(lingering)}
    journal.append(tx, "looked again", who=WHO, now=now, **facts)


def record_of(snapshot: Snapshot, clock: Callable[[], int]) -> record.Record:
    """The record as it stands."""
    return snapshot.facts.record(snapshot.bundle.name, grade=snapshot.grade, clock=clock)


def _shown(snapshot: Snapshot) -> Iterator[card.Shown]:
    """The files of the post for its card, with their bytes as long as there is room; what they are, by their bytes."""
    room = card.EMBEDDED
    pieces = [one for one in snapshot.facts.pieces if one.what.startswith("file ")]
    for one, piece in zip(snapshot.shown, pieces, strict=False):
        if piece.file is None:
            continue
        path = snapshot.bundle.path / piece.file
        size = path.stat().st_size
        data = path.read_bytes() if size <= room else None
        room -= 0 if data is None else size
        kind = magic.type_of((data or b"")[: magic.HEAD]) or one.type
        yield card.Shown(type=kind, alt=one.alt, file=f"../{piece.file}", data=data)


def _into(snapshot: Snapshot) -> Callable[[Exchange], None]:
    def keep(exchange: Exchange) -> None:
        with snapshot.writing():
            snapshot.bundle.exchange(exchange)

    return keep


def _seq(entry: Entry) -> int:
    return entry.seq
