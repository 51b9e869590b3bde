"""A daemon with an account on X, as a process, against the double: from the queue to a takedown, without credit too."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from adapters.x_session import KEYS
from guardian.fence.house import House
from guardian.rehearsal import RehearsalPlatform
from tests.doubles.x import XDouble
from tests.torture.daemon import ROOT, DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.outsider
WITHIN = 60.0
FROZEN = 20  # the exit code of a status


class Desk:
    """The house, its daemon, and whoever types commands."""

    def __init__(self, directory: Path, x: XDouble, neighbour: RehearsalPlatform) -> None:
        self.directory = directory
        self.x = x
        self.neighbour = neighbour
        self.config = directory / "guardian.toml"
        self.house = House(str(directory / "state"), str(directory / "run"))
        self.write(KEYS)

    def write(self, names: tuple[str, ...], keys: dict[str, str] | None = None) -> None:
        """A configuration with these of the four keys, or of others."""
        keys = keys or self.x.accounts["acme"].keys
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"']
        lines += ["[accounts.acme-x]", 'platform = "x"', 'brand = "acme"', f'base_url = "{self.x.url}"']
        lines += ['identity = "@acme"', "[accounts.acme-x.secrets]"]
        for name in names:
            file = self.directory / f"acme.{name}"
            file.touch(0o600)
            file.write_text(keys[name] + "\n", "utf-8")
            lines.append(f'{name} = "file:{file}"')
        (self.directory / "beta.token").touch(0o600)
        (self.directory / "beta.token").write_text(self.neighbour.token("beta"), "utf-8")
        lines += ["[accounts.beta]", 'platform = "mastodon"', 'brand = "beta"', f'base_url = "{self.neighbour.url}"']
        lines += [f'identity = "{self.neighbour.handle("beta")}"', "[accounts.beta.secrets]"]
        lines += [f'token = "file:{self.directory / "beta.token"}"']
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command."""
        command = [sys.executable, "-m", "guardian", *words, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False, cwd=ROOT)

    def asked(self, *words: str) -> Any:  # noqa: ANN401 (a JSON document)
        """What a command says as JSON."""
        done = self.run(*words, "--json")
        return json.loads(done.stdout or done.stderr)

    def wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + WITHIN
        while not done():
            assert time.monotonic() < until, self.run("status").stdout
            time.sleep(0.1)

    def add(self, text: str) -> str:
        """A post that is due now; its id."""
        said = self.asked("queue", "add", "--account", "acme-x", "--at", "now", text)
        return str(said["post"]["id"])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with XDouble("acme", "other") as x, RehearsalPlatform(("beta",)) as neighbour:
        yield Desk(tmp_path, x, neighbour)


def test_an_account_of_x_needs_all_four_keys_and_says_which_is_missing(desk: Desk) -> None:
    assert desk.run("config", "check").returncode == 0
    desk.write(KEYS[:3])
    short = desk.run("config", "check")
    assert short.returncode != 0
    assert "access_token_secret" in short.stdout + short.stderr
    keys = desk.x.tokens.authorise("acme")
    for names, said in ((("client_id", "client_secret"), "refresh_token"), ((*keys, "consumer_key"), "keep only: cl")):
        desk.write(names, {**desk.x.accounts["acme"].keys, **keys})
        wrong = desk.run("config", "check")
        assert wrong.returncode != 0
        assert said in wrong.stdout + wrong.stderr
    for names in (tuple(keys), ("client_id", "refresh_token")):
        desk.write(names, keys)
        assert desk.run("config", "check").returncode == 0


def test_with_oauth_2_a_reply_is_hidden_a_repost_taken_back_and_the_next_life_logs_in_with_what_was_kept(
    desk: Desk,
) -> None:
    keys = desk.x.tokens.authorise("acme")
    desk.write(tuple(keys), keys)
    daemon = DaemonProcess(desk.house, desk.config, desk.directory / "daemon.log")
    try:
        daemon.wait_ready()
        post = desk.add("Fresh bread")
        desk.wait(lambda: desk.asked("queue", "show", post)["state"] == "published")
        (ours,) = desk.x.posts
        reply = desk.x.post_past_us("Buy cheap watches", "other", below=ours)
        repost = desk.x.repost_past_us(ours)
        done = desk.run("takedown", f"https://x.com/other/status/{reply}", "--hide", "--reason", "spam")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "it shows nobody whether it is" in " ".join(done.stdout.split())
        assert desk.x.posts[reply]["hidden"] is True
        order = desk.asked("takedown", "list")["takedowns"][0]
        undone = desk.run("takedown", "undo", order["id"], "--reason", "it was no spam")
        assert undone.returncode == 0, undone.stdout + undone.stderr
        assert desk.x.posts[reply]["hidden"] is False
        done = desk.run("takedown", f"acme-x/{repost}", "--delete", "--reason", "too early")
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(desk.x.posts) == [ours, reply]
        refused = desk.run("takedown", post, "--hide", "--reason", "a bad joke")
        assert refused.returncode == 14
        assert "it is a post of our own" in " ".join(refused.stdout.split())
    finally:
        daemon.terminate()
    desk.x.tokens.end_access()
    daemon = DaemonProcess(desk.house, desk.config, desk.directory / "daemon.log")
    try:
        daemon.wait_ready()
        second = desk.add("More bread")
        desk.wait(lambda: desk.asked("queue", "show", second)["state"] == "published")
    finally:
        daemon.terminate()
    assert desk.x.tokens.renewals[0] == keys["refresh_token"]
    assert len(set(desk.x.tokens.renewals)) == len(desk.x.tokens.renewals) == 2
    kept = b"".join(
        file.read_bytes() for file in desk.directory.rglob("*") if file.is_file() and file.name[5:] not in keys
    )
    for token in (*desk.x.tokens.issued, keys["client_secret"]):
        assert token.encode() not in kept


def test_a_bad_post_is_proven_and_gone_in_one_command(desk: Desk) -> None:
    daemon = DaemonProcess(desk.house, desk.config, desk.directory / "daemon.log")
    try:
        daemon.wait_ready()
        post = desk.add("A bad joke, see https://example.com/joke")
        desk.wait(lambda: desk.asked("queue", "show", post)["state"] == "published")
        done = desk.run("freeze", "a bad joke is live", "--takedown", post, "--delete", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        desk.wait(lambda: desk.x.live() == [])
        desk.wait(lambda: desk.asked("queue", "show", post)["state"] == "retracted")
        (row,) = desk.asked("takedown", "list")["takedowns"][0]["targets"]
        assert (row["state"], row["grade"]) == ("gone", "complete")
        waiting = desk.add("More bread")
        assert desk.run("status").returncode == FROZEN
        assert desk.asked("queue", "show", waiting)["state"] in ("queued", "missed")
        assert len(desk.x.creates()) == 1
    finally:
        daemon.terminate()


def test_without_credit_posts_wait_the_status_shouts_and_a_takedown_names_the_address_for_a_person(
    desk: Desk,
) -> None:
    daemon = DaemonProcess(desk.house, desk.config, desk.directory / "daemon.log")
    try:
        daemon.wait_ready()
        first = desk.add("Fresh bread")
        desk.wait(lambda: desk.x.live() == ["Fresh bread"])
        (platform_id,) = desk.x.posts
        desk.wait(lambda: desk.asked("queue", "show", first)["state"] == "published")
        desk.x.accounts["acme"].credit = False
        second = desk.add("More bread")
        desk.wait(lambda: "no credit" in str(desk.asked("status")["accounts"]))
        assert desk.asked("queue", "show", second)["state"] == "queued"
        assert "no credit at X left" in desk.run("status").stdout

        done = desk.run("takedown", f"https://x.com/acme/status/{platform_id}", "--delete", "--reason", "a bad joke")
        assert done.returncode == 14, done.stdout + done.stderr
        said = " ".join(done.stdout.split())
        assert "the app has no credit at X left, do buy credit at https://console.x.com" in said
        assert f"do delete it by hand at https://x.com/i/web/status/{platform_id}" in said
        assert desk.x.live() == ["Fresh bread"]
        asked = [str(one["path"]) for one in desk.neighbour.log()]
        assert not [path for path in asked if "search" in path], "an address at x.com is nobody else's"
        others = {one["name"]: one["trouble"] for one in desk.asked("status")["accounts"]}
        assert others["beta"] is None, "the other account goes on"
        assert len(desk.x.creates()) == 2
    finally:
        daemon.terminate()
    kept = b"".join(
        file.read_bytes() for file in desk.directory.rglob("*") if file.is_file() and file.name[5:] not in KEYS
    )
    for value in desk.x.accounts["acme"].keys.values():
        assert value.encode() not in kept
