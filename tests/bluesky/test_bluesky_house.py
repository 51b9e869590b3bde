"""The whole house before a real PDS: a thread goes out, a freeze holds the rest, a takedown by URL is proven."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from adapters.bluesky_repository import posts_in
from guardian.fence.house import House
from tests.torture.daemon import ROOT, DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bluesky.pds import Brand, Pds

WITHIN = 30.0


class Watch:
    """A daemon with one account, and the commands that people give it."""

    def __init__(self, folder: Path, pds: Pds, url: str = "") -> None:
        """`url`: where the account is reached, if that is not the PDS itself."""
        self.pds = pds
        self.brand: Brand = pds.brand()
        self.config = folder / "guardian.toml"
        password = folder / "app_password"
        password.touch(0o600)
        password.write_text(self.brand.app_password + "\n")
        self.house = House(str(folder / "state"), str(folder / "run"))
        self.config.write_text(
            f'state_dir = "{self.house.state_dir}"\n'
            f'runtime_dir = "{self.house.runtime_dir}"\n'
            "[accounts.acme]\n"
            'platform = "bluesky"\n'
            'brand = "acme"\n'
            f'base_url = "{url or pds.url}"\n'
            f'identity = "@{self.brand.handle}"\n'
            "[accounts.acme.secrets]\n"
            f'app_password = "file:{password}"\n'
        )
        self.daemon = DaemonProcess(self.house, self.config, folder / "log")
        self.log = folder / "log"

    def say(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 (JSON)
        """One command; what it answers as JSON."""
        command = [sys.executable, "-m", "guardian", *words, "--config", str(self.config), "--json"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, cwd=ROOT)
        assert ran.returncode == code, ran.stdout + ran.stderr + self.log.read_text()[-3000:]
        return json.loads(ran.stdout)

    def wait(self, come: Callable[[], bool]) -> None:
        until = time.monotonic() + WITHIN
        while not come():
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def texts(self) -> list[str]:
        """What is there, by the time that it says."""
        posts = sorted(self.pds.posts(self.brand), key=lambda post: str(post["value"]["createdAt"]))
        return [str(post["value"]["text"]) for post in posts]


@pytest.fixture
def watch(tmp_path: Path, pds: Pds) -> Iterator[Watch]:
    found = Watch(tmp_path, pds)
    try:
        found.daemon.wait_ready()
        yield found
    finally:
        found.daemon.kill()


def test_a_thread_goes_out_a_freeze_holds_the_rest_and_a_takedown_is_proven(watch: Watch) -> None:
    now = datetime.now(UTC).isoformat()
    watch.say("queue", "add", "--account", "acme", "--at", now, "--part", "first 👩‍🚒", "--part", "second")
    watch.wait(lambda: len(watch.texts()) == 2)
    assert watch.texts() == ["first 👩‍🚒", "second"]
    watch.say("freeze", "all")
    watch.say("queue", "add", "--account", "acme", "--at", datetime.now(UTC).isoformat(), "third")
    second = next(post for post in watch.pds.posts(watch.brand) if post["value"]["text"] == "second")
    url = f"https://bsky.app/profile/{watch.brand.handle}/post/{second['uri'].rpartition('/')[2]}"
    answer = watch.say("takedown", "order", url, "--delete", "--reason", "tasteless")
    assert watch.texts() == ["first 👩‍🚒"]
    (target,) = answer["targets"]
    assert (target["state"], target["grade"], target["platform_id"]) == ("gone", "complete", second["uri"])
    (proof,) = (watch.log.parent / "state/evidence").rglob("proof.car")
    assert [text for _, _, text in posts_in(proof.read_bytes(), since=0)] == ["second"]
    kept = b"".join(path.read_bytes() for path in (watch.log.parent / "state").rglob("*") if path.is_file())
    for secret in (watch.brand.app_password.encode(), b'accessJwt":"ey', b"Bearer ey"):
        assert secret not in kept + watch.log.read_bytes()


def test_a_post_is_limited_while_frozen_stays_live_in_the_books_and_is_freed_after_the_thaw(watch: Watch) -> None:
    watch.say("queue", "add", "--account", "acme", "--at", datetime.now(UTC).isoformat(), "disputed")
    watch.wait(lambda: watch.texts() == ["disputed"])
    (post,) = watch.say("queue", "list")["posts"]
    watch.wait(lambda: bool(watch.say("queue", "list")["posts"][0]["state"] == "published"))
    watch.say("freeze", "all")
    answer = watch.say("takedown", post["id"], "--limit", "close-replies", "--reason", "a storm below it")
    (target,) = answer["targets"]
    assert (answer["decision"], answer["complete"]) == ("close-replies", True)
    assert (target["state"], target["reversible"], target["grade"]) == ("kept", True, "complete")
    assert gate_of(watch, target["platform_id"]) == []
    again = watch.say("takedown", post["id"], "--limit", "close-replies")
    assert (again["targets"][0]["state"], again["targets"][0]["why"]) == ("kept", "it was so before we came")
    assert watch.texts() == ["disputed"]
    assert watch.say("queue", "list")["posts"][0]["state"] == "published"
    refused = watch.say("takedown", post["id"], "--limit", "lock", code=14)
    assert refused["targets"][0]["state"] == "not_attempted"
    watch.say("takedown", "undo", answer["id"], "--reason", "over", code=1)  # frozen
    watch.say("thaw", "--reason", "over", "--yes")
    freed = watch.say("takedown", "undo", answer["id"], "--reason", "over")["targets"][0]
    assert (freed["state"], freed["why"], freed["reversible"]) == ("kept", "the limit was lifted again", False)
    assert gate_of(watch, target["platform_id"]) is None
    told = watch.say("incident", "report")
    assert [one["decision"] for one in told["takedowns"]] == ["close-replies", "close-replies", "lock"]
    assert [one["state"] for one in told["takedowns"]] == ["lifted", "kept", "not_attempted"]
    assert {one["what"] for one in told["hindered"]}.isdisjoint({"lingering", "came_back", "still_visible"})


def gate_of(watch: Watch, uri: str) -> object:
    """Who may answer, by the gate beside a post; None: there is no gate."""
    repo, _, rkey = uri.removeprefix("at://").split("/")
    found = watch.pds.get("com.atproto.repo.getRecord", repo=repo, collection="app.bsky.feed.threadgate", rkey=rkey)
    return None if found is None else found["value"]["allow"]
