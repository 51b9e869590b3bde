"""`python -m guardian.conformance MODULE:BENCH`: the table of promises, for an adapter's author without pytest.

BENCH is a context manager that makes a `Bench`. Exit: 0 every promise is kept, 1 one is broken, 2 wrong use.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter

from guardian.conformance import CASES, run

USAGE = "python -m guardian.conformance MODULE:BENCH"
WORDS = ("held", "not offered", "not played", "broken")
OK, BROKEN, WRONG_USE = 0, 1, 2


def main(words: list[str]) -> int:
    """Play everything, and count."""
    module, colon, name = (words[0] if len(words) == 1 else "").partition(":")
    if not colon:
        print(f"cannot run, because no bench is named, do {USAGE}", file=sys.stderr)  # noqa: T201 (a program)
        return WRONG_USE
    with getattr(importlib.import_module(module), name)() as bench:
        outcomes = run(CASES, bench)
    for one in outcomes:
        print(f"{one.word:<12} {one.case}" + (f"\n{'':<13}{one.why}" if one.why else ""))  # noqa: T201 (the same)
    counted = Counter(one.word for one in outcomes)
    print(", ".join(f"{counted[word]} {word}" for word in WORDS))  # noqa: T201 (the same)
    return BROKEN if counted["broken"] else OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
