"""`guardian demo`: the whole story holds, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DEMO = (sys.executable, "-m", "guardian", "demo")


def left_of(place: Path) -> list[str]:
    """Processes that have anything to do with a directory: by their environment, as the kernel has it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place).encode() in (process / "environ").read_bytes() and process.name != str(os.getpid()):
                found.append((process / "cmdline").read_bytes().decode().replace("\0", " "))
        except OSError:
            continue
    return found


def test_the_whole_story_holds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(DEMO, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    assert "0 publishing requests arrived after the freeze had answered" in ran.stdout
    assert "In short" in ran.stdout
    assert list(tmp_path.iterdir()) == []
    assert left_of(tmp_path) == []


def test_a_demo_that_is_broken_off_takes_everything_with_it(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as demo:
        try:
            assert demo.stdout is not None
            while "queue add" not in demo.stdout.readline():  # by now the platform and the daemon run
                assert demo.poll() is None
            demo.send_signal(signal.SIGINT)
            _, said = demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert (demo.returncode, said) == (130, "")
    assert list(tmp_path.iterdir()) == []
    end = time.monotonic() + 5
    while left_of(tmp_path) and time.monotonic() < end:  # a command of the story may be on its way out
        time.sleep(0.05)
    assert left_of(tmp_path) == []
