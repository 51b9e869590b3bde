"""A year's plan through a real daemon: 100,000 lines of CSV with seven mistakes, then right, then again; and out.

`python -m bench.importing [LINES]` prints how long each took, the memory of the daemon, another change's longest wait.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

from guardian.fence.telling import ask
from guardian.rehearsal import RehearsalPlatform
from tests.cli.conftest import NAMES, Place

LINES = 100_000
HEAD = "account,at,zone,text,tags,ref"
ELSEWHERE = {"account": "beta", "at": "2099-01-01T00:00:00Z", "text": "meanwhile"}


def row(number: int) -> str:
    """One post, with quotes and a line end in its text."""
    at = f"2090-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00"
    text = f'"Number {number}, ""quoted""\r\nand of a usual length, with a link https://example.org/{number}"'
    return f"acme,{at},Europe/Stockholm,{text},launch q4,r{number}"


def spoiled(rows: list[str]) -> list[str]:
    """The same with seven mistakes, each of another kind."""
    bad, step = list(rows), len(rows) // 8
    bad[step] = bad[step].replace("acme", "acne", 1)
    bad[2 * step] = bad[2 * step].replace("2090-", "2020-", 1)
    bad[3 * step] = "acme,soon,,x,,"
    bad[4 * step] = "acme,now,,x,,,"
    bad[5 * step] = bad[5 * step].replace("Number", "x" * 600, 1)
    bad[6 * step] = "acme,2090-01-01T00:00:00,Mars/Base,x,,"
    bad[7 * step] = bad[7 * step].replace(f",r{7 * step}", ",r0")
    return bad


class Beside:
    """Another one's small changes, one after the other; how long the slowest took. Use it in a `with`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.worst = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Beside:  # noqa: PYI034 (used once)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            began = time.monotonic()
            ask(self.place.house.socket, "POST", "/v1/posts", ELSEWHERE, within=60)
            self.worst = max(self.worst, time.monotonic() - began)


def measure(place: Place, file: Path, rows: list[str]) -> None:
    """Everything, once."""
    for name, found in (("seven mistakes", spoiled(rows)), ("right", rows), ("again", rows)):
        file.write_text("\r\n".join([HEAD, *found, ""]), encoding="utf-8", newline="")
        with Beside(place) as beside:
            began = time.monotonic()
            ran = place.program("queue", "import", str(file), timeout=600)
            took = time.monotonic() - began
        print(
            f"{name}: {took:.1f} s, exit {ran.returncode}, {ran.stdout.strip()}; {memory(place)}; {beside.worst:.2f} s"
        )
        print("\n".join(line[-160:] for line in ran.stderr.splitlines()[:9]))
    for form in ("csv", "jsonl"):
        began = time.monotonic()
        out = file.parent / f"out.{form}"
        ran = place.program("queue", "export", str(out), "--account", "acme", timeout=600)
        print(f"export: {time.monotonic() - began:.1f} s, exit {ran.returncode}, {ran.stdout.strip()}; {memory(place)}")


def memory(place: Place) -> str:
    """The most that the daemon ever had."""
    assert place.daemon is not None
    lines = Path(f"/proc/{place.daemon.pid}/status").read_text(encoding="ascii").splitlines()
    return next(f"{int(line.split()[1]) >> 10} MiB" for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run it in a directory that is gone afterwards."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    with tempfile.TemporaryDirectory() as base, RehearsalPlatform(NAMES) as platform:
        place = Place(Path(base), platform)
        place.write()
        assert place.program("init").returncode == 0
        try:
            place.start()
            place.wait(lambda: all(one["trouble"] is None for one in place.get("/v1/status")["accounts"]))
            measure(place, Path(base) / "plan.csv", [row(number) for number in range(lines)])
        finally:
            place.stop()


if __name__ == "__main__":
    main()
