"""Handing files over on a bad day: a daemon killed, a full disk, a caller without rights, a file that shrinks."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from guardian.errors import GuardianError, Mistake, Unwritable
from tests.daemon.talking import SLACK
from tests.daemon.test_daemon_media import fetched, gone, house, laid, lying
from tests.duties import darkroom
from tests.torture import people
from tests.torture.house import TorturedHouse
from tests.torture.mounts import in_memory

__all__ = ["house"]
pytestmark = pytest.mark.outsider
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, or mount")
HANDS_OVER = """
import sys
from guardian.client import Client
from guardian.fence.house import House
from guardian.errors import GuardianError
try:
    print(Client(House(sys.argv[1], sys.argv[2])).upload(sys.argv[3])["sha256"])
except GuardianError as error:
    print(error.code, error)
"""


@pytest.mark.parametrize("point", ["spool.written", "spool.renamed", "spool.kept"])
def test_a_daemon_killed_while_it_keeps_a_file_takes_it_the_second_time(tmp_path: Path, point: str) -> None:
    path = laid(tmp_path, darkroom.picture("PNG", width=57))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with TorturedHouse() as house:
        daemon = house.start(failpoints=f"{point}=crash")
        with pytest.raises(GuardianError, match="cannot reach the daemon"):
            house.client.upload(path)
        daemon.wait_dead()
        house.start()
        assert lying(house) == (set() if point == "spool.written" else {sha256})
        assert house.client.upload(path)["known"] is False
        assert lying(house) == {sha256}
        assert fetched(house, sha256)[1] == path.read_bytes()


@pytest.mark.root
@NEEDS_ROOT
def test_a_full_disk_answers_507_and_keeps_nothing(tmp_path: Path) -> None:
    film = laid(tmp_path, darkroom.mp4(20 << 20), "film.mp4")
    with TorturedHouse() as house, in_memory(house.house.state_dir, "12m"):
        daemon = house.start()
        with pytest.raises(Unwritable, match="is full; nothing was changed") as found:
            house.client.upload(film)
        assert found.value.code == "disk_full"
        gone(house, set())
        assert house.client.upload(laid(tmp_path, darkroom.picture("PNG")))["known"] is False
        assert "Traceback" not in daemon.tail()
        assert daemon.terminate() == 0


@pytest.mark.root
@NEEDS_ROOT
def test_a_file_is_read_with_the_rights_of_the_caller_and_not_of_the_daemon() -> None:
    """The daemon, as root, could read it; the operator may not, and so it is not handed over."""
    rights = '[rights]\nread = ["operator"]\nfreeze = []\noperate = ["operator"]\n'
    with TorturedHouse(config=rights) as house:
        house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        secret, own = house.directory / "theirs.png", house.directory / "own.png"
        for path, owner in ((secret, people.STRANGER), (own, people.OPERATOR)):
            path.write_bytes(darkroom.picture("PNG", width=58))
            path.chmod(0o600)
            os.chown(path, owner, owner)
        before = lying(house)
        refused = _as(people.OPERATOR, [people.OPERATE_GROUP], house, secret)
        assert refused.startswith(f"bad_input cannot hand over {secret}, because you may not read it, do ")
        assert lying(house) == before
        taken = _as(people.OPERATOR, [people.OPERATE_GROUP], house, own)
        assert taken == hashlib.sha256(own.read_bytes()).hexdigest()
        assert _as(people.STRANGER, [], house, secret).startswith("not_allowed cannot open")


@pytest.mark.root
@NEEDS_ROOT
def test_who_may_only_look_is_told_so_however_much_it_wants_to_send() -> None:
    rights = '[rights]\nread = ["games"]\nfreeze = []\noperate = ["operator"]\n'
    with TorturedHouse(config=rights) as house:
        house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        film = house.directory / "film.mp4"
        film.write_bytes(darkroom.mp4(50 << 20))
        said = _as(people.ON_CALL, [people.FREEZE_GROUP], house, film)
        assert said.startswith(
            f"not_allowed cannot do that as uid {people.ON_CALL}, because it needs the right 'operate'"
        )
        assert lying(house) == set()


def _as(uid: int, groups: list[int], house: TorturedHouse, path: Path) -> str:
    done = people.run(uid, groups, "-c", HANDS_OVER, house.house.state_dir, house.house.runtime_dir, str(path))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_stopped_daemon_is_not_waited_for(tmp_path: Path) -> None:
    with TorturedHouse() as house:
        daemon = house.start(failpoints="")
        path = laid(tmp_path, darkroom.picture("PNG"))
        subprocess.run(["kill", "-STOP", str(daemon.pid)], check=True)
        daemon.wait_stopped()
        began = time.monotonic()
        with pytest.raises(GuardianError, match="is stopped"):
            house.client.upload(path)
        assert time.monotonic() - began < SLACK
        daemon.resume()


def test_a_file_that_shrinks_while_it_is_sent_is_a_mistake_with_its_name(
    house: TorturedHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = laid(tmp_path, darkroom.mp4(3 << 20)), lying(house)
    real = os.pread

    def shrinking(fd: int, size: int, place: int) -> bytes:
        found = real(fd, size, place)
        os.truncate(path, 1 << 20)
        return found

    monkeypatch.setattr(os, "pread", shrinking)
    with pytest.raises(Mistake, match="it became shorter while it was read"):
        house.client.upload(path)
    gone(house, before)
