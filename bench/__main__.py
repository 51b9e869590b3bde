"""`make bench`: runs every benchmark, or the ones that are named; prints ratios and writes docs/performance.md."""

from __future__ import annotations

import compileall
import os
import platform
import signal
import sys
import time

from bench import accounts, dispatch, growth, intake, lateness, starting, stop, takedown
from tests.torture.daemon import ROOT

BENCHES = {
    "stop": stop.run,
    "growth": growth.run,
    "dispatch": dispatch.run,
    "lateness": lateness.run,
    "starting": starting.run,
    "accounts": accounts.run,
    "intake": intake.run,
    "takedown": takedown.run,
}


def main(wanted: list[str]) -> int:
    """Run these, or all; the exit code."""
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        print(
            f"cannot measure {unknown[0]!r}, because there is no such benchmark, do choose from: {', '.join(BENCHES)}"
        )
        return 2
    print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} processors")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that whoever was started is ended, too
    as_installed()
    for name in wanted or BENCHES:
        began = time.monotonic()
        print(f"\n{name}", flush=True)
        BENCHES[name]()
        print(f"  {name} took {time.monotonic() - began:.0f} s", flush=True)
    return 0


def as_installed() -> None:
    """Compiled, as an installed package is: otherwise every start would compile, and the interpreter be measured."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for folder in ("guardian", "adapters"):
        compileall.compile_dir(ROOT / folder, quiet=1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
