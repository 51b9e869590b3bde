"""From every schema that was ever released to this one: nothing lost, a copy kept, and whole or not at all."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken, DiskFull, Newer
from guardian.store import copying, freezes, proving, upgrading
from guardian.store.database import Database
from tests.torture.daemon import ROOT

if TYPE_CHECKING:
    from guardian.store.proving import Facts

GOLDEN = Path(__file__).with_name("golden")
RELEASED = range(1, 8)
LAST = max(upgrading.NAMES)
OPEN = """
import pathlib, sys
from guardian.store.database import Database
Database(pathlib.Path(sys.argv[1])).close()
"""


def golden(step: int, path: Path) -> Facts:
    """The store as the guardian of that schema left it, when it was killed in the middle of a send."""
    with sqlite3.connect(path) as connection:
        connection.executescript((GOLDEN / f"{step:04}.sql").read_text("utf-8"))
    connection.close()
    return facts(path)


def facts(path: Path) -> Facts:
    with copying.opened(path) as tx:
        return proving.prove(tx)


def content(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("select id, account, state, at, text, why, platform_id from posts order by id")
        rows = found.fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("step", RELEASED)
def test_a_store_of_every_released_schema_comes_up_with_the_same_posts_states_freezes_and_journal(
    path: Path, step: int
) -> None:
    before, posts = golden(step, path), content(path)
    assert before.schema == step
    assert before.states["sending"] == 1
    assert before.freezes == ("brand:acme",)
    database = Database(path)
    with database.transaction() as tx:
        assert [freeze.reason for freeze in freezes.in_force(tx)] == ["a golden freeze"]
        after = proving.prove(tx)
    database.close()
    assert after.schema == LAST
    assert proving.lost_between(before, after) == ""
    assert content(path) == posts


@pytest.mark.parametrize("step", [step for step in RELEASED if step < LAST])
def test_a_copy_from_before_the_upgrade_is_kept_and_is_the_store_as_it_was(path: Path, step: int) -> None:
    before, posts = golden(step, path), content(path)
    Database(path).close()
    kept = path.with_name(f"before-{LAST:04}.db")
    assert facts(kept) == before
    assert content(kept) == posts
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    Database(path).close()
    assert not kept.exists()  # nothing was upgraded


def test_only_two_such_copies_are_kept_and_what_a_killed_one_left_is_swept_out(path: Path) -> None:
    golden(5, path)
    for number in (3, 4, 5):
        path.with_name(f"before-000{number}.db").write_bytes(b"older")
    path.with_name(".before-0007.db.4711").write_bytes(b"half")
    Database(path).close()
    assert sorted(one.name for one in path.parent.glob("*before-*")) == ["before-0005.db", f"before-{LAST:04}.db"]


@pytest.mark.parametrize("at", [1, 3, 6])
def test_an_upgrade_that_was_killed_in_the_middle_leaves_the_old_store_and_is_done_again(
    path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = golden(1, path)
    monkeypatch.setenv("GUARDIAN_FAILPOINTS", f"store.migrated=crash@{at}")
    done = subprocess.run([sys.executable, "-c", OPEN, str(path)], check=False, cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    connection = sqlite3.connect(path)
    assert [row[0] for row in connection.execute("select number from migrations")] == [1]
    connection.close()
    database = Database(path)
    with database.transaction() as tx:
        assert proving.lost_between(before, proving.prove(tx)) == ""
    database.close()


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("delete from attempts where ended_at is not null;", "attempts had"),
        ("update freezes set lifted_at = 1;", "other freezes are in force"),
        ("drop trigger posts_counted_on;\nupdate posts set state = 'missed' where state = 'queued';", "its counts"),
        ("drop trigger journal_never_deleted;\ndelete from journal where seq = 3;", "its journal breaks"),
    ],
    ids=["attempts", "freezes", "counts", "journal"],
)
def test_a_step_that_would_lose_something_is_refused_and_the_store_left_as_it_was(
    path: Path, step: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = golden(LAST, path)
    bad = LAST + 1
    monkeypatch.setitem(upgrading.NAMES, bad, f"{bad:04}_bad.sql")
    real = upgrading._script
    monkeypatch.setattr(upgrading, "_script", lambda name: step if name.startswith(f"{bad:04}") else real(name))
    with pytest.raises(Broken, match=complaint):
        Database(path)
    monkeypatch.undo()
    assert facts(path) == before


def test_a_store_that_is_not_whole_is_not_upgraded(path: Path) -> None:
    golden(3, path)
    with sqlite3.connect(path) as connection:
        connection.execute("delete from counts")
    connection.close()
    with pytest.raises(Broken, match="its counts are not those of its posts"):
        Database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("select max(number) from migrations").fetchone()[0] == 3
    connection.close()


def test_without_room_for_the_copy_nothing_is_upgraded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden(3, path)
    monkeypatch.setattr(upgrading, "SPARE", 1 << 60)
    with pytest.raises(DiskFull, match="there is no room for the copy"):
        Database(path)
    assert facts(path).schema == 3


def test_a_newer_store_is_refused_by_words_that_say_how_to_go_back_and_no_byte_of_it_changes(path: Path) -> None:
    golden(LAST, path)
    with sqlite3.connect(path) as connection:
        connection.execute("insert into migrations values (99, '0099_later.sql', 1)")
    connection.close()
    before = {one.name: one.read_bytes() for one in path.parent.glob("guardian.db*")}
    with pytest.raises(Newer, match=f"step 99, this one knows {LAST}") as refusal:
        Database(path)
    assert "docs/backup.md" in refusal.value.fix
    assert {one.name: one.read_bytes() for one in path.parent.glob("guardian.db*")} == before
