"""Restoring: frozen, all or nothing, and nothing of what was newer is lost or forgotten."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.backup import contents, making, placing
from guardian.backup.progress import Progress
from guardian.errors import Newer, Refusal, Taken
from guardian.evidence.keyring import Keyring
from guardian.fence import gates, permits, reading
from guardian.fence.permits import Permit
from guardian.fence.stopping import Order, Stopping
from guardian.model import State
from guardian.store import freezes, holds, journal, posts
from guardian.store.database import STORE
from tests.backup.conftest import ACME, BUNDLE, Standing
from tests.torture.daemon import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House

GOLDEN = Path(__file__).parents[1] / "store" / "golden"
POINTS = (
    *("restore.staged=crash", "restore.frozen=crash", "restore.ready=crash", "restore.decided=crash"),
    *(f"restore.moved=crash@{n}" for n in (1, 3, 5, 7, 9, 11)),
)
RESTORE = """
import sys
from pathlib import Path
from guardian.backup import restoring
from guardian.backup.progress import Progress
from guardian.fence.house import House
house = House(*sys.argv[1:3])
restoring.restore(house, Path(sys.argv[3]), replace=True, holds=True, by="a test", progress=Progress(print))
"""


def freeze(house: House, scope: str, reason: str) -> None:
    with Stopping(house, Order((scope,), reason, "a person")) as stop:
        assert stop.confirm()
        assert stop.settle(lambda action, _: action())


@pytest.fixture
def backup(full: Standing, tmp_path: Path) -> Path:
    return full.backup(tmp_path / "b.tar").path


def test_a_restored_house_is_frozen_says_so_and_has_everything(full: Standing, other: Standing, backup: Path) -> None:
    before = full.prints()
    done = other.restore(backup)
    seen = reading.read_scope(other.house, "all")
    assert seen.state == reading.FROZEN
    assert (seen.reason or "").startswith("restored from a backup of 20")
    assert not isinstance(permits.read_durable(other.house, "all"), Permit)  # a reboot does not undo it
    after = other.prints()
    assert {name: one for name, one in after.items() if name != STORE} == {
        name: one for name, one in before.items() if name not in (STORE, "last-backup.json")
    }
    assert done.aside is None
    database = other.open()
    with database.reading() as tx:
        line = journal.head(tx)
        assert line is not None
        assert (line.kind, line.who, line.data["lines"]) == ("restored", "a test", done.manifest.lines)
        assert line.prev == done.manifest.head  # the chain goes on
        assert holds.in_force(tx, limit=5)[1] == done.held == 2
    database.close()


def test_what_was_on_hold_before_keeps_its_own_hold(full: Standing, other: Standing, tmp_path: Path) -> None:
    database = full.open()
    with database.transaction() as tx:
        post = tx.execute("select id from posts order by seq").fetchone()["id"]
        mine, _ = holds.place(tx, post=post, reason="the date moves", by="a person", now=1)
    database.close()
    done = other.restore(full.backup(tmp_path / "b.tar").path)
    assert done.held == 1
    database = other.open()
    with database.reading() as tx:
        assert holds.of_post(tx, post) == mine
        assert [hold.post == post for hold in holds.by(tx, holds.RESTORE)] == [False]
    database.close()


def test_a_person_who_is_sure_may_do_without_the_holds(other: Standing, backup: Path) -> None:
    assert other.restore(backup, holds=False).held == 0
    assert reading.read_scope(other.house, "all").state == reading.FROZEN  # never without the freeze


def test_a_house_that_stands_is_only_replaced_when_asked_and_then_moved_aside(full: Standing, backup: Path) -> None:
    full.fill("three")
    full.put("evidence/ev-20261121T000000Z-mastodon-2-abcd/record.json", b"younger")
    before = full.prints()
    with pytest.raises(Refusal, match="a house stands there"):
        full.restore(backup)
    assert full.prints() == before
    assert reading.read_scope(full.house, "all").state == reading.OPEN
    done = full.restore(backup, replace=True)
    assert done.aside is not None
    aside = Standing(full.house._replace(state_dir=str(done.aside))).prints()
    before.pop("last-backup.json")
    assert aside == before
    assert done.younger == 1  # evidence is never put out of sight
    assert (full.state / "evidence/ev-20261121T000000Z-mastodon-2-abcd/record.json").read_bytes() == b"younger"
    database = full.open()
    with database.reading() as tx:
        assert tx.execute("select count(*) as n from posts").fetchone()["n"] == 2
    database.close()


def test_a_damaged_store_is_moved_aside_as_it_is_and_the_house_comes_back(full: Standing, backup: Path) -> None:
    (full.state / STORE).write_bytes(b"no database" * 1000)
    (full.state / f"{STORE}-wal").write_bytes(b"no log")
    done = full.restore(backup, replace=True)
    assert done.aside is not None
    assert (done.aside / STORE).read_bytes() == b"no database" * 1000
    assert (done.aside / f"{STORE}-wal").read_bytes() == b"no log"
    full.open().close()


@pytest.mark.parametrize("lock", ["daemon_lock", "store_lock"])
def test_nothing_is_restored_under_a_daemon_that_runs(other: Standing, backup: Path, lock: str) -> None:
    Path(other.house.runtime_dir).mkdir()
    held = gates.lock_for_life(getattr(other.house, lock))
    assert held is not None
    with pytest.raises(Taken, match="stop the guardian first"):
        other.restore(backup)
    assert not (other.state / STORE).exists()


@pytest.mark.parametrize("point", POINTS)
def test_whenever_a_restore_is_killed_there_is_the_old_house_or_the_new_one(
    full: Standing, backup: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.fill("three", "four")
    full.put("natives/n-2.json", b"younger")
    before = full.prints()
    monkeypatch.setenv("GUARDIAN_FAILPOINTS", point)
    words = [sys.executable, "-c", RESTORE, full.house.state_dir, full.house.runtime_dir, str(backup)]
    code = subprocess.run(words, check=False, cwd=ROOT, timeout=60, capture_output=True).returncode
    decided = (full.state / contents.RESTORING).exists()
    if decided:
        with pytest.raises(Refusal, match="broken off in its last step"):
            full.backup()
        assert placing.finish(full.state)  # as a daemon does at its start
        assert placing.finish(full.state) is None
    placing.clear(full.state)
    if decided or code == 0:
        assert reading.read_scope(full.house, "all").state == reading.FROZEN
        assert not (full.state / "natives" / "n-2.json").exists()
        database = full.open()
        with database.reading() as tx:
            assert tx.execute("select count(*) as n from posts").fetchone()["n"] == 2
        database.close()
    else:
        assert code == -signal.SIGKILL
        assert full.prints() == before
        full.restore(backup, replace=True)


def test_a_freeze_that_stood_keeps_its_words_and_narrower_ones_stay(full: Standing, backup: Path) -> None:
    freeze(full.house, "all", "a tasteless post")
    freeze(full.house, "brand:acme", "legal says no")
    full.restore(backup, replace=True)
    reason = reading.read_scope(full.house, "all").reason or ""
    assert reason.startswith("restored from")
    assert reason.endswith("frozen before by a person: a tasteless post")
    assert reading.read_scope(full.house, "brand:acme").reason == "legal says no"


def test_on_a_new_machine_one_thaw_is_enough_unless_the_backup_knows_of_a_freeze(
    full: Standing, other: Standing, tmp_path: Path
) -> None:
    database = full.open()
    with database.transaction() as tx:
        for scope in ACME.scopes:
            freezes.note_epoch(tx, scope, 7)
        freezes.record(tx, "brand:acme", reason="legal says no", by="a person", at=1, mark="m")
    database.close()
    other.arm("account:acme-m")  # as `guardian init` left it, at another epoch
    other.restore(full.backup(tmp_path / "b.tar").path)
    found = {scope: permits.read_durable(other.house, scope) for scope in ACME.scopes}
    armed = {scope: one.epoch for scope, one in found.items() if isinstance(one, Permit)}
    assert armed == {"account:acme-m": 7, "platform:mastodon": 7}


def test_no_epoch_goes_back_behind_what_the_fence_has_seen(full: Standing, backup: Path) -> None:
    permits.write_durable(full.house, "account:acme-m", epoch=41)
    full.restore(backup, replace=True)
    database = full.open()
    with database.reading() as tx:
        assert freezes.epoch(tx, "account:acme-m") == 41
    database.close()


def test_a_login_and_a_key_that_are_newer_than_the_backup_stay(full: Standing, backup: Path) -> None:
    full.put("sessions/acme-m.sealed", b"rotated since")
    key = Keyring(full.state).rotate(now=5_000_000_000_000)[1].fingerprint
    full.restore(backup, replace=True)
    assert (full.state / "sessions/acme-m.sealed").read_bytes() == b"rotated since"
    assert Keyring(full.state).load().fingerprint == key


def test_a_key_that_was_only_made_by_init_gives_way_to_the_backups(
    full: Standing, other: Standing, backup: Path
) -> None:
    Keyring(other.state).have(now=1)
    other.restore(backup)
    assert Keyring(other.state).load().fingerprint == Keyring(full.state).load().fingerprint


def test_a_backup_of_a_newer_guardian_is_refused_in_words(full: Standing, other: Standing, tmp_path: Path) -> None:
    with sqlite3.connect(full.state / STORE) as connection:
        connection.execute("insert into migrations values (99, '0099_later.sql', 1)")
    connection.close()
    made = full.backup(tmp_path / "b.tar")
    with pytest.raises(Newer, match="a newer guardian"):
        other.restore(made.path)
    assert not (other.state / STORE).exists()
    assert reading.read_scope(other.house, "all").state != reading.OPEN


@pytest.mark.parametrize("step", range(1, 8))
def test_a_backup_of_every_released_schema_is_restored_and_upgraded(other: Standing, tmp_path: Path, step: int) -> None:
    old = Standing(other.house._replace(state_dir=str(tmp_path / "old")))
    old.state.mkdir()
    with sqlite3.connect(old.state / STORE) as connection:
        connection.executescript((GOLDEN / f"{step:04}.sql").read_text("utf-8"))
    connection.close()
    made = making.make(old.house, tmp_path / "b.tar", keep=None, progress=Progress(print))
    assert made.manifest.schema == step
    assert made.manifest.in_flight == 1
    other.restore(made.path)
    database = other.open()
    with database.reading() as tx:
        states = [row["state"] for row in tx.execute("select state from posts")]
        assert states.count("sending") == 1  # the next start makes it unknown, and asks
        assert len(freezes.in_force(tx)) == 1
    database.close()
    assert not list(other.state.glob("before-*"))


def test_a_part_of_the_house_on_a_file_system_of_its_own_is_told_of_before_anything_moves(
    full: Standing, backup: Path, request: pytest.FixtureRequest
) -> None:
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "none", str(full.state / "natives")], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("needs root, to mount")
    request.addfinalizer(lambda: subprocess.run(["umount", str(full.state / "natives")], check=True))
    before = full.prints()
    with pytest.raises(Refusal, match="natives is a file system of its own"):
        full.restore(backup, replace=True)
    assert full.prints() == before


def test_what_is_claimed_or_waits_is_never_claimed_again_while_it_is_on_hold(
    other: Standing, full: Standing, tmp_path: Path
) -> None:
    full.fill("due", at=1000)
    database = full.open()
    with database.transaction() as tx:
        assert posts.claim(tx, ACME.name, now=2000, late_after=10_000) is not None
    database.close()
    other.restore(full.backup(tmp_path / "b.tar").path)
    database = other.open()
    with database.transaction() as tx:
        assert holds.in_force(tx, limit=1)[1] == 3
        assert posts.claim(tx, ACME.name, now=FAR_LATER, late_after=FAR_LATER) is None
        assert tx.execute("select count(*) as n from posts where state = ?", (State.CLAIMED,)).fetchone()["n"] == 1
    database.close()


FAR_LATER = 4_100_000_000_000


@pytest.fixture(autouse=True)
def _unlocked() -> Iterator[None]:
    """Locks that a test has taken for life end with it."""
    before = set(Path("/proc/self/fd").iterdir())
    yield
    import os

    for one in set(Path("/proc/self/fd").iterdir()) - before:
        try:
            if str(one.readlink()).endswith(".lock"):
                os.close(int(one.name))
        except OSError:
            continue


def test_a_bundle_of_the_backup_is_on_its_shelf_again(other: Standing, backup: Path) -> None:
    other.restore(backup)
    assert (other.state / "evidence" / BUNDLE / "SHA256SUMS-1").read_bytes() == b"sums"
    assert (other.state / "evidence").stat().st_mode & 0o777 == 0o700
