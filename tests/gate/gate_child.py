"""`python -m tests.gate.gate_child STATE RUN URL [refusing]`: a large post in a process of its own.

Prints the verdict when it lives to tell it. With `refusing` its kernel is one of those that refuse to disconnect a
socket (6.1.32 to October 2023): the call does nothing.
"""

from __future__ import annotations

import contextlib
import sys
from types import SimpleNamespace

from guardian.adapter import Kind
from guardian.fence import passage
from guardian.fence.house import House
from guardian.gate import wire
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Intent, declare
from guardian.gate.verdicts import verdict
from guardian.model import Part
from tests.gate.gate_door import account_at

LENGTH = 100_000
ANSWER_WITHIN = 20.0


def main(state: str, run: str, url: str, kernel: str = "") -> None:
    """Publish, and say what came of it."""
    if kernel == "refusing":
        wire._libc = SimpleNamespace(connect=lambda *_: -1)  # type: ignore[assignment]
    account = account_at(url)
    adapter = connect(account, makers(), answer_within=ANSWER_WITHIN)
    intent = Intent(Kind.PUBLISH, account.name, passage.look(House(state, run), account.scopes))
    with declare(intent) as receipt, contextlib.suppress(Exception):
        adapter.publish(Part(text="x" * LENGTH), "key")
    print(type(verdict(receipt)).__name__, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
