"""The whole daemon and its commands, as a person uses them, against a Mastodon server that somebody else wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence.house import House
from tests.independent.mastodon_mock_server import TOKEN, MastodonMockServer
from tests.independent.visit import lose_the_answer
from tests.torture.daemon import ROOT, DaemonProcess
from tests.torture.front import Front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.outsider  # the test's own eyes do not pass our gate
WITHIN = 30.0
CONFIG = """\
state_dir = "{base}/state"
runtime_dir = "{base}/run"
[reconcile]
looks = 2
over = "1s"
[accounts.acme]
platform = "mastodon"
brand = "acme"
base_url = "{url}"
identity = "{handle}"
[accounts.acme.secrets]
token = "file:{base}/acme.token"
"""


class Desk:
    """One house and its commands, each a process of its own."""

    def __init__(self, base: Path, url: str, handle: str) -> None:
        self.base = base
        self.config = base / "guardian.toml"
        self.config.write_text(CONFIG.format(base=base, url=url, handle=handle), "utf-8")
        token = base / "acme.token"
        token.touch(0o600)
        token.write_text(TOKEN, "utf-8")
        self.run("init")
        house = House(f"{base}/state", f"{base}/run")
        self.daemon = DaemonProcess(house, self.config, base / "daemon.log")

    def run(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 (a JSON document)
        """A command with --json; what it says."""
        command = [sys.executable, "-m", "guardian", *words, "--json"]
        environment = {**os.environ, "GUARDIAN_CONFIG": str(self.config)}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=environment
        )
        assert done.returncode == code, done
        return json.loads(done.stdout)

    def add(self, text: str) -> str:
        """A post that is due now; its id."""
        return str(self.run("queue", "add", "--account", "acme", "--at", "now", text)["post"]["id"])

    def states(self) -> dict[str, str]:
        """Where every post is in its life."""
        return {post["id"]: post["state"] for post in self.run("queue", "list")["posts"]}

    def wait(self, come: Callable[[], bool]) -> None:
        """Until it has come."""
        until = time.monotonic() + WITHIN
        while not come():
            assert time.monotonic() < until, self.daemon.tail()
            time.sleep(0.1)


@pytest.fixture
def front(mock_server: MastodonMockServer) -> Iterator[Front]:
    with Front(mock_server.place) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, front: Front, mock_server: MastodonMockServer) -> Iterator[Desk]:
    found = Desk(tmp_path, front.url, mock_server.handle)
    try:
        found.daemon.wait_ready()
        yield found
    finally:
        found.daemon.send(signal.SIGTERM)
        found.daemon.wait_dead()


def test_a_post_goes_out_once_a_lost_one_is_found_and_after_a_freeze_nothing_more_arrives(
    desk: Desk, front: Front, mock_server: MastodonMockServer
) -> None:
    first = desk.add("Hello, somebody else's server")
    desk.wait(lambda: desk.states()[first] == "published")
    assert mock_server.texts() == ["Hello, somebody else's server"]

    front.acts.append(lose_the_answer)
    lost = desk.add("its answer gets lost")
    desk.wait(lambda: desk.states()[lost] == "published")
    assert mock_server.texts() == ["Hello, somebody else's server", "its answer gets lost"]

    stop = desk.run("freeze", "a", "test")
    assert stop["confirmed"]
    held = [desk.add(f"never to arrive {nr}") for nr in range(3)]
    desk.wait(lambda: {desk.states()[one] for one in held} == {"missed"})  # for good: nothing sends them by itself
    assert desk.run("status", code=20)["state"] == "frozen"
    assert len(front.creates()) == 2
    assert len(mock_server.texts()) == 2
