"""One account on a server that is not ours: the real adapter and gate of an open house, and what came of a publish."""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from guardian.adapter import Kind
from guardian.fence import passage
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Intent, Receipt, declare
from guardian.gate.verdicts import Verdict, verdict
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from guardian.adapter import Adapter
    from guardian.fence.house import House
    from guardian.model import Account, Part, PostRef

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

    def publish(self, part: Part, key: str | None = None) -> Outcome:
        """As `duties/publish.py` does it: whatever is raised, the receipt decides."""
        intent = Intent(Kind.PUBLISH, self.account.name, passage.look(self.house, self.account.scopes))
        ref, error = None, None
        with declare(intent) as receipt, contextlib.suppress(Exception):
            try:
                ref = self.adapter.publish(part, key or uuid.uuid4().hex)
            except Exception as raised:
                error = raised
                raise
        return Outcome(verdict(receipt), ref, error, receipt)


def visit(house: House, url: str, *, within: float = WITHIN) -> Visitor:
    """An account at this address, of a house whose gates are open."""
    account = account_at(url)
    return Visitor(house, account, connect(account, makers(), answer_within=within))


def now() -> int:
    """The wall clock in ms."""
    return time.time_ns() // 1_000_000
