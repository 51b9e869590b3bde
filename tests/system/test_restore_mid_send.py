"""A backup taken in the middle of a send, a daemon killed, a restore: frozen, nothing lost, nothing sent twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.store.database import STORE
from tests.torture.catalogue import ROWS
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse
from tests.torture.results import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider
GOLDEN = Path(__file__).parents[1] / "store" / "golden"


@pytest.fixture
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        yield found


def guardian(house: TorturedHouse, *words: str, code: int = 0) -> Any:  # noqa: ANN401 (a JSON document)
    done = subprocess.run(
        [sys.executable, "-m", "guardian", *words, "--json", "--config", str(house.config)],
        check=False, capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_backup_taken_in_mid_send_is_restored_frozen_and_nothing_is_lost_or_sent_twice(house: TorturedHouse) -> None:
    daemon = house.start()
    later = house.feed(4, at=datetime.now(UTC) + timedelta(hours=1))
    house.witness.fault("delay", times=None, seconds=1.5)
    known = house.feed(12)
    house.wait(lambda counts: counts["sending"] >= 2, 20, "posts on the wire")
    backup = str(house.directory / "backup.tar")
    made = guardian(house, "backup", backup)
    assert made["in_flight"] >= 2
    assert guardian(house, "restore", backup, code=1)["error"]["code"] == "taken"
    house.witness.clear_faults()
    house.client.post("/v1/posts/reschedule", {"ids": later, "at": "now"})  # what no backup can know
    house.wait_all(within=40)
    lost = house.feed(4)
    house.wait_all(within=40)
    daemon.kill()

    done = guardian(house, "restore", backup, "--replace")
    assert done["state"] == "frozen"
    assert done["backup"]["journal"] == made["journal"]  # the horizon is the one that was printed
    assert Path(done["aside"], STORE).exists()
    house.start()
    status = house.client.get("/v1/status")
    assert status["state"] == "frozen"
    assert status["freezes"][0]["reason"].startswith("restored from a backup of")
    house.wait(lambda counts: not counts["unknown"] and not counts["sending"], 30, "what was in flight is known")
    rows = {row["id"]: row["state"] for row in house.rows()}
    assert set(rows) == {*known, *later}  # to the horizon; what came after it is lost, as was said
    assert not set(lost) & set(rows)
    assert Counter(rows[post] for post in known)["published"] >= made["in_flight"]

    house.thaw()
    time.sleep(0.5)
    assert {row["id"]: row["held_by"] is not None for row in house.rows() if row["state"] == "queued"} == dict.fromkeys(
        later, True
    )
    before = len(house.witness.posts())
    guardian(house, "queue", "unhold", "--restored")
    time.sleep(0.5)
    texts = Counter(str(post["text"]) for post in house.witness.posts())
    assert max(texts.values()) == 1
    assert len(house.witness.posts()) == before
    assert guardian(house, "journal", "verify")["whole"] is True


def test_a_backup_that_hangs_holds_up_neither_a_send_nor_a_freeze_and_still_shows_its_one_moment(
    house: TorturedHouse,
) -> None:
    house.start()
    known = house.feed(4)
    house.wait_all()
    path = house.directory / "backup.tar"
    hanging = subprocess.Popen(
        [sys.executable, "-m", "guardian", "backup", str(path), "--json", "--config", str(house.config)],
        stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "GUARDIAN_FAILPOINTS": "backup.copying=stop"},
    )  # fmt: skip
    try:
        house.wait(lambda _: _state_of(hanging.pid) == "T", 30, "the backup hangs with its snapshot")
        house.feed(60)
        house.wait_all()
        assert house.freeze().code == 0
        assert house.thaw()["state"] == "open"
    finally:
        hanging.send_signal(signal.SIGCONT)
        made = json.loads(hanging.communicate(timeout=60)[0])
    assert made["posts"] == len(known)


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_restore_that_was_broken_off_in_its_last_step_is_finished_by_the_daemon_that_starts(
    house: TorturedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.start()
    house.feed(2)
    house.wait_all()
    backup = str(house.directory / "backup.tar")
    guardian(house, "backup", backup)
    assert house.daemon is not None
    house.daemon.kill()
    monkeypatch.setenv("GUARDIAN_FAILPOINTS", "restore.moved=crash@3")
    subprocess.run(
        [sys.executable, "-m", "guardian", "restore", backup, "--replace", "--config", str(house.config)],
        check=False, cwd=ROOT, timeout=60,
    )  # fmt: skip
    monkeypatch.undo()
    assert not Path(house.house.state_dir, STORE).exists()
    house.start()
    assert house.client.get("/v1/status")["state"] == "frozen"
    assert house.counts()["published"] == 2
    assert "finished a restore" in house.daemon.tail()


def test_an_upgrade_under_a_freeze_stays_frozen_and_sends_nothing(house: TorturedHouse) -> None:
    house.start().terminate()
    assert house.freeze().code == 0
    store = Path(house.house.state_dir, STORE)
    for left in store.parent.glob(f"{STORE}*"):
        left.unlink()
    with sqlite3.connect(store) as connection:
        connection.executescript((GOLDEN / "0003.sql").read_text("utf-8"))
    connection.close()
    house.start()
    status = house.client.get("/v1/status")
    assert status["state"] == "frozen"
    assert "torture" in [freeze["reason"] for freeze in status["freezes"]]
    assert house.rows()
    assert not house.witness.creates()
    assert store.with_name("before-0007.db").exists()


def test_a_restore_elsewhere_is_a_rehearsal_that_touches_nothing(house: TorturedHouse) -> None:
    house.start()
    house.feed(2)
    house.wait_all()
    made = guardian(house, "backup")
    assert Path(made["path"]).parent == Path(house.house.state_dir, "backups")
    there = house.directory / "elsewhere"
    done = guardian(house, "restore", made["path"], "--to", str(there))
    assert done["state_dir"] == str(there)
    assert house.client.get("/v1/status")["state"] == "open"  # the house itself has gone on
    shutil.rmtree(there)
    assert guardian(house, "restore", made["path"], "--check")["posts"] == 2


def test_a_restore_killed_at_random_instants_loses_nothing_and_sends_nothing_twice() -> None:
    result = ROWS["restore"](Options(seed=1, short=True))
    assert result.holds, result.line()
