"""`python -m tests.torture`: the proof. Every row that holds is one line; exit 0 only if all of them do."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback

from tests.torture.catalogue import ROWS
from tests.torture.results import HEAD, NotRunError, Options, Result


def main() -> int:
    """Run the rows that were named, or all."""
    given = _given()
    if given.list:
        print("\n".join(ROWS))
        return 0
    unknown = [name for name in given.rows if name not in ROWS]
    if unknown:
        print(f"cannot run {unknown[0]!r}, because there is no such row, do choose from: {', '.join(ROWS)}")
        return 2
    options = Options(seed=given.seed, freezes=given.freezes, short=given.short, loud=True)
    print(f"seed {options.seed}, {options.freezes} random freezes\n{HEAD}", flush=True)
    began = time.monotonic()
    verdicts = [_run(name, options) for name in given.rows or ROWS]
    held = [verdict for verdict in verdicts if verdict is not None]
    print(f"{sum(held)} of {len(held)} rows hold, {time.monotonic() - began:.0f} s, seed {options.seed}")
    if len(held) < len(verdicts):
        print(f"{len(verdicts) - len(held)} rows were not run: no verdict on them")
    return 0 if held and all(held) else 1


def _run(name: str, options: Options) -> bool | None:
    """Whether the row holds; None when it cannot be run here."""
    began = time.monotonic()
    try:
        result = ROWS[name](options)
    except NotRunError as error:
        print(f"{name:<24}{'':>34}  not run: {error}", flush=True)
        return None
    except Exception as error:  # noqa: BLE001 (a row that breaks does not hold, and the others are still run)
        traceback.print_exc()
        result = Result(name=name, trials=0, late=0, lost=0, double=0, worst=0.0, holds=False, note=str(error)[:300])
    print(f"{result.line()}  ({time.monotonic() - began:.1f} s)", flush=True)
    return result.holds


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="default: all of them")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)), help="default: a new one")
    parser.add_argument("--freezes", type=int, default=200, help="how many in the row `random` (200)")
    parser.add_argument("--short", action="store_true", help="the slice that the tests run")
    parser.add_argument("--list", action="store_true", help="name the rows")
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    sys.exit(main())
