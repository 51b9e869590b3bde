"""The spool: one file for one content, whole or not at all, and never published when it has rotted."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from guardian.errors import DiskFull, Rotten, SpoolFull, TooLarge, Unfound, Unwritable
from guardian.store.spool import Spool
from tests.torture.daemon import ROOT
from tests.torture.mounts import in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
TAKES_IN = """
import sys
from pathlib import Path
from guardian.store.spool import Spool
print(Spool(Path(sys.argv[1])).take_in([b"a picture ", b"of a cat"]).sha256)
"""
CAT = hashlib.sha256(b"a picture of a cat").hexdigest()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def everything(spool: Spool) -> list[Path]:
    return [path for path in spool.path.rglob("*") if path.is_file()]


def rots(spool: Spool, sha256: str) -> None:
    path = spool.path_of(sha256)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_was_handed_over_lies_under_its_hash_and_is_nobody_elses(spool: Spool) -> None:
    kept = spool.take_in([b"a picture ", b"", b"of a cat"])
    assert kept == (CAT, 18, True)
    path = spool.path / CAT[:2] / CAT
    assert spool.path_of(CAT) == path
    assert path.read_bytes() == b"a picture of a cat"
    assert spool.read(CAT) == b"a picture of a cat"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent, spool.path)] == [0o600, 0o700, 0o700]
    assert everything(spool) == [path]


def test_the_same_content_twice_is_one_file_and_is_not_written_again(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    before = spool.path_of(CAT).stat()
    assert not spool.take_in([b"a picture", b" of a cat"]).fresh
    after = spool.path_of(CAT).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(everything(spool)) == 1


def test_the_same_content_from_sixteen_at_once_is_one_file(spool: Spool) -> None:
    together, found = threading.Barrier(16), []

    def chunks() -> Iterator[bytes]:
        yield b"a picture "
        together.wait(20)
        yield b"of a cat"

    threads = [threading.Thread(target=lambda: found.append(spool.take_in(chunks()))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [kept.sha256 for kept in found] == [CAT] * 16
    assert sum(kept.fresh for kept in found) == 1
    assert len(everything(spool)) == 1


def test_a_file_that_rotted_is_named_and_not_handed_out(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    rots(spool, CAT)
    for use in (spool.read, spool.checked):
        with pytest.raises(Rotten, match=f"{CAT}, because its content is not what was handed over"):
            use(CAT)


def test_a_file_that_was_cut_or_replaced_by_something_else_is_not_handed_out(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    path = spool.path_of(CAT)
    os.truncate(path, 3)
    with pytest.raises(Rotten):
        spool.read(CAT)
    path.unlink()
    path.mkdir()
    with pytest.raises(Rotten):
        spool.read(CAT)
    path.rmdir()
    path.symlink_to("/etc/passwd")
    with pytest.raises(Rotten):
        spool.read(CAT)


def test_the_same_file_handed_over_again_takes_the_place_of_the_rotten_one(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    rots(spool, CAT)
    assert spool.take_in([b"a picture of a cat"]).fresh
    assert spool.read(CAT) == b"a picture of a cat"
    assert len(everything(spool)) == 1


@pytest.mark.parametrize("name", ["", "ab", "../" * 20 + "etc/passwd", CAT.upper(), CAT + "\n", "é" * 64, CAT])
def test_what_is_no_hash_or_is_not_there_is_not_found(spool: Spool, name: str) -> None:
    with pytest.raises(Unfound):
        spool.read(name)


def test_a_file_that_is_too_large_leaves_nothing_behind(spool: Spool) -> None:
    with pytest.raises(TooLarge):
        spool.take_in([b"12345", b"67890", b"1"], limit=10)
    assert everything(spool) == []
    assert spool.take_in([b"12345", b"67890"], limit=10).size == 10


def test_a_reader_says_how_much_it_can_bear(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    with pytest.raises(TooLarge):
        spool.read(CAT, limit=17)


def test_a_source_that_breaks_off_leaves_nothing_behind(spool: Spool) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a picture"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        spool.take_in(chunks())
    assert everything(spool) == []


def test_a_full_spool_says_so_and_has_room_again_when_something_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", most=3 * 4096)
    first = spool.take_in([b"1"])
    for content in (b"2", b"3"):
        spool.take_in([content])
    with pytest.raises(SpoolFull, match="is full"):
        spool.take_in([b"4"])
    assert spool.remove(first.sha256) == 1
    assert spool.take_in([b"4"]).fresh
    with pytest.raises(SpoolFull):
        Spool(tmp_path / "spool", most=3 * 4096).take_in([b"5"])
    assert len(everything(spool)) == 3


def test_what_did_not_stay_is_not_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", most=2 * 4096)
    spool.take_in([b"1"])
    for _ in range(5):
        spool.take_in([b"1"])
        with pytest.raises(TooLarge):
            spool.take_in([b"123"], limit=2)
        rots(spool, hashlib.sha256(b"1").hexdigest())
    assert spool.take_in([b"2"]).fresh


@pytest.mark.parametrize("point", ["spool.written", "spool.renamed", "spool.kept"])
def test_a_crash_on_the_way_leaves_a_whole_file_or_none(tmp_path: Path, point: str) -> None:
    words = [sys.executable, "-c", TAKES_IN, str(tmp_path / "spool")]
    settled = {**os.environ, "GUARDIAN_FAILPOINTS": f"{point}=crash"}
    done = subprocess.run(words, env=settled, cwd=ROOT, timeout=30, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    spool = Spool(tmp_path / "spool")
    spool.recover()
    assert everything(spool) == ([] if point == "spool.written" else [spool.path_of(CAT)])
    assert spool.take_in([b"a picture of a cat"]).fresh is (point == "spool.written")
    assert spool.read(CAT) == b"a picture of a cat"


def test_what_a_crash_left_half_written_is_gone_at_the_next_start_and_only_that(spool: Spool) -> None:
    spool.take_in([b"a picture of a cat"])
    with spool.receiving() as incoming:
        incoming.write(b"half of")
        assert len(everything(spool)) == 2
        again = Spool(spool.path)
        again.recover()
        assert everything(again) == [again.path_of(CAT)]


def test_a_spool_that_cannot_be_made_does_not_keep_the_daemon_from_starting(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    spool = Spool(tmp_path / "spool")
    with pytest.raises(Unwritable, match="cannot be written"):
        spool.take_in([b"x"])


def test_what_lies_there_can_be_listed_and_removed(spool: Spool) -> None:
    made = {spool.take_in([bytes([number])]).sha256 for number in range(20)}
    (spool.path / "ab").mkdir(exist_ok=True)
    (spool.path / "ab" / "notes.txt").write_text("somebody's")
    assert {one.sha256 for one in spool.lying()} == made
    for sha256 in made:
        assert spool.remove(sha256) == 1
    assert list(spool.lying()) == []


@pytest.mark.root
@NEEDS_ROOT
@pytest.mark.parametrize("spare", [0, 1 << 30])
def test_a_full_disk_leaves_nothing_behind_and_keeps_room_for_the_store(tmp_path: Path, spare: int) -> None:
    place = tmp_path / "disk"
    with in_memory(str(place), "8m"):
        spool = Spool(place / "spool", spare=spare)
        kept = spool.take_in([b"small"])
        with pytest.raises(DiskFull, match="is full; nothing was changed"):
            spool.take_in(bytes(65536) for _ in range(1000))
        assert everything(spool) == [spool.path_of(kept.sha256)]
        for number in range(200):
            try:
                spool.take_in([bytes([number]) * 65536])
            except DiskFull:
                break
        else:
            raise AssertionError("the disk never became full")
        left = os.statvfs(place)
        assert left.f_bavail * left.f_frsize >= (300_000 if spare else 0)
        assert spool.read(kept.sha256) == b"small"
