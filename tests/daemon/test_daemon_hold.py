"""A daemon whose store is damaged: in hold it answers two questions; restored, it comes up frozen."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.evidence import Bundle
from guardian.evidence.keyring import Keyring
from guardian.fence import permits, reading
from guardian.fence.stopping import Order, Stopping
from guardian.fence.telling import ask
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.outsider
OTHERS: tuple[tuple[str, str, object], ...] = (
    ("POST", "/v1/thaw", {"reason": "x"}),
    ("GET", "/v1/posts", None),
    ("POST", "/v1/posts", {"account": "north-a", "at": "now", "text": "x"}),
    ("POST", "/v1/posts/import", {"text": ""}),
    ("POST", "/v1/posts/release", {}),
    ("GET", "/v1/posts/p-x", None),
    ("POST", "/v1/posts/hold", {"tag": "t"}),
    ("POST", "/v1/posts/unhold", {"tag": "t"}),
    ("POST", "/v1/posts/reschedule", {"ids": ["p-x"], "at": "now"}),
    ("POST", "/v1/posts/cancel", {"ids": ["p-x"]}),
    ("POST", "/v1/posts/p-x/hold", {}),
    ("POST", "/v1/posts/p-x/unhold", {}),
    ("POST", "/v1/posts/p-x/release", {}),
    ("POST", "/v1/posts/p-x/reschedule", {"at": "now"}),
    ("POST", "/v1/posts/p-x/cancel", {}),
    ("POST", "/v1/media", "x"),
    ("POST", "/v1/imports", "x"),
    ("GET", "/v1/imports/i-x", None),
    ("GET", "/v1/records", None),
    ("GET", "/v1/media/" + "0" * 64, None),
    ("GET", "/v1/journal", None),
    ("GET", "/v1/evidence", None),
    ("POST", "/v1/evidence/ev-x/verify", {}),
)
RIGHTS = """
[rights]
read = ["games"]
freeze = ["games"]
operate = ["nogroup-of-ours"]
takedown = []
"""
AS_A_MEMBER = """
import json, os, sys
from guardian.fence.telling import ask
os.setgroups([60]); os.setgid(12345); os.setuid(12345)
print(json.dumps(ask(sys.argv[1], "POST", sys.argv[2], {"reason": "by a member"}, within=20)))
"""


def store_of(house: TorturedHouse) -> Path:
    return Path(house.house.state_dir) / "guardian.db"


def prints(house: TorturedHouse) -> dict[str, str]:
    files = [file for file in store_of(house).parent.iterdir() if file.name.startswith("guardian.db")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def flip_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 64)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def no_database(path: Path) -> None:
    path.write_text("dear diary, " * 1000)


def edit_the_journal(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("drop trigger journal_never_changed")
    connection.execute("update journal set who = 'nobody' where seq = 2")
    connection.close()


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    """A house with eight posts published, four to come, and a daemon that has ended."""
    with TorturedHouse() as found:
        daemon = found.start()
        found.feed(8)
        found.wait_all()
        assert daemon.terminate() == 0
        yield found


@pytest.mark.parametrize("damage", [flip_a_page, cut, no_database, edit_the_journal])
def test_a_damaged_store_puts_the_house_on_hold_and_is_kept_as_it_is(
    house: TorturedHouse, damage: Callable[[Path], None]
) -> None:
    damage(store_of(house))
    before = prints(house)
    daemon = house.start()
    told = house.client.get("/v1/status")
    assert (told["state"], told["store"]["state"]) == ("frozen", "damaged")
    assert "damaged" in told["store"]["why"]
    assert "guardian restore BACKUP --replace" in told["store"]["fix"]
    assert [told[key] for key in ("counts", "held", "in_flight", "next")] == [None] * 4
    seen = reading.read_scope(house.house, "all")
    assert (seen.state, seen.by) == (reading.FROZEN, "guardian")
    assert isinstance(permits.read_durable(house.house, "all"), permits.Flaw)
    assert daemon.terminate() == 0
    assert prints(house) == before
    assert daemon.tail().count('"event": "holds"') == 1
    assert "Traceback" not in daemon.tail()


def test_in_hold_every_other_route_answers_that_the_store_is_broken_and_how_to_restore_it(house: TorturedHouse) -> None:
    flip_a_page(store_of(house))
    house.start()
    for method, path, body in OTHERS:
        status, document = ask(house.house.socket, method, path, body, within=10)
        assert (status, path) == (503, path)
        assert isinstance(document, dict)
        assert document["error"]["code"] == "store_broken"
        assert "guardian restore BACKUP --replace" in document["error"]["fix"]


def test_in_hold_a_freeze_by_every_door_is_confirmed(house: TorturedHouse) -> None:
    flip_a_page(store_of(house))
    house.start()
    status, document = ask(house.house.socket, "POST", "/v1/freeze", {"scopes": ["brand:north"]}, within=20)
    assert isinstance(document, dict)
    assert (status, document["confirmed"], document["durable"]) == (200, True, True)
    assert reading.read_scope(house.house, "brand:north").state == reading.FROZEN
    stop = house.freeze()
    assert stop.code == 0
    assert stop.confirmed_at is not None
    refused, error = ask(house.house.socket, "POST", "/v1/freeze", {"scopes": ["brand:nobody"]}, within=20)
    assert isinstance(error, dict)
    assert (refused, error["error"]["code"]) == (422, "bad_input")


def test_the_commands_say_in_words_that_the_store_is_damaged_and_evidence_is_verified_without_it(
    house: TorturedHouse,
) -> None:
    flip_a_page(store_of(house))
    house.start()

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "guardian", *words, "--config", str(house.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)

    status = run("status")
    assert status.returncode == 20
    assert "DAMAGED" in status.stdout
    assert "to restore" in status.stdout
    thaw = run("thaw", "--yes", "--reason", "x")
    assert thaw.returncode == 1
    assert "it is damaged" in thaw.stderr
    bundle = Bundle.create(
        house.directory / "state" / "evidence", account="a", platform="mastodon", platform_id="1", at=0
    )
    key = Keyring(house.directory / "state").load()
    bundle.seal(key.signer, at=time.time_ns() // 1_000_000, allowed=key.allowed)
    verified = run("evidence", "verify", "--all")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert f"{bundle.name} is whole, by this command alone" in verified.stdout


def test_a_restored_store_comes_up_frozen_and_sends_only_when_a_person_thaws(house: TorturedHouse) -> None:
    backup = house.directory / "backup.db"
    shutil.copyfile(store_of(house), backup)
    flip_a_page(store_of(house))
    assert house.start().terminate() == 0
    with contextlib.suppress(FileNotFoundError):
        store_of(house).unlink()
    shutil.copyfile(backup, store_of(house))
    daemon = house.start()
    told = house.client.get("/v1/status")
    assert told["state"] == "frozen"
    assert [(one["scope"], one["by"]) for one in told["freezes"]] == [("all", "guardian")]
    assert "store" not in told
    house.feed(4)
    assert house.counts()["published"] == 8
    house.thaw()
    house.release()
    house.wait_all()
    assert not house.judge()
    assert daemon.terminate() == 0


def test_a_freeze_of_a_person_keeps_its_words_when_the_house_goes_on_hold(house: TorturedHouse) -> None:
    house.freeze()
    was = reading.read_scope(house.house, "all")
    flip_a_page(store_of(house))
    for _ in range(2):
        assert house.start().terminate() == 0
        assert reading.read_scope(house.house, "all") == was


def test_a_freeze_half_done_is_completed_when_the_house_goes_on_hold(house: TorturedHouse) -> None:
    """The volatile permit is gone and the marker lies there, but a reboot would have opened the house again."""
    with Stopping(house.house, Order(("all",), "power is failing", "somebody"), may_kill=False) as stop:
        assert stop.confirm()
    assert isinstance(permits.read_durable(house.house, "all"), permits.Permit)
    flip_a_page(store_of(house))
    house.start()
    assert isinstance(permits.read_durable(house.house, "all"), permits.Flaw)
    assert reading.read_scope(house.house, "all").reason == "power is failing"


def test_a_store_of_a_newer_guardian_refuses_to_start_and_freezes_nothing(house: TorturedHouse) -> None:
    connection = sqlite3.connect(store_of(house))
    connection.execute("insert into migrations values (99, '0099_later.sql', 1)")
    connection.commit()
    connection.close()
    daemon = house.start(ready=False)
    assert daemon.wait_dead() == 1
    assert "because a newer guardian has migrated it" in daemon.tail()
    assert reading.read_scope(house.house, "all").state != reading.FROZEN


def test_a_store_that_breaks_while_the_daemon_runs_puts_the_house_on_hold(house: TorturedHouse) -> None:
    daemon = house.start()
    path = store_of(house)
    with path.open("r+b") as file:  # behind the daemon's back, every page but the first
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    pid = daemon.pid
    told: dict[str, Any] = {}

    def held() -> bool:
        with contextlib.suppress(Exception):
            told.update(house.client.get("/v1/status"))
            with contextlib.suppress(Exception):
                house.client.get("/v1/posts")
        return "store" in told

    daemon._until(held, 30.0, "did not go on hold")
    assert told["state"] == "frozen"
    assert reading.daemon_state(house.house) == ("running", pid)
    assert daemon.terminate() == 0
    again = house.start()
    assert house.client.get("/v1/status")["store"]["state"] == "damaged"
    assert again.terminate() == 0


def test_a_daemon_whose_store_breaks_while_it_ends_ends_all_the_same(house: TorturedHouse) -> None:
    daemon = house.start()
    daemon.send(signal.SIGSTOP)
    daemon.wait_stopped()
    with store_of(house).open("r+b") as file:
        for page in range(1, store_of(house).stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    assert daemon.terminate() == 0
    again = house.start()
    assert house.client.get("/v1/status")["store"]["state"] == "damaged"
    assert again.terminate() == 0


def test_sigint_ends_a_hold_as_cleanly_as_sigterm(house: TorturedHouse) -> None:
    flip_a_page(store_of(house))
    daemon = house.start()
    daemon.send(signal.SIGINT)
    assert daemon.wait_dead() == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_in_hold_the_rights_are_the_same() -> None:
    with TorturedHouse(config=RIGHTS) as house:
        assert house.start().terminate() == 0
        store_of(house).write_text("no database")
        house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        for path, status in (("/v1/freeze", 200), ("/v1/thaw", 403)):
            words = [sys.executable, "-c", AS_A_MEMBER, house.house.socket, path]
            done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
            assert done.stdout.startswith(f"[{status},"), done.stdout
