"""`guardian demo`: the whole story holds, and nothing of it is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.cli.demo_incident import Incident
from guardian.cli.demo_stage import Stage
from guardian.cli.demo_telling import Telling, Untrue
from guardian.evidence import signing
from tests.evidence.building import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.evidence.bundle import Bundle

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


@pytest.fixture
def place() -> Iterator[Path]:
    """A short address: a house of the story has sockets in it, and a socket's address is short."""
    with tempfile.TemporaryDirectory(prefix="g-") as found:
        yield Path(found)


def test_the_whole_story_holds_and_leaves_nothing_behind(place: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(place)}
    ran = subprocess.run(DEMO, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    for claim in (
        "0 publishing requests arrived after the freeze had answered",
        "one DELETE, and it names this post",
        "after the proof was sealed on the disk",
        "whoever opens its address gets a 410",
        "the words and the picture are in it, byte for byte",
        "so is the picture as the platform served it; the card shows it",
        "nothing of the joke is on the platform's timeline any more",
        "the scheduled one was looked at, and left alone: nobody had said --native",
        "written twice, and the same",
    ):
        assert claim in ran.stdout, claim
    in_short = ran.stdout.partition("In short")[2]
    for ended in ("gone, both parts, read back", "by guardian evidence verify; 5 of the 5 lines", "report.html"):
        assert ended in in_short, ended
    assert list(place.iterdir()) == []
    assert left_of(place) == []


def test_a_demo_that_is_broken_off_takes_everything_with_it(place: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(place)}
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
    assert list(place.iterdir()) == []
    end = time.monotonic() + 5
    while left_of(place) and time.monotonic() < end:  # a command of the story may be on its way out
        time.sleep(0.05)
    assert left_of(place) == []


@pytest.fixture
def told() -> Iterator[tuple[Incident, list[str]]]:
    """The chapters of the incident on an empty stage, and what they say."""
    said: list[str] = []
    with_words = {word: signal.getsignal(word) for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Stage() as stage:
        yield Incident(Telling(stage, said.append)), said
    for word, what in with_words.items():
        signal.signal(word, what)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    signing.make(tmp_path / "evidence.key")
    return filled(tmp_path / "evidence", signing.load(tmp_path / "evidence.key"))


def tools_in(place: Path, *names: str) -> str:
    """A PATH with these programs and no others."""
    place.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None, name
        (place / name).symlink_to(found)
    return str(place)


def test_a_debian_without_ssh_keygen_is_told_so_and_nothing_is_claimed_for_it(
    told: tuple[Incident, list[str]], bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident, said = told
    monkeypatch.setenv("PATH", tools_in(tmp_path / "bin", "sha256sum", "ls", "tail", "sed", "date", "openssl"))
    summary = incident.with_stock_tools(bundle.path)
    assert summary == "4 of the 5 lines of its README hold, with stock tools; the others could NOT be run here"
    assert incident.telling.not_checked == ["a line of the README that needs ssh-keygen (Debian: openssh-client)"]
    assert "     not here: ssh-keygen (Debian: openssh-client); this line was NOT run" in said
    assert incident.telling.claims == 5  # the four lines, and that there were some


def test_a_bundle_that_was_changed_ends_the_demo(told: tuple[Incident, list[str]], bundle: Bundle) -> None:
    incident, said = told
    with (bundle.path / "README.txt").open("a") as readme:
        readme.write("\n")
    with pytest.raises(Untrue):
        incident.with_stock_tools(bundle.path)
    assert any("README.txt: FAILED" in line for line in said)
