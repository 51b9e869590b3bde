"""Who may, and with a damaged store: a reload changes the rights at once, by the words of real other users."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from guardian.fence import reading
from tests.daemon.reloading import Reloaded
from tests.torture.daemon import ROOT

pytestmark = pytest.mark.outsider
GAMES, OPERATOR = 60, 37  # every Debian has these groups
AS_A_MEMBER = """
import json, os, sys
from guardian.fence.telling import ask
os.setgroups([int(sys.argv[2])]); os.setgid(12345); os.setuid(12345)
try:
    print(ask(sys.argv[1], "POST", "/v1/freeze", {"scopes": ["account:north-a"]}, within=20)[0])
except PermissionError:
    print("closed")
"""
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def rights(read: str, freeze: str) -> str:
    return f'[rights]\nread = ["{read}"]\nfreeze = ["{freeze}"]\noperate = []\ntakedown = []\n'


def freeze_as(house: Reloaded, group: int) -> str:
    for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
        place.chmod(0o755)
    words = [sys.executable, "-c", AS_A_MEMBER, house.house.socket, str(group)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
    return done.stdout.strip()


def damage(house: Reloaded) -> None:
    store = Path(house.house.state_dir) / "guardian.db"
    with store.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 64)


def prints(house: Reloaded) -> dict[str, str]:
    files = [file for file in Path(house.house.state_dir).iterdir() if file.name.startswith("guardian.db")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.root
@ONLY_ROOT
@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_a_right_that_is_given_or_taken_counts_from_the_reload_on(damaged: bool) -> None:
    with Reloaded() as house:
        house.write(more=rights("games", "nogroup-of-ours"))
        house.start()
        if damaged:
            assert house.daemon is not None
            house.daemon.terminate()
            damage(house)
            house.start()
        assert (freeze_as(house, GAMES), freeze_as(house, OPERATOR)) == ("403", "closed")
        house.write(more=rights("operator", "operator"))
        assert house.reload()["state"] == "in force"
        assert (freeze_as(house, GAMES), freeze_as(house, OPERATOR)) == ("closed", "200")


def test_a_daemon_in_hold_reads_its_configuration_again_and_touches_no_store() -> None:
    with Reloaded() as house:
        daemon = house.start()
        assert daemon.terminate() == 0
        damage(house)
        daemon = house.start()
        before = prints(house)
        house.write(["north-a", "south-b"])
        assert house.reload()["state"] == "in force"
        assert [one["name"] for one in house.status()["accounts"]] == ["north-a", "south-b"]
        house.write(more="[queue]\nzome = 1\n")
        found = house.reload()
        assert found["state"] == "refused"
        assert "queue.zome" in found["why"]
        assert [one["name"] for one in house.status()["accounts"]] == ["north-a", "south-b"]
        assert reading.read_scope(house.house, "all").state == reading.FROZEN
        assert prints(house) == before
        assert daemon.terminate() == 0


def test_a_store_that_breaks_under_a_reload_puts_the_house_on_hold_as_ever() -> None:
    with Reloaded() as house:
        daemon = house.start()
        house.feed(8)
        house.wait_all()
        assert daemon.terminate() == 0  # what is in the file now has to be read from it again
        daemon = house.start()
        path = Path(house.house.state_dir) / "guardian.db"
        with path.open("r+b") as file:  # behind the daemon's back, every page but the first
            for page in range(1, path.stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 64)
        house.write(["north-a", "north-b"])

        def held() -> bool:
            daemon.send(signal.SIGHUP)
            with contextlib.suppress(Exception):
                return "store" in house.status()
            return False

        house.until(held)
        assert house.status()["state"] == "frozen"
        assert daemon.terminate() == 0
