"""Power loss: what was promised was on the disk before it was said, by the kernel's own list of calls (strace)."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace to see the order of the calls"),
]

CALLS = "fdatasync,fsync,pwrite64,sendto,sendmsg,write,recvfrom,unlink"
DONE_WITHIN = 20.0
KEY = re.compile(r"Idempotency-Key: ([^\\]+)\\r")


def calls_of(place: Path) -> list[str]:
    """The calls in the order in which they *began* for those that say something, *ended* for the syncs.

    A sync that strace saw interrupted by another thread counts from its second line on.
    """
    begun: dict[str, str] = {}
    found = []
    for line in place.read_text("utf-8", "replace").splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>") and call.startswith(("fsync", "fdatasync", "unlink")):
            begun[pid] = call
        elif call.startswith(("<... fsync", "<... fdatasync", "<... unlink")):
            found.append(begun.pop(pid, "") + call)
        else:
            found.append(call)
    return found


def where(calls: list[str], *words: str, start: int = 0) -> int:
    """The place of the first call that has all these words."""
    for place in range(start, len(calls)):
        if all(word in calls[place] for word in words):
            return place
    raise AssertionError(f"no call with {words} after {start} of {len(calls)}")


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[tuple[TorturedHouse, Path]]:
    """A house whose running daemon is traced."""
    seen = tmp_path / "calls"
    with TorturedHouse() as house:
        daemon = house.start()
        words = ["strace", "-f", "-y", "-s", "9000", "-e", f"trace={CALLS}", "-o", str(seen), "-p", str(daemon.pid)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            if "attached" not in strace.stderr.readline():
                pytest.skip("this machine lets nobody trace a process")
            try:
                yield house, seen
            finally:
                strace.send_signal(signal.SIGINT)
                strace.wait(DONE_WITHIN)


def read_when(seen: Path, *words: str) -> list[str]:
    """The calls, as soon as one with these words is among them."""
    until = time.monotonic() + DONE_WITHIN
    while True:
        calls = calls_of(seen)
        if any(all(word in call for word in words) for call in calls):
            return calls
        assert time.monotonic() < until, f"{words} did not come"
        time.sleep(0.05)


def test_a_post_is_on_the_disk_before_the_daemon_says_that_it_was_taken(traced: tuple[TorturedHouse, Path]) -> None:
    house, seen = traced
    text = "the words that must survive"
    answer = house.client.post("/v1/posts", {"account": "north-a", "at": "2031-01-01T00:00:00Z", "text": text})
    said = ("sendto(", answer["post"]["id"])  # no answer of a platform, and none to another question, has the id
    calls = read_when(seen, *said)
    written = where(calls, "pwrite64(", "-wal>", text)
    synced = where(calls, "datasync", "-wal>", "= 0", start=written)
    assert written < synced < where(calls, *said)


def test_an_intent_is_on_the_disk_before_a_byte_of_its_request_is_written(traced: tuple[TorturedHouse, Path]) -> None:
    """After a power cut the post is unknown and asked about; without the intent it would be sent again."""
    house, seen = traced
    house.feed(1, at=datetime.now(UTC), accounts=("north-a",))
    calls = read_when(seen, "POST /api/v1/statuses")
    sent = next(place for place, call in enumerate(calls) if "POST /api/v1/statuses" in call and "sendto(" in call)
    key = KEY.search(calls[sent])
    assert key is not None
    written = where(calls, "pwrite64(", "-wal>", key[1])
    assert written < where(calls, "datasync", "-wal>", "= 0", start=written) < sent


def test_durable_is_said_when_the_permit_is_gone_from_the_disk_and_the_disk_is_touched_after_confirmed(
    tmp_path: Path,
) -> None:
    seen = tmp_path / "calls"
    with TorturedHouse() as house:
        house.start()
        trace = ["strace", "-f", "-y", "-s", "200", "-e", "trace=%file,fsync,fdatasync,write", "-o", str(seen)]
        freeze = [sys.executable, "-m", "guardian", "freeze", "--config", str(house.config)]
        done = subprocess.run([*trace, *freeze], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)
        if "Operation not permitted" in done.stderr:
            pytest.skip("this machine lets nobody trace a process")
        assert done.returncode == 0, done.stdout + done.stderr
        calls = calls_of(seen)
        state = house.house.state_dir
        permits = house.house.permits
        durable = house.house.durable("all")
        confirmed = where(calls, "write(1", "FROZEN  CONFIRMED")
        touched = [call for call in calls[:confirmed] if state in call and not call.startswith("execve")]
        assert touched == []
        removed = where(calls, "unlink(", durable, "= 0")
        synced = where(calls, "fsync(", f"<{permits}>", "= 0", start=removed)
        assert confirmed < removed < synced < where(calls, "write(1", "durable     yes")
