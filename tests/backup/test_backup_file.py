"""The file of a backup: everything in it, nothing else, whole or refused, whatever happens to it."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.backup import archive, program, restoring
from guardian.backup.progress import Progress
from guardian.errors import Broken, GuardianError, Mistake, Refusal, Unfound
from guardian.store import journal
from guardian.store.database import STORE
from tests.backup.conftest import BUNDLE, Standing, standing
from tests.torture.daemon import ROOT
from tests.torture.people import interpreter_for_all

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = {
    STORE,
    f"evidence/{BUNDLE}/SHA256SUMS-1",
    "evidence/keys/allowed_signers",
    "evidence/keys/sealing",
    "last-drill.json",
    "natives/n-1.json",
    "sessions/acme-m.sealed",
}


def check(path: Path) -> archive.Manifest:
    return restoring.check_only(path, Progress(print))


def test_a_backup_has_everything_that_must_survive_and_nothing_of_the_fence(full: Standing, tmp_path: Path) -> None:
    for name in ("spool/incoming/half", "sessions/acme-m.turn", "evidence/.half", "core.1234", "last-backup.json"):
        full.put(name, b"not this")
    made = full.backup(tmp_path / "b.tar")
    names = {one.name for one in made.manifest.files}
    spooled = {name for name in names if name.startswith("spool/")}
    assert names - spooled == KEPT
    assert len(spooled) == 1
    assert made.manifest.left_out == ["core.1234"]  # said, so that nobody is surprised later
    assert (made.manifest.posts, made.manifest.lines, made.manifest.bundles) == (2, 1, 1)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert check(made.path) == made.manifest


def test_stock_tools_prove_a_backup_without_us(full: Standing, tmp_path: Path) -> None:
    made = full.backup(tmp_path / "b.tar")
    place = tmp_path / "by hand"
    place.mkdir()
    subprocess.run(["tar", "xf", str(made.path)], check=True, cwd=place)
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], check=False, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": OK") == len(made.manifest.files)


def test_what_is_there_is_never_overwritten_and_a_failure_leaves_nothing(full: Standing, tmp_path: Path) -> None:
    there = tmp_path / "b.tar"
    there.write_bytes(b"another")
    with pytest.raises(Refusal, match="it is there already"):
        full.backup(there)
    assert there.read_bytes() == b"another"
    with pytest.raises(Mistake, match="no directory"):
        full.backup(tmp_path / "nowhere" / "b.tar")
    with pytest.raises(Mistake, match="part of the next"):
        full.backup(full.state / "evidence" / "b.tar")
    (full.state / STORE).write_bytes(b"x" * 8192)
    with pytest.raises(Broken):
        full.backup(tmp_path / "c.tar")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.tar", "full"]
    said = json.loads((full.state / "last-backup.json").read_text())
    assert said["ok"] is False
    assert "damaged" in said["why"]


def test_a_house_without_a_store_is_told_so(other: Standing) -> None:
    with pytest.raises(Unfound, match="no store is there yet"):
        other.backup()


def test_only_the_last_backups_are_kept_where_that_is_asked_for(full: Standing) -> None:
    old = [full.put(f"backups/guardian-2026010{day}T000000Z.tar", b"old") for day in range(1, 5)]
    mine = full.put("backups/mine.tar", b"a person's own")
    dead = full.put("backups/.guardian-backup-4194304.tar", b"left by one that was killed")
    made = full.backup(keep=2)
    assert made.removed == [one.name for one in reversed(old[:3])]
    assert old[3].exists()
    assert mine.exists()
    assert not dead.exists()
    said = json.loads((full.state / "last-backup.json").read_text())
    assert said == {"at": made.manifest.at, "path": str(made.path), "posts": 2, "ok": True}


def test_a_picture_that_has_rotted_is_named_and_kept_as_it_is(full: Standing, tmp_path: Path) -> None:
    name = full.picture(b"another picture")
    full.put(f"spool/{name[:2]}/{name}", b"rotten")
    assert full.backup(tmp_path / "b.tar").rotten == [f"spool/{name[:2]}/{name}"]


def test_a_backup_that_was_cut_off_or_changed_anywhere_is_refused_or_unharmed(full: Standing, tmp_path: Path) -> None:
    made = full.backup(tmp_path / "b.tar")
    whole, dice = made.path.read_bytes(), random.Random(7)  # noqa: S311 (chance, not secrecy)
    refused = 0
    spoiled = tmp_path / "spoiled.tar"
    for _ in range(60):
        raw = bytearray(whole)
        if dice.random() < 0.3:
            del raw[dice.randrange(len(raw) - 12_000) :]
        else:
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        spoiled.write_bytes(raw)
        try:
            assert check(spoiled) == made.manifest  # in what pads the blocks of a tar
        except GuardianError:
            refused += 1
    assert refused > 40


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", raw: bytes = b"x"
) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, len(raw) if kind == tarfile.REGTYPE else 0
    return entry, raw


@pytest.mark.parametrize(
    "foreign",
    [
        member("../escaped"),
        member("/escaped"),
        member("evidence/../../escaped"),
        member("evidence/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("evidence/hard", tarfile.LNKTYPE, "guardian.db"),
        member("spool/pipe", tarfile.FIFOTYPE),
        member("fence/all.permit"),
        member("guardian.db-wal"),
        member("restoring.json"),
        member(STORE),
    ],
    ids=lambda one: one[0].name,
)
def test_what_has_no_place_in_a_backup_is_refused_before_anything_is_placed(
    full: Standing, other: Standing, tmp_path: Path, foreign: tuple[tarfile.TarInfo, bytes]
) -> None:
    made = full.backup(tmp_path / "b.tar")
    evil = tmp_path / "evil.tar"
    with tarfile.open(made.path) as source, tarfile.open(evil, "w") as target:
        for entry in source:
            if entry.name == archive.SUMS:
                target.addfile(foreign[0], io.BytesIO(foreign[1]))
            target.addfile(entry, source.extractfile(entry))
    before = other.prints()
    with pytest.raises(Refusal, match="cannot use the backup"):
        other.restore(evil)
    assert other.prints() == before
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda _: b"",
        lambda _: b"no tar at all" * 1000,
        lambda raw: raw.replace(b'"posts": 2', b'"posts": 3'),
        lambda raw: raw.replace(b'"format": 1', b'"format": 2'),
    ],
    ids=["cut", "empty", "foreign", "another number", "another format"],
)
def test_what_is_no_whole_backup_is_refused_in_words(
    full: Standing, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    made = full.backup(tmp_path / "b.tar")
    made.path.write_bytes(spoil(made.path.read_bytes()))
    with pytest.raises(Refusal, match="cannot use the backup"):
        check(made.path)


def test_a_copy_made_while_the_store_is_written_is_one_moment_and_holds_all_that_was_before(
    full: Standing, tmp_path: Path
) -> None:
    """The writer is in this process, as the daemon; the backup is another one."""
    database, stop, written = full.open(), threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            with database.transaction() as tx:
                written[0] = journal.append(tx, "x", who="a test", now=1, filler="x" * 2000).seq

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for place in range(2):
            before, path = written[0], tmp_path / f"{place}.tar"
            words = [sys.executable, "-c", COPY, full.house.state_dir, full.house.runtime_dir, str(path)]
            done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)
            assert done.returncode == 0, done.stderr
            assert before <= check(path).lines <= written[0]
    finally:
        stop.set()
        writer.join()
        database.close()
    full.open().close()


COPY = """
import sys
from pathlib import Path
from guardian.backup import making
from guardian.backup.progress import Progress
from guardian.fence.house import House
making.make(House(*sys.argv[1:3]), Path(sys.argv[3]), keep=None, progress=Progress(print))
"""


def test_a_backup_of_a_house_whose_daemon_was_killed_reads_its_log_and_touches_none_of_its_files(
    full: Standing, tmp_path: Path
) -> None:
    words = [sys.executable, "-c", WRITE_AND_DIE, str(full.state / STORE)]
    subprocess.run(words, check=False, cwd=ROOT, timeout=60)
    assert (full.state / f"{STORE}-wal").stat().st_size
    before = full.prints()
    made = full.backup(tmp_path / "b.tar")
    after = full.prints()
    after.pop("last-backup.json")
    assert after == before
    assert made.manifest.lines == 2


WRITE_AND_DIE = """
import os, pathlib, sys
from guardian.store import journal
from guardian.store.database import Database
with Database(pathlib.Path(sys.argv[1])).transaction() as tx:
    journal.append(tx, "x", who="a test", now=1)
os.kill(os.getpid(), 9)
"""


def test_a_damaged_store_is_never_backed_up_as_if_it_were_whole(full: Standing, tmp_path: Path) -> None:
    with sqlite3.connect(full.state / STORE, isolation_level=None) as connection:
        connection.execute("drop trigger journal_never_changed")
        connection.execute("update journal set who = 'another'")
    connection.close()
    with pytest.raises(Broken, match="journal breaks at line 1"):
        full.backup(tmp_path / "b.tar")
    assert not list(tmp_path.glob("*.tar"))


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_somebody_else_can_neither_make_a_backup_nor_restore_one() -> None:
    python = interpreter_for_all()
    assert python is not None
    with tempfile.TemporaryDirectory(prefix="backup-") as directory:  # pytest closes its own to others
        place = Path(directory)
        place.chmod(0o755)
        house = standing(place / "base")
        house.fill("one")
        config = place / "guardian.toml"
        config.write_text(f'state_dir = "{house.house.state_dir}"\nruntime_dir = "{house.house.runtime_dir}"\n')
        file = house.backup(place / "b.tar").path
        file.chmod(0o644)
        before = house.prints()
        for words in (["backup", str(place / "c.tar")], ["restore", str(file), "--replace"]):
            done = subprocess.run(
                [python.path, "-m", "guardian", *words, "--config", str(config)],
                check=False, capture_output=True, text=True, cwd=python.tree, user=65534, group=65534,
                env={**os.environ, **python.environment}, timeout=60,
            )  # fmt: skip
            assert done.returncode == 13, done.stderr
            assert "belongs to another user" in done.stderr
        assert house.prints() == before


@pytest.mark.parametrize(
    ("command", "words", "why"),
    [
        ("backup", ["a", "b"], "unrecognized arguments: b"),
        ("backup", ["--keep", "0"], "no number of them"),
        ("backup", ["--keep", "many"], "invalid int value"),
        ("backup", ["--kee", "3"], "unrecognized arguments"),
        ("restore", [], "required: file"),
        ("restore", ["b.tar", "--to", "x", "--replace"], "--to is for an empty place"),
        ("restore", ["b.tar", "--to", "/nowhere/at/all"], "is no directory"),
    ],
)
def test_wrong_use_is_said_in_words_and_does_nothing(
    command: str, words: list[str], why: str, full: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "guardian.toml"
    config.write_text(f'state_dir = "{full.house.state_dir}"\nruntime_dir = "{full.house.runtime_dir}"\n')
    before = full.prints()
    assert program.main(command, ["--config", str(config), *words, "--json"]) == 2
    said = capsys.readouterr()
    assert why in said.err
    assert json.loads(said.out)["error"]["code"] == "bad_input"
    assert full.prints() == before
