"""A house with open gates, the adapter behind the real gate, and the front before its platform: what a case plays on.

What the adapter says is never believed alone: the receipt of the gate, the wire and the platform's books are asked.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import shutil
import tempfile
import time
import traceback
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from guardian.adapter import Kind, Readiness, Undoing
from guardian.beyond import Limiting
from guardian.conformance.bench import NotPlayed
from guardian.conformance.front import Front
from guardian.fence import arming, passage
from guardian.fence.house import House
from guardian.fence.stopping import Order, Stopping
from guardian.gate import intents, recording, tripwire
from guardian.gate.accounts import GuardedNetwork
from guardian.gate.blanks import Blanks
from guardian.gate.intents import Intent, declare
from guardian.gate.keeping import SealedKeeping
from guardian.gate.transport import guarded_session
from guardian.gate.verdicts import Accepted, verdict, verdict_of_retract, verdict_of_upload
from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from guardian.adapter import Adapter, Answer
    from guardian.conformance.bench import Bench, Held
    from guardian.gate.intents import Receipt
    from guardian.gate.verdicts import Retraction, Verdict
    from guardian.model import Account, Exchange, Media, Part, PostRef

TRIES = 50
NAP = 0.1
HONEST = 10.0  # seconds for an answer that nobody delays


class Broken(AssertionError):
    """a promise of the contract is not kept"""


def expect(held: object, what: str) -> None:
    """Raises Broken with what was promised, unless it was kept."""
    if not held:
        raise Broken(what)


class Sent(NamedTuple):
    """What came of an attempt to publish: the gate's verdict, and what the adapter made of it."""

    verdict: Verdict
    ref: PostRef | None
    error: Exception | None
    receipt: Receipt
    key: str


@dataclass
class Door:
    """One live adapter of the account, used as the duties use it: every call under an intent, the receipt decides."""

    stage: Stage
    account: Account
    session: requests.Session
    adapter: Adapter

    def intent(self, kind: Kind = Kind.PUBLISH) -> Intent:
        """A fresh one; raises Stopped while frozen."""
        return Intent(kind, self.account.name, passage.look(self.stage.house, self.account.scopes))

    def send(
        self,
        part: Part,
        *,
        key: str = "",
        intent: Intent | None = None,
        uploads: tuple[str, ...] = (),
        reply_to: str | None = None,
    ) -> Sent:
        """Publish, whatever comes of it."""
        key = key or uuid.uuid4().hex
        ref, error = None, None
        with declare(intent or self.intent()) as receipt:
            try:
                ref = self.adapter.publish(part, key, uploads=uploads, reply_to=reply_to)
            except Exception as raised:  # noqa: BLE001 (whatever it raises, the receipt says what happened)
                error = self.stage.heard(raised)
        self.stage.note(receipt)
        return Sent(verdict(receipt), ref, error, receipt, key)

    def made(self, part: Part, *, uploads: tuple[str, ...] = (), reply_to: str | None = None) -> PostRef:
        """A post that is there; found, where the platform does not name it in its answer."""
        since = self.stage.now()
        sent = self.send(part, uploads=uploads, reply_to=reply_to)
        self.stage.bench.settle()
        ref = sent.ref or self.adapter.find(
            part, since=since, known=frozenset(self.stage.known), reply_to=reply_to, key=sent.key
        )
        if ref is None:
            raise Broken(f"an honest publish came to {sent.verdict} and {sent.error!r}")
        self.stage.known.add(ref.id)
        return ref

    def upload(self, data: bytes, media: Media, *, intent: Intent | None = None) -> tuple[str | None, Verdict]:
        """Hand a file over, whatever comes of it."""
        found = None
        with declare(intent or self.intent(Kind.UPLOAD)) as receipt:
            try:
                found = self.adapter.upload(data, media)
            except Exception as raised:  # noqa: BLE001 (the same)
                self.stage.heard(raised)
        self.stage.note(receipt)
        return found, verdict_of_upload(receipt)

    def uploaded(self, data: bytes, media: Media) -> str:
        """A file that a post may show."""
        found, came = self.upload(data, media)
        if found is None or not isinstance(came, Accepted):
            raise Broken(f"an honest upload came to {came}")
        for _ in range(TRIES):
            if self.adapter.ready(found) is Readiness.READY:
                return found
            self.stage.bench.settle()
            time.sleep(NAP)
        raise Broken("a file never became ready")

    def looked(self, ref: PostRef) -> dict[str, Answer]:
        """Every look."""
        return {look.name: self.adapter.fetch(look) for look in self.adapter.looks(ref)}

    def take_down(
        self,
        ref: PostRef,
        decision: Decision = Decision.DELETE,
        *,
        undoing: Undoing | None = None,
        intent: Intent | None = None,
    ) -> Retraction:
        """Announce, and act, whatever comes of it."""
        said = self.prepared(ref, decision) if undoing is None else undoing
        with declare(intent or intents.retracting(self.account, ref.id, said.says)) as receipt:
            try:
                self.adapter.retract(decision, ref, said)
            except Exception as raised:  # noqa: BLE001 (the same)
                self.stage.heard(raised)
        self.stage.note(receipt)
        return verdict_of_retract(receipt)

    def prepared(self, ref: PostRef, decision: Decision) -> Undoing:
        """What the act will say, from looks made now."""
        if decision.is_limit and isinstance(self.adapter, Limiting):
            looks = self.adapter.looks_before(decision, ref)
            return self.adapter.prepare(decision, ref, {look.name: self.adapter.fetch(look) for look in looks})
        return self.adapter.prepare(decision, ref, self.looked(ref) if decision is Decision.HIDE else {})

    def undo(self, ref: PostRef, how: Mapping[str, object], *, intent: Intent | None = None) -> Verdict:
        """Reverse an act, whatever comes of it."""
        announced = intent or intents.managing(self.account, passage.look(self.stage.house, self.account.scopes))
        with declare(announced) as receipt:
            try:
                self.adapter.undo(ref, how)
            except Exception as raised:  # noqa: BLE001 (the same)
                self.stage.heard(raised)
        self.stage.note(receipt)
        return verdict(receipt)


class Stage:
    """Use it in a `with`. `plain` goes to the platform itself, `door` through the front, where things go wrong."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.known: set[str] = set()
        self.exchanges: list[Exchange] = []
        self._heard: list[str] = []
        self._said: list[str] = []
        self._ends = contextlib.ExitStack()
        self._doors: dict[str, Door] = {}
        self._directory = Path(tempfile.mkdtemp(prefix="conformance-"))
        self._ends.callback(shutil.rmtree, self._directory, ignore_errors=True)
        self.house = House(str(self._directory / "state"), str(self._directory / "run"))
        Path(self.house.state_dir).mkdir(mode=0o700)
        Path(self.house.runtime_dir).mkdir()
        for scope in bench.account(bench.url).scopes:
            arming.arm_new(self.house, scope)
        self.front = self._ends.enter_context(Front(bench.url, bench.maker.routes))
        self.elsewhere = self._ends.enter_context(Front(None, bench.maker.routes))
        self._log = _Log()

    def __enter__(self) -> Self:
        self._ends.enter_context(_nothing_goes_around())
        self._ends.enter_context(recording.record(self.exchanges.append))
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Listen no more. Safe to repeat."""
        logging.getLogger().removeHandler(self._log)
        self._ends.close()

    @property
    def plain(self) -> Door:
        """The adapter before an honest platform."""
        return self.opened(self.bench.account, self.bench.url, HONEST)

    @property
    def door(self) -> Door:
        """The adapter before the front. Its answers must come within `bench.within`."""
        return self.opened(self.bench.account, self.front.url, self.bench.within)

    def opened(self, account: Callable[[str], Account], url: str, within: float) -> Door:
        """An adapter of that account, behind a gate of its own; the same again for the same."""
        name = f"{getattr(account, '__name__', '')} {url}"
        if name not in self._doors:
            found, maker = account(url), self.bench.maker
            session = guarded_session(found, maker.routes, answer_within=within, hosts=maker.hosts, reads=maker.reads)
            keeping = SealedKeeping(found, self._directory / "sessions")
            door = Door(self, found, session, maker.connect(found, GuardedNetwork(session, keeping)))
            self._doors[name] = door
        return self._doors[name]

    def part(self, *, media: tuple[Media, ...] = (), follows: bool = False) -> Part:
        """A part with words that nothing else says."""
        return self.bench.part(f"Fresh bread {uuid.uuid4().hex[:12]}", media=media, follows=follows)

    def published(self) -> PostRef:
        """A post that is there."""
        return self.plain.made(self.part())

    def held(self, ref: PostRef) -> Held | None:
        """What the platform's books say."""
        return self.bench.seen(ref)

    def creates(self) -> int:
        """How many requests that make a post have come over the wire, however they ended."""
        return len(self.front.arrived(Kind.PUBLISH))

    def freeze(self) -> None:
        """The real one."""
        with Stopping(self.house, Order(("all",), "conformance", "conformance"), may_kill=False) as stopping:
            expect(stopping.confirm(), f"the freeze was not confirmed: {stopping.unconfirmed}")

    def heard(self, error: Exception) -> Exception:
        """Keep an error as it would be logged."""
        self._heard.append("".join(traceback.format_exception(error)))
        return error

    def note(self, receipt: Receipt) -> None:
        """Keep what a receipt says, as it would be written into the store."""
        self._said += [trace.why for trace in receipt.traces]

    @staticmethod
    def now() -> int:
        """Wall time in ms."""
        return time.time_ns() // 1_000_000

    def expect_silence(self) -> None:
        """No secret stands in a log, an error, a receipt or a record."""
        account = self.bench.account(self.bench.url)
        secrets = {one.reveal() for one in account.secrets.values()}
        blanks = Blanks(secrets | {*self.bench.secrets()} | self.front.credentials())
        written = {"an error": self._heard, "a receipt": self._said, "the log": self._log.lines}
        for where, texts in written.items():
            for text in texts:
                expect(not blanks.hold(text.encode("utf-8", "replace")), f"a secret stands in {where}")
        for one in self.exchanges:
            kept = replace(one, certificate=None)
            expect(not blanks.hold(repr(kept).encode()), f"a secret stands in the record of {one.method} {one.url}")
            expect(not blanks.hold(one.request_body + one.body), f"a secret stands in a body of {one.url}")


@contextlib.contextmanager
def _nothing_goes_around() -> Iterator[None]:
    """What changes something and does not pass the gate raises, as it would in the daemon."""
    before = http.client.HTTPConnection.putrequest
    tripwire.stretch()
    try:
        yield
    finally:
        http.client.HTTPConnection.putrequest = before  # type: ignore[method-assign]


class _Log(logging.Handler):
    """Every line that a library would write in the daemon."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


__all__ = ["Broken", "Door", "NotPlayed", "Sent", "Stage", "expect"]
