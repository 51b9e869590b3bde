"""The file: owned by one, whole or refused, on the disk when a commit returns, and readable while somebody writes."""

from __future__ import annotations

import gc
import hashlib
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Broken, DiskFull, Doubt, Newer, Taken, Unwritable
from guardian.store import journal, posts
from guardian.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.store.conftest import Enter

OWN = """
import sys, pathlib, time
from guardian.store.database import Database
database = Database(pathlib.Path(sys.argv[1]))
print("owns", flush=True)
time.sleep(60)
"""

ENTER_FOR_EVER = """
import sys, pathlib
from guardian.model import Part
from guardian.store import journal, posts
from guardian.store.database import Database
database = Database(pathlib.Path(sys.argv[1]))
for count in range(100_000):
    with database.transaction() as tx:
        draft = posts.Draft(account="acme-m", at=count, at_text="", zone=None, part=Part(text="x" * 300))
        post = posts.enter(tx, draft, now=count, who="a test").post
        journal.append(tx, "entered", who="a test", now=count, post=post.id)
    print(post.id, flush=True)
"""

LEAVE_A_LOG = """
import os, sys, pathlib
from guardian.store import journal
from guardian.store.database import Database
database = Database(pathlib.Path(sys.argv[1]))
for count in range(103):
    with database.transaction() as tx:
        journal.append(tx, "x", who="a test", now=count, filling="y" * 500)
    if count == 99:
        database._writer.execute("pragma wal_checkpoint(truncate)")
os.kill(os.getpid(), 9)
"""
MIGRATIONS = sorted(int(step.name[:4]) for step in files("guardian.store").joinpath("migrations").iterdir())


def fill(path: Path, lines: int = 100) -> None:
    database = Database(path)
    for count in range(lines):
        with database.transaction() as tx:
            journal.append(tx, "x", who="a test", now=count, filling="y" * 500)
    database.close()


def prints(path: Path) -> dict[str, str]:
    """The digest of the file itself, and of its log where that holds anything."""
    files = (path, path.with_name("guardian.db-wal"))
    found = [file for file in files if file == path or (file.exists() and file.stat().st_size)]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def test_a_second_guardian_on_the_same_house_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWN, str(path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "owns\n"
        with pytest.raises(Taken, match=f"pid {owner.pid} owns it"):
            Database(path)
        owner.kill()
    Database(path).close()  # the kernel let go of a dead owner's lock


def test_a_second_guardian_in_the_same_process_is_refused_too(database: Database) -> None:
    with pytest.raises(Taken):
        Database(database.path)


def test_no_acknowledged_commit_is_lost_when_the_process_is_killed(path: Path) -> None:
    words = [sys.executable, "-c", ENTER_FOR_EVER, str(path)]
    acknowledged: list[str] = []
    for wanted in (3, 40, 90):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged += [process.stdout.readline().strip() for _ in range(wanted)]
            process.kill()
            acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    database = Database(path)
    try:
        with database.reading() as tx:
            kept = {row["id"] for row in tx.execute("select id from posts")}
            told = {str(line.data["post"]) for line in journal.after(tx, 0, limit=100_000)}
    finally:
        database.close()
    assert set(acknowledged) <= kept
    assert told == kept, "a post without its line in the journal, or a line without its post"


def flipped(content: bytearray) -> bytes:
    content[4096 * 9 : 4096 * 9 + 64] = b"\xff" * 64
    return bytes(content)


def every_page_flipped(content: bytearray) -> bytes:
    for place in range(4096, len(content), 4096):
        content[place : place + 8] = b"\xff" * 8
    return bytes(content)


def beheaded(content: bytearray) -> bytes:
    content[:16] = b"x" * 16
    return bytes(content)


def halved(content: bytearray) -> bytes:
    return bytes(content[: len(content) // 2])


def torn(content: bytearray) -> bytes:
    return bytes(content[:-100])


def emptied(_content: bytearray) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [flipped, every_page_flipped, beheaded, halved, torn, emptied])
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, damage: Callable[[bytearray], bytes]) -> None:
    fill(path)
    path.write_bytes(damage(bytearray(path.read_bytes())))
    before = prints(path)
    for _ in range(2):
        with pytest.raises(Broken, match="it is damaged"):
            Database(path)
        gc.collect()
        assert prints(path) == before


@pytest.mark.parametrize("damage", [flipped, every_page_flipped, halved, emptied])
def test_a_damaged_file_beside_a_crashed_daemons_log_is_left_as_it_is(
    path: Path, damage: Callable[[bytearray], bytes]
) -> None:
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(path)], check=False)
    path.write_bytes(damage(bytearray(path.read_bytes())))
    before = prints(path)
    assert "guardian.db-wal" in before
    with pytest.raises(Broken, match="it is damaged"):
        Database(path)
    gc.collect()
    assert prints(path) == before, "the last chance of a repair was written over"


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("dear diary, " * 1000)
    with pytest.raises(Broken):
        Database(path)
    assert path.read_text() == "dear diary, " * 1000


def test_a_refused_house_can_be_opened_again_once_it_is_mended(path: Path) -> None:
    fill(path, lines=3)
    whole = path.read_bytes()
    path.write_bytes(beheaded(bytearray(whole)))
    with pytest.raises(Broken):
        Database(path)
    path.write_bytes(whole)
    Database(path).close()


def test_opening_twice_migrates_once(path: Path) -> None:
    fill(path, lines=1)
    before = _schema(path)
    fill(path, lines=1)
    assert _schema(path) == before
    assert [row[0] for row in before["migrations"]] == MIGRATIONS


def _schema(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    try:
        return {
            name: connection.execute(words).fetchall()
            for name, words in (
                ("migrations", "select * from migrations"),
                ("objects", "select type, name, tbl_name, sql from sqlite_master order by 1, 2"),
                ("law", "select * from transitions order by 1, 2"),
            )
        }
    finally:
        connection.close()


def test_a_store_that_a_newer_guardian_has_migrated_is_refused_and_left_as_it_is(path: Path) -> None:
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("insert into migrations values (99, '0099_later.sql', 1)")
    connection.commit()
    connection.close()
    before = _schema(path)
    with pytest.raises(Newer, match="newer guardian"):
        Database(path)
    gc.collect()
    assert _schema(path) == before


def test_a_commit_is_on_the_disk_when_it_returns(database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
    for connection in (database._writer, database._reader):
        found = {name: connection.execute(f"pragma {name}").fetchone()[name] for name in wanted}
        assert found == wanted


def test_the_queue_is_nobody_elses_to_read(database: Database, enter: Enter) -> None:
    enter()
    files = [file for file in database.path.parent.iterdir() if file.name.startswith("guardian.db")]
    assert len(files) >= 2
    assert {oct(file.stat().st_mode & 0o077) for file in files} == {"0o0"}


def test_a_transaction_that_raises_leaves_nothing(database: Database, enter: Enter) -> None:
    def enter_half() -> None:
        with database.transaction() as tx:
            enter(tx=tx)
            journal.append(tx, "entered", who="a test", now=1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enter_half()
    with database.reading() as tx:
        assert posts.page(tx, account=None, state=None, cursor=None, limit=9) == ([], None)
        assert journal.after(tx, 0) == []
        assert tx.execute("select * from counts").fetchall() == []
    enter()  # and the writer is free


def test_a_reader_sees_what_is_committed_and_does_not_wait_for_a_writer(database: Database, enter: Enter) -> None:
    inside, done = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with database.transaction() as tx:
            enter(tx=tx)
            inside.set()
            done.wait(5)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    try:
        assert inside.wait(5)
        with database.reading() as tx:
            assert posts.page(tx, account=None, state=None, cursor=None, limit=9)[0] == []
        with pytest.raises(Doubt, match="try again"), database.transaction(within=0.05):
            pass
    finally:
        done.set()
        writer.join(5)
    with database.reading() as tx:
        assert len(posts.page(tx, account=None, state=None, cursor=None, limit=9)[0]) == 1


def test_a_view_does_not_change_while_it_is_looked_at(database: Database, enter: Enter) -> None:
    enter()
    with database.reading() as tx:
        first = tx.execute("select count(*) as n from posts").fetchone()
        enter()
        assert tx.execute("select count(*) as n from posts").fetchone() == first
    with database.reading() as tx:
        assert tx.execute("select count(*) as n from posts").fetchone()["n"] == 2


def test_a_view_cannot_change_anything(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"), database.reading() as tx:
        tx.execute("delete from covers")


def test_a_full_disk_loses_the_change_and_nothing_else(database: Database, enter: Enter) -> None:
    """A limit on the size of files stands for the full disk: the write fails in the middle of the commit."""
    kept = enter().id
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = Path(f"{database.path}-wal").stat().st_size
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5000, hard))
        for _ in range(2):
            with pytest.raises(Doubt, match="cannot say whether it was written"):
                enter("x" * 20_000)
        with database.reading() as tx:
            assert posts.get(tx, kept).part.text == "hello"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    enter("there is room again")
    with database.reading() as tx:
        texts = [row["text"] for row in posts.page(tx, account=None, state=None, cursor=None, limit=9)[0]]
        assert texts == ["hello", "there is room again"]


@pytest.mark.parametrize(
    ("code", "family", "words"),
    [
        (sqlite3.SQLITE_FULL, DiskFull, "because the disk is full; nothing was changed, do make room in"),
        (sqlite3.SQLITE_READONLY, Unwritable, "because the disk refuses to be written"),
        (sqlite3.SQLITE_CANTOPEN, Unwritable, "because the disk refuses to be written"),
        (sqlite3.SQLITE_IOERR_WRITE, Doubt, "because the disk of"),
    ],
)
def test_what_the_disk_says_is_said_in_our_words_and_the_writer_is_free_again(
    database: Database, enter: Enter, code: int, family: type[Exception], words: str
) -> None:
    trouble = sqlite3.OperationalError("as SQLite says it")
    trouble.sqlite_errorcode = code
    with pytest.raises(family, match=words), database.transaction():
        raise trouble
    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.transaction() as tx:
        tx.execute("select * from nowhere")
    assert enter().id
