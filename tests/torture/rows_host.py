"""Rows about what a host does to a process: no descriptors, no memory, no threads, killed for its memory, frozen.

The command is a process of its own, so that whatever the daemon has run out of, the stop has not. Control groups are
those of version 1 (freezer, memory, pids) and of version 2 (cgroup.freeze), for root, where the machine has them.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.fence import telling
from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.torture.daemon import DaemonProcess
    from tests.torture.history import Stop
    from tests.torture.results import Options

GROUPS = Path("/sys/fs/cgroup")
UNIFIED = (GROUPS / "unified", GROUPS)
DRAIN = 0.5
SPARE_DESCRIPTORS = 1
SPARE_MEMORY = 2 << 20
MOST_MEMORY_KB = 600 << 10


def exhausted(options: Options) -> Result:
    """Descriptors, memory and threads of the daemon at their end: CONFIRMED, nothing late; then it recovers."""
    starve = (_no_descriptors, _no_threads, _no_memory)
    wrong, trials = "", options.times(2 * len(starve), len(starve))
    with TorturedHouse() as house:
        daemon = house.start()
        for trial in range(trials):
            house.feed(16, at=_soon(0.3), over=2.0)
            time.sleep(0.5)
            with starve[trial % len(starve)](daemon):
                _poke(house)
                stop = house.freeze(door=(doors.by_command, doors.by_json)[trial // len(starve) % 2], drain=DRAIN)
                wrong = wrong or _unless_confirmed(stop, starve[trial % len(starve)].__name__)
                time.sleep(0.5)
            daemon = _alive_again(house, daemon)
            wrong = wrong or _unless_in_the_books(house)
            house.thaw(*SCOPES)
            wrong = wrong or _unless_open(house)
            options.progress("host-exhausted", trial + 1, trials)
        publish_all(house)
        return Result.of("host-exhausted", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def killed_for_memory(options: Options) -> Result:
    """The kernel ends the daemon because its group has no memory left: CONFIRMED, and the next one starts frozen."""
    wrong, trials = "", options.times(4, 1)
    with TorturedHouse() as house:
        for trial in range(trials):
            daemon = house.start()
            house.thaw(*SCOPES)
            house.feed(16, over=2.0)
            with _group("memory", daemon.pid) as group:
                used = int((group / "memory.usage_in_bytes").read_text("ascii"))
                (group / "memory.limit_in_bytes").write_text(str(used + SPARE_MEMORY), "ascii")
                body = {"text": "x" * (60 << 20)}
                with contextlib.suppress(OSError):
                    telling.ask(house.house.socket, "POST", "/v1/posts/import", body, within=20.0)
                code = daemon.wait_dead()
            wrong = wrong or ("" if code == -signal.SIGKILL else f"the kernel did not end it: {code}")
            stop = house.freeze(drain=DRAIN)
            wrong = wrong or _unless_confirmed(stop, "after the end")
            daemon = house.start()
            wrong = wrong or _unless_in_the_books(house)
            daemon.terminate()
            options.progress("host-out-of-memory", trial + 1, trials)
        _publish_all(house)
        return Result.of("host-out-of-memory", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def frozen_group(options: Options) -> Result:
    """`docker pause` in the middle of a send: version 1 cannot kill it, so NOT CONFIRMED; version 2 can. Never late."""
    wrong, trials = "", options.times(6, 2)
    with TorturedHouse() as house:
        for trial in range(trials):
            old = trial % 2 == 0
            daemon = house.start(failpoints="gate.checked=sleep:1@3")
            house.thaw(*SCOPES)
            house.feed(12)
            _wait_inside(house, daemon)
            with _group("freezer" if old else "", daemon.pid) as group:
                _freeze(group, yes=True, old=old)
                stop = house.freeze(drain=DRAIN)
                if old and (stop.code != 10 or f"pid {daemon.pid}" not in stop.said):
                    wrong = wrong or f"frozen by version 1: {stop.code} {stop.said[:400]}"
                _freeze(group, yes=False, old=old)
                daemon.wait_dead()
            again = house.freeze(drain=DRAIN)
            wrong = wrong or _unless_confirmed(again if old else stop, "thawed" if old else "version 2")
            time.sleep(0.3)
            daemon = house.start()
            daemon.terminate()
            options.progress("host-frozen-group", trial + 1, trials)
        _publish_all(house)
        return Result.of("host-frozen-group", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def crowded(options: Options) -> Result:
    """A hundred thousand posts, five hundred of them due at once: CONFIRMED within the drain, in bounded memory."""
    many, due = options.times(100_000, 3_000), options.times(500, 100)
    with TorturedHouse() as house:
        daemon = house.start()
        later = datetime.now(UTC) + timedelta(days=1)
        for left in range(many, 0, -10_000):
            house.feed(min(10_000, left), at=later, over=3600.0)
        waiting = len(house.imported)
        house.feed(due)
        time.sleep(0.3)
        stop = house.freeze(drain=5.0)
        wrong = _unless_confirmed(stop, "crowded")
        if (stop.elapsed or 0) > 5000 or stop.killed:
            wrong = wrong or f"it took {stop.elapsed} ms, killed: {stop.killed}"
        time.sleep(0.5)
        counts = house.counts()
        memory = _peak(daemon.pid)
        if counts["queued"] < waiting or counts["queued"] + counts["missed"] + counts["published"] < waiting + due:
            wrong = wrong or f"posts are missing: {dict(counts)}"
        if memory > MOST_MEMORY_KB:
            wrong = wrong or f"the daemon took {memory >> 10} MB"
        note = f"{many + due} posts, {memory >> 10} MB"
        return Result.of("crowded", 1, house.judge(), worst=house.history.worst, wrong=wrong, note=note)


@contextlib.contextmanager
def _no_descriptors(daemon: DaemonProcess) -> Iterator[None]:
    used = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
    with _limit(daemon, resource.RLIMIT_NOFILE, used - SPARE_DESCRIPTORS):
        yield


@contextlib.contextmanager
def _no_memory(daemon: DaemonProcess) -> Iterator[None]:
    pages = int(Path(f"/proc/{daemon.pid}/statm").read_text("ascii").split()[0])
    with _limit(daemon, resource.RLIMIT_AS, pages * resource.getpagesize()):
        yield


@contextlib.contextmanager
def _no_threads(daemon: DaemonProcess) -> Iterator[None]:
    with _group("pids", daemon.pid) as group:
        used = len(list(Path(f"/proc/{daemon.pid}/task").iterdir()))
        (group / "pids.max").write_text(str(used), "ascii")
        yield


@contextlib.contextmanager
def _limit(daemon: DaemonProcess, what: int, value: int) -> Iterator[None]:
    """A soft limit on a running process, as `prlimit` sets it."""
    soft, hard = resource.prlimit(daemon.pid, what)
    resource.prlimit(daemon.pid, what, (value, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(daemon.pid, what, (soft, hard))


@contextlib.contextmanager
def _group(kind: str, pid: int) -> Iterator[Path]:
    """A control group with the process in it; whoever is left in it at the end goes back to the top."""
    top = GROUPS / kind if kind else unified()
    assert top is not None
    group = top / f"torture-{pid}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(pid), "ascii")
        yield group
    finally:
        for left in (group / "cgroup.procs").read_text("ascii").split():
            with contextlib.suppress(OSError):
                (top / "cgroup.procs").write_text(left, "ascii")
        until = time.monotonic() + 5
        while group.exists() and time.monotonic() < until:
            with contextlib.suppress(OSError):
                group.rmdir()
            time.sleep(0.02)


def unified() -> Path | None:
    """Where the control groups of version 2 are, if they are."""
    return next((top for top in UNIFIED if (top / "cgroup.controllers").exists()), None)


def _freeze(group: Path, *, yes: bool, old: bool) -> None:
    """Stop or resume every thread of the group, and wait until it is so."""
    if old:
        _write_until(group / "freezer.state", "FROZEN" if yes else "THAWED", group / "freezer.state")
    else:
        _write_until(group / "cgroup.freeze", "1" if yes else "0", group / "cgroup.events", f"frozen {int(yes)}")


def _write_until(place: Path, word: str, shown: Path, says: str = "") -> None:
    place.write_text(word, "ascii")
    until = time.monotonic() + 5
    while (says or word) not in shown.read_text("ascii"):
        assert time.monotonic() < until, f"{place} did not become {word}"
        time.sleep(0.005)


def _wait_inside(house: TorturedHouse, daemon: DaemonProcess) -> None:
    """Until the daemon holds a gate: it sleeps between the last look and the first byte."""
    inode = Path(house.house.gate("all")).stat().st_ino
    until = time.monotonic() + 20
    while not any(f" {daemon.pid} " in line and f":{inode} " in line for line in _locks()):
        assert time.monotonic() < until, "no send came"
        time.sleep(0.005)
    time.sleep(0.2)  # long enough for those that only pass; the one that sleeps stays
    assert any(f" {daemon.pid} " in line and f":{inode} " in line for line in _locks()), "nobody sleeps inside"


def _locks() -> list[str]:
    return Path("/proc/locks").read_text("ascii").splitlines()


def _poke(house: TorturedHouse) -> None:
    """Requests that the daemon cannot serve well now; whatever it answers, it must live."""
    for path in ("/v1/status", "/v1/posts", "/v1/status"):
        with contextlib.suppress(OSError):
            telling.ask(house.house.socket, "GET", path, within=1.0)


def _publish_all(house: TorturedHouse) -> None:
    """Nothing was lost by all that."""
    house.start()
    house.thaw(*SCOPES)
    publish_all(house)


def _alive_again(house: TorturedHouse, daemon: DaemonProcess) -> DaemonProcess:
    """The same daemon if it came through, else the next one, as the supervisor starts it."""
    if daemon.process.poll() is None:
        with contextlib.suppress(GuardianError):
            daemon.wait_ready()
            return daemon
        daemon.kill()
    return house.start()


def _unless_confirmed(stop: Stop, what: str) -> str:
    if stop.confirmed_at is None or stop.code != 0:
        return f"{what}: {stop.code} {stop.said[:500]}"
    return ""


def _unless_in_the_books(house: TorturedHouse) -> str:
    """The daemon comes to know of the freeze, and of exactly that one."""
    wanted = house.history.stops[-1].scopes
    if not _soon_true(lambda: bool(house.standing())):
        return "the books do not know of the freeze"
    found = [freeze["scope"] for freeze in house.client.get("/v1/status")["freezes"]]
    return "" if found == list(wanted) else f"the books know of freezes that nobody ordered: {found}"


def _unless_open(house: TorturedHouse) -> str:
    return "" if _soon_true(lambda: house.client.get("/v1/status")["state"] == "open") else "it is not open again"


def _soon_true(true: Callable[[], bool], within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _peak(pid: int) -> int:
    """The most memory that the process ever had, in KB."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
