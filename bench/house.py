"""A house to be measured: a temporary directory, a sink, as many accounts as wanted, a daemon, and posts for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from guardian.client import Client
from guardian.fence.house import House
from tests.torture.daemon import ROOT, DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY = Path("/dev/shm")  # noqa: S108 (a fresh directory is made in it)
GLANCE = 0.02
WITHIN = 120.0


class Sink:
    """`bench/sink.py`, or another program like it, as a process; ended with the block that it is used in."""

    def __init__(self, accounts: Sequence[str], program: str = "bench.sink") -> None:
        words = [sys.executable, "-m", program]
        for account in accounts:
            words += ["--account", account]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.url: str = said["url"]
        self.place: str = said["place"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=WITHIN)

    def count(self) -> int:
        """How many posts have come since `clear`."""
        return int(self._ask("GET", "count"))

    def arrivals(self) -> list[tuple[int, float, int]]:
        """Each of them: monotonic ns, wall ms, and the number in its text."""
        return [(one[0], one[1], one[2]) for one in self._ask("GET", "arrivals")]

    def clear(self) -> None:
        """Forget them."""
        self._ask("DELETE", "arrivals")

    def wait(self, count: int, within: float = 60.0) -> None:
        """Until so many have come. Raises TimeoutError."""
        until = time.monotonic() + within
        while (come := self.count()) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{come} of {count} posts came within {within:g} s")
            time.sleep(GLANCE)

    def _ask(self, method: str, what: str) -> Any:  # noqa: ANN401 (a JSON document)
        request = urllib.request.Request(f"{self.url}/bench/{what}", method=method)  # noqa: S310 (on loopback)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (as above)
            return json.load(answer)


class BenchHouse:
    """Use it in a `with`: whatever it started is ended by pid, and its directories are removed."""

    def __init__(self, accounts: Sequence[str], sink: Sink) -> None:
        self.accounts = tuple(accounts)
        self.directory = Path(tempfile.mkdtemp(prefix="bench-"))
        self._memory = Path(tempfile.mkdtemp(prefix="bench-", dir=MEMORY if MEMORY.is_dir() else None))
        self.house = House(str(self.directory / "state"), str(self._memory / "run"))
        self.config = self.directory / "guardian.toml"
        self.daemon: DaemonProcess | None = None
        self._entered = 0
        self._write(sink)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.daemon is not None and self.daemon.process.poll() is None:
            self.daemon.kill()
        shutil.rmtree(self._memory, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _write(self, sink: Sink) -> None:
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"']
        for name in self.accounts:
            secret = self.directory / f"{name}.token"
            secret.touch(0o600)
            secret.write_text(f"rehearsal-{name}\n", "utf-8")
            lines += [
                f"[accounts.{name}]", 'platform = "mastodon"', f'brand = "{name}"', f'base_url = "{sink.url}"',
                f'identity = "@{name}@{sink.place}"', f"[accounts.{name}.secrets]", f'token = "file:{secret}"',
            ]  # fmt: skip
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def start(self, *, ready: bool = True) -> DaemonProcess:
        """The daemon's next life."""
        self.daemon = DaemonProcess(self.house, self.config, self.directory / "daemon.log")
        if ready:
            self.daemon.wait_ready()
        return self.daemon

    def stop(self) -> None:
        """A clean end of it."""
        if self.daemon is not None:
            self.daemon.terminate()

    @property
    def client(self) -> Client:
        """Speaks to the daemon."""
        return Client(self.house, within=WITHIN)

    def records(self, count: int, *, first: datetime | None = None, step: float = 0.0) -> str:
        """So many records as JSON Lines, round the accounts; the first at `first` or now, each `step` s after that."""
        begin, known = first or datetime.now(UTC), self._entered
        self._entered += count
        return "\n".join(
            json.dumps({
                "account": self.accounts[place % len(self.accounts)],
                "at": (begin + timedelta(seconds=step * place)).isoformat(timespec="milliseconds"),
                "text": f"post {known + place}",
            })
            for place in range(count)
        )  # fmt: skip

    def feed(self, count: int, *, first: datetime | None = None, step: float = 0.0) -> list[str]:
        """Import such records; their ids."""
        answer = self.client.post("/v1/posts/import", {"text": self.records(count, first=first, step=step)})
        if answer["errors"] or answer["entered"] != count:
            raise AssertionError(f"the import was refused: {answer}")
        return list(answer["ids"])

    def counts(self) -> dict[str, int]:
        """How many posts are in which state."""
        return dict(self.client.get("/v1/status")["counts"])


def names(count: int) -> list[str]:
    """Names of so many accounts."""
    return [f"account-{place:02d}" for place in range(count)]


def memory(pid: int, what: str = "VmRSS") -> float:
    """What a process has in memory (`VmRSS`), or had at the most since `forget_peak` (`VmHWM`), in MB."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"the kernel does not say {what} of {pid}")


def forget_peak(pid: int) -> None:
    """Count the peak of its memory from now on, where the kernel allows it."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", "utf-8")
