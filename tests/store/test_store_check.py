"""The look before the store is opened: it finds what is damaged, and changes no byte of any of its three files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken, Busy, GuardianError
from guardian.store import journal, wal
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENTER_AND_DIE = """
import os, sys, pathlib
from guardian.store import journal
from guardian.store.database import Database
database = Database(pathlib.Path(sys.argv[1]))
for count in range(int(sys.argv[2])):
    with database.transaction() as tx:
        journal.append(tx, "x", who="a test", now=count, filling="y" * 500)
os.kill(os.getpid(), 9)
"""
DIE_WHILE_MIGRATING = """
import os, sys, pathlib
from guardian.store import database, upgrading
steps = {"n": 0}
class Dying:
    def __getattr__(self, name):
        if name == sys.argv[2]:
            os.kill(os.getpid(), 9)
        return getattr(real, name)
real, upgrading.Q = upgrading.Q, Dying()
database.Database(pathlib.Path(sys.argv[1]))
"""
HOLD_THE_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin immediate")
print("holds", flush=True)
time.sleep(120)
"""
LINES = 60
MIGRATIONS = sorted(int(step.name[:4]) for step in files("guardian.store").joinpath("migrations").iterdir())


@pytest.fixture(scope="session")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as a killed daemon leaves it: some of it in the file, some of it in the log."""
    directory = tmp_path_factory.mktemp("crashed")
    path = directory / "guardian.db"
    for lines in (LINES, LINES):
        subprocess.run([sys.executable, "-c", ENTER_AND_DIE, str(path), str(lines)], check=False)
        assert path.with_name("guardian.db-shm").exists()
    return directory


@pytest.fixture
def copy(crashed: Path, tmp_path: Path) -> Path:
    shutil.copytree(crashed, tmp_path / "copy")
    return tmp_path / "copy" / "guardian.db"


def prints(path: Path) -> dict[str, str]:
    """The digest of every file of the store, the lock file left out."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.parent.iterdir()
        if file.name.startswith("guardian.db")
    }


def lines_of(path: Path) -> int:
    database = Database(path)
    try:
        with database.reading() as tx:
            return len(journal.after(tx, 0, limit=100_000))
    finally:
        database.close()


def log_of(path: Path) -> Path:
    return wal.beside(path, "wal")


def cut_at_a_frame(path: Path) -> None:
    os.truncate(log_of(path), 32 + 4120 * 20)


def cut_inside_a_frame(path: Path) -> None:
    os.truncate(log_of(path), log_of(path).stat().st_size // 2 + 7)


def emptied(path: Path) -> None:
    os.truncate(log_of(path), 0)


def removed(path: Path) -> None:
    log_of(path).unlink()


def garbage_in_the_middle(path: Path) -> None:
    with log_of(path).open("r+b") as file:
        file.seek(32 + 4120 * 15 + 300)
        file.write(os.urandom(64))


def garbage_in_the_last_frame(path: Path) -> None:
    found = wal._committed(wal.beside(path, "shm"))
    assert found is not None
    with log_of(path).open("r+b") as file:
        file.seek(32 + 4120 * (found.frames - 1) + 2000)
        file.write(os.urandom(8))


def all_garbage(path: Path) -> None:
    log_of(path).write_bytes(os.urandom(log_of(path).stat().st_size))


def text_in_its_place(path: Path) -> None:
    log_of(path).write_text("dear diary, " * 2000)


def of_another_house(path: Path) -> None:
    """A log from elsewhere: whole in itself, under other salts than any that were used here. Its header is bent."""
    content = bytearray(log_of(path).read_bytes())
    content[16] ^= 1
    log_of(path).write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        cut_at_a_frame, cut_inside_a_frame, emptied, removed, garbage_in_the_middle, garbage_in_the_last_frame,
        all_garbage, text_in_its_place, of_another_house,
    ],
)  # fmt: skip
def test_a_log_that_lost_what_was_acknowledged_is_refused_and_no_file_of_the_store_is_touched(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy)
    before = prints(copy)
    with pytest.raises(Broken, match="its log"):
        Database(copy)
    assert prints(copy) == before


def test_the_log_of_a_killed_daemon_is_no_damage(copy: Path) -> None:
    assert lines_of(copy) == 2 * LINES


def test_a_torn_end_that_was_never_acknowledged_is_no_damage(copy: Path) -> None:
    with log_of(copy).open("ab") as file:
        file.write(os.urandom(3000))
    assert lines_of(copy) == 2 * LINES


def test_an_index_that_is_gone_or_garbage_is_no_damage(copy: Path) -> None:
    for index in (None, os.urandom(32768), b"short"):
        beside = copy.parent.parent / f"again-{0 if index is None else len(index)}"
        shutil.copytree(copy.parent, beside)
        path = beside / "guardian.db"
        wal.beside(path, "shm").unlink()
        if index is not None:
            wal.beside(path, "shm").write_bytes(index)
        assert lines_of(path) == 2 * LINES


def test_a_log_that_is_in_the_file_already_may_be_gone(path: Path) -> None:
    subprocess.run([sys.executable, "-c", ENTER_AND_DIE, str(path), str(LINES)], check=False)
    connection = sqlite3.connect(path)
    connection.execute("pragma wal_checkpoint(passive)")
    kept = wal.beside(path, "shm").read_bytes()
    connection.close()
    wal.beside(path, "shm").write_bytes(kept)
    log_of(path).unlink(missing_ok=True)
    assert lines_of(path) == LINES


def test_a_database_that_vanished_beside_its_log_is_no_new_house(copy: Path) -> None:
    copy.unlink()
    with pytest.raises(Broken, match="it is not there"):
        Database(copy)
    assert not copy.exists()


@pytest.mark.parametrize("place", [0, 18, 100, 4096 * 4, 4096 * 8 + 100])
def test_a_damaged_page_is_refused_and_no_file_of_the_store_is_touched(copy: Path, place: int) -> None:
    with copy.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 64)
    before = prints(copy)
    try:
        Database(copy).close()
    except Broken:
        assert prints(copy) == before
    else:  # the page stands in the log as well, and the log wins
        assert lines_of(copy) == 2 * LINES


@pytest.mark.parametrize(
    "words",
    [
        "update journal set who = 'nobody' where seq = 3",
        "update journal set data = '{' where seq = 3",
        "update journal set data = cast(x'ff22' as text) where seq = 3",
        "update journal set at = 'yesterday' where seq = 3",
        "delete from journal where seq = 2",
        "delete from journal where seq = 1",
        "update journal set hash = prev where seq = 5",
    ],
)
def test_a_journal_that_was_edited_is_refused_and_no_file_of_the_store_is_touched(path: Path, words: str) -> None:
    database = Database(path)
    for count in range(6):
        with database.transaction() as tx:
            journal.append(tx, "x", who="a test", now=count)
    database.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for trigger in ("journal_never_changed", "journal_never_deleted"):
        connection.execute(f"drop trigger {trigger}")
    connection.execute(words)
    connection.close()
    before = prints(path)
    with pytest.raises(Broken, match="its journal breaks at line"):
        Database(path)
    assert prints(path) == before


@pytest.mark.parametrize("at", ["note_migration", "clear_transitions", "insert_transition"])
def test_a_migration_that_was_killed_half_way_is_done_again_from_its_beginning(path: Path, at: str) -> None:
    done = subprocess.run([sys.executable, "-c", DIE_WHILE_MIGRATING, str(path), at], check=False)
    assert done.returncode == -signal.SIGKILL
    assert lines_of(path) == 0
    connection = sqlite3.connect(path)
    assert connection.execute("select count(*) from transitions").fetchone()[0] > 10
    assert [row[0] for row in connection.execute("select number from migrations")] == MIGRATIONS
    connection.close()


def test_a_migration_that_is_half_there_is_refused_in_words(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table posts (id text primary key)")
    connection.commit()
    connection.close()
    with pytest.raises(Broken, match="table posts already exists"):
        Database(path)


def test_a_store_that_is_locked_is_called_busy_and_not_damaged(path: Path) -> None:
    Database(path).close()
    with subprocess.Popen([sys.executable, "-c", HOLD_THE_LOCK, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        holder.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(Busy, match="locked by another process"):
                Database(path)
        finally:
            holder.kill()
    Database(path).close()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_is_not_called_damage(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", place], check=True)
    try:
        path = place / "guardian.db"
        Database(path).close()
        fd = os.open(place / "filling", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(fd, b"x" * 4096)
        os.close(fd)
        with pytest.raises(GuardianError, match="full") as found:
            Database(path)
        assert not isinstance(found.value, Broken)
        (place / "filling").unlink()
        Database(path).close()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
