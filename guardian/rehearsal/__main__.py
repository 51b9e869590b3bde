"""`python -m guardian.rehearsal`: the platform as a process of its own; says where it listens as one JSON line."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import signal
import sys

from guardian.rehearsal.platform import RehearsalPlatform
from guardian.rehearsal.rates import DELETE_SECONDS, DeleteLimit

_PR_SET_PDEATHSIG = 1
_EPILOG = (
    "The token of account NAME is rehearsal-NAME, its identity @NAME@HOST:PORT; the page at the address shows what was "
    "posted. Example: python -m guardian.rehearsal --port 8473 --account acme"
)


def main() -> int:
    """Run until SIGTERM or SIGINT, or until the parent dies if so asked."""
    options = _options().parse_args()
    parent = os.getppid()
    # Blocked before any thread exists, so that every thread inherits it and `sigwait` is the one that gets the signal.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    if options.with_parent and not _die_with(parent):
        return 0
    platform = RehearsalPlatform(
        options.account or ("acme", "beta"),
        port=options.port,
        certfile=options.certfile,
        keyfile=options.keyfile,
        enforce_rate_limit=options.enforce_rate_limit,
        deletes=None if options.delete_limit is None else _deletes(options.delete_limit),
    )
    with platform:
        print(json.dumps({"url": platform.url, "pid": os.getpid()}), flush=True)
        signal.sigwait(ends)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m guardian.rehearsal", description=__doc__, epilog=_EPILOG)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--account", action="append", metavar="NAME", help="may be given again; default acme and beta")
    parser.add_argument("--certfile", help="speak TLS with this certificate chain")
    parser.add_argument("--keyfile", help="its key, if it is not in the same file")
    parser.add_argument("--enforce-rate-limit", action="store_true", help="answer 429 after 300 requests in 5 minutes")
    parser.add_argument(
        "--delete-limit", metavar="N/SECONDS", help="answer 429 after N deletions in so many seconds, as 30/1800"
    )
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one dies")
    return parser


def _deletes(text: str) -> DeleteLimit:
    found = re.fullmatch(r"(\d{1,6})(?:/(\d{1,6}(?:\.\d+)?))?", text)
    if found is None or not int(found[1]) or (found[2] and not float(found[2])):
        raise SystemExit(f"cannot limit deletions to {text}, because that is no limit, do say N/SECONDS, as 30/1800")
    return DeleteLimit(limit=int(found[1]), seconds=float(found[2] or DELETE_SECONDS))


def _die_with(parent: int) -> bool:
    """Have the kernel send SIGTERM when the parent dies; False if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


if __name__ == "__main__":
    sys.exit(main())
