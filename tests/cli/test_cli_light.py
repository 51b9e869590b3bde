"""Nobody pays for a platform that no account uses: its library is loaded when an account needs it, and never before."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake
from guardian.gate.accounts import known_secrets, makers
from guardian.rehearsal import RehearsalPlatform
from tests.cli.conftest import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARIES = {"mastodon", "tweepy", "praw", "prawcore", "atproto", "atproto_client", "httpx", "httpcore", "mine"}
SHOWS = """
import sys
from guardian.__main__ import main
try:
    sys.exit(main())
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture
def mined(tmp_path: Path) -> Iterator[Place]:
    """A house beside which a third party's adapter is installed, and to load that one is the end of the program."""
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[guardian.adapters]\nmine = mine:MAKER\n")
    (tmp_path / "mine.py").write_text('raise RuntimeError("somebody stepped on it")\n')
    with RehearsalPlatform(("acme", "beta")) as platform:
        found = Place(tmp_path, platform)
        found.write()
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "run").mkdir()
        yield found


def ran(place: Place, *words: str) -> tuple[int, str, set[str]]:
    """A command as a process of its own: its code, what it said, and what it has loaded."""
    environment = {**os.environ, "GUARDIAN_CONFIG": str(place.config), "PYTHONPATH": f".:{place.base}"}
    command = [sys.executable, "-c", SHOWS, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    said, _, modules = done.stderr.rstrip().rpartition("\n")
    return done.returncode, done.stdout + said, {name.partition(".")[0] for name in modules.split()}


@pytest.mark.parametrize("words", [("status",), ("queue", "list"), ("capabilities", "--json"), ("--help",)])
def test_a_command_loads_no_platform_library(mined: Place, words: tuple[str, ...]) -> None:
    _, said, loaded = ran(mined, *words)
    assert "guardian" in loaded, said
    assert not (LIBRARIES | {"adapters"}) & loaded


def test_the_configuration_is_checked_with_the_adapters_that_it_names_and_no_other(mined: Place) -> None:
    code, said, loaded = ran(mined, "config", "check")
    assert (code, "mastodon" in loaded) == (0, True), said
    assert loaded & LIBRARIES == {"mastodon"}


def test_the_daemon_loads_the_libraries_of_its_accounts_and_no_other(mined: Place) -> None:
    environment = {**os.environ, "PYTHONPATH": f".:{mined.base}"}
    command = [sys.executable, "-X", "importtime", "-m", "guardian", "run", "--config", str(mined.config)]
    with (mined.base / "daemon.log").open("ab") as log:
        mined.daemon = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        mined.wait(mined.answers)
        told = mined.get("/v1/capabilities")
    finally:
        mined.stop()
    assert [one["platform"] for one in told["accounts"]] == ["mastodon", "mastodon"]
    lines = (mined.base / "daemon.log").read_text().splitlines()
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if line.startswith("import time:")}
    assert loaded & LIBRARIES == {"mastodon"}


def test_an_adapter_that_cannot_be_loaded_is_said_with_its_name_and_what_to_do(mined: Place) -> None:
    mined.config.write_text(mined.config.read_text().replace('platform = "mastodon"', 'platform = "mine"', 1))
    for words in (("config", "check"), ("run",)):
        code, said, _ = ran(mined, *words)
        assert code == 2
        assert "cannot load the adapter for 'mine', because RuntimeError: somebody stepped on it" in " ".join(
            said.split()
        )
        assert "Traceback" not in said


def test_to_name_every_adapter_loads_none(mined: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(mined.base))
    found = makers()
    assert {"mastodon", "mine"} <= set(found) == set(known_secrets(found))
    assert len(known_secrets(found)) == len(found) == len(list(found))
    with pytest.raises(ConfigMistake, match="cannot load the adapter for 'mine'"):
        known_secrets(found)["mine"]
