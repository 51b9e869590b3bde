"""One account on a server that is not ours: the real adapter and gate of an open house, and what came of a publish."""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from guardian.adapter import Kind
from guardian.fence import passage
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Intent, Receipt, declare
from guardian.gate.verdicts import Verdict, verdict, verdict_of_upload
from guardian.model import Media
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from guardian.adapter import Adapter
    from guardian.fence.house import House
    from guardian.model import Account, Part, PostRef
    from tests.torture.front import Visit

WITHIN = 3.0
NOBODY: frozenset[str] = frozenset()


class Outcome(NamedTuple):
    """What a publish came to: what the gate concludes, what the adapter read, what it raised, what was requested."""

    verdict: Verdict
    ref: PostRef | None
    error: Exception | None
    receipt: Receipt


@dataclass
class Visitor:
    """Use it as the duties use an account."""

    house: House
    account: Account
    adapter: Adapter

    def upload(self, data: bytes, media: Media) -> tuple[str, Verdict]:
        """As `duties/uploading.py` does it; raises what the adapter raises."""
        intent = Intent(Kind.UPLOAD, self.account.name, passage.look(self.house, self.account.scopes))
        with declare(intent) as receipt:
            found = self.adapter.upload(data, media)
        return found, verdict_of_upload(receipt)

    def publish(self, part: Part, key: str | None = None, **more: Any) -> Outcome:  # noqa: ANN401 (uploads, reply_to)
        """As `duties/publish.py` does it: whatever is raised, the receipt decides."""
        intent = Intent(Kind.PUBLISH, self.account.name, passage.look(self.house, self.account.scopes))
        ref, error = None, None
        with declare(intent) as receipt, contextlib.suppress(Exception):
            try:
                ref = self.adapter.publish(part, key or uuid.uuid4().hex, **more)
            except Exception as raised:
                error = raised
                raise
        return Outcome(verdict(receipt), ref, error, receipt)


def picture_of(data: bytes, *, alt: str | None = None) -> Media:
    """What the queue knows of a file."""
    return Media(sha256=hashlib.sha256(data).hexdigest(), type="image/png", size=len(data), alt=alt)


def visit(house: House, url: str, *, within: float = WITHIN) -> Visitor:
    """An account at this address, of a house whose gates are open."""
    account = account_at(url)
    return Visitor(house, account, connect(account, makers(), answer_within=within))


def now() -> int:
    """The wall clock in ms."""
    return time.time_ns() // 1_000_000


def lose_the_answer(at: Visit) -> None:
    """The server gets the whole request and answers; the house never hears of it."""
    at.carry()
    at.reset()
