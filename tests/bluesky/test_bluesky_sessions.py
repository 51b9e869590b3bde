"""A session outlives the daemon: a restart makes no new login, and what is wrong with what was kept stops nobody."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from adapters.bluesky_session import PATIENCE, Kept, Login, restored
from guardian.errors import PlatformRefusal
from guardian.gate.keeping import SealedKeeping
from tests.bluesky.conftest import desk_at
from tests.bluesky.test_bluesky_house import Watch
from tests.torture import front as fronts
from tests.torture.daemon import DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bluesky.conftest import Desk
    from tests.bluesky.pds import Pds
    from tests.torture.front import Front


@pytest.fixture
def front(pds: Pds) -> Iterator[Front]:
    with fronts.Front(pds.place) as found:
        yield found
        assert not found.trouble


class Lives:
    """One account whose daemon begins anew again and again, behind somebody who counts."""

    def __init__(self, desk: Desk, front: Front, place: Path) -> None:
        self.desk = desk_at(desk.pds, desk.house, desk.brand, front.url)
        self.front = front
        self.keeping = SealedKeeping(self.desk.account, place)
        self.place = place
        self.wall = 1_000_000.0
        self.now = 0.0

    def next(self) -> Login:
        """What a new process knows: nothing but the disk."""
        self.keeping = SealedKeeping(self.desk.account, self.place)
        return self.another()

    def another(self) -> Login:
        client = self.desk.adapter._client
        return Login(
            self.desk.account, client, self.keeping, clock=lambda: self.now, wall=lambda: self.wall, kept=Kept()
        )

    def asked(self, what: str) -> int:
        return sum(what in one.line for one in self.front.seen)

    @property
    def logins(self) -> int:
        return self.asked("createSession")


@pytest.fixture
def lives(desk: Desk, front: Front, tmp_path: Path) -> Lives:
    return Lives(desk, front, tmp_path / "sessions")


def test_the_next_life_goes_on_with_the_session_and_asks_before_it_believes_it(lives: Lives) -> None:
    first = lives.next().proven()
    lives.wall, lives.now = lives.wall + 60, -5.0  # the machine was started anew, too
    second = lives.next().proven()
    assert (second.refresh, second.did) == (first.refresh, first.did)
    assert (lives.logins, lives.asked("refreshSession"), lives.asked("getSession")) == (1, 0, 1)


@pytest.mark.parametrize("passed", [3_700.0, 86_400.0, -3_600.0])
def test_a_session_that_is_old_or_of_a_clock_that_was_set_back_is_renewed_without_a_login(
    lives: Lives, passed: float
) -> None:
    first = lives.next().session()
    lives.wall += passed
    second = lives.next().session()
    assert second.refresh != first.refresh
    assert (lives.logins, lives.asked("refreshSession")) == (1, 1)
    assert lives.next().session().refresh == second.refresh


def test_a_session_that_was_ended_meanwhile_falls_back_to_the_app_password(lives: Lives) -> None:
    first = lives.next().session()
    lives.desk.pds.post("com.atproto.server.deleteSession", None, first.refresh)
    lives.wall += 4_000
    second = lives.next().proven()
    assert second.refresh != first.refresh
    assert lives.logins == 2
    assert lives.next().session().refresh == second.refresh


def test_a_kept_token_that_nobody_takes_falls_back_to_the_app_password(lives: Lives) -> None:
    first = lives.next().session()
    with lives.keeping.turn():
        kept = lives.keeping.read()
        assert kept is not None
        spoilt = kept.replace(first.access.encode(), first.access[:-4].encode() + b"AAAA")
        lives.keeping.write(spoilt.replace(first.refresh.encode(), first.refresh[:-4].encode() + b"AAAA"))
    lives.next().proven()
    assert lives.logins == 2


def test_an_account_that_was_closed_meanwhile_is_said_to_be_and_costs_no_login(lives: Lives) -> None:
    lives.next().session()
    lives.desk.pds.take_down(lives.desk.brand)
    with pytest.raises(PlatformRefusal, match="has closed the account"):
        lives.next().proven()
    lives.desk.pds.take_down(lives.desk.brand, applied=False)
    assert lives.next().proven().did == lives.desk.brand.did
    assert lives.logins == 1


@pytest.mark.parametrize(
    "kept",
    [None, b"", b"{", b"[]", b"null", b"7", b'{"did": "x"}', b"[" * 100_000,
     b'{"did": 1, "handle": "a", "access": "a", "refresh": "a", "pds": "", "made": 1}',
     b'{"did": "a", "handle": "a", "access": "a", "refresh": "a", "pds": "", "made": "now"}'],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_session_is_none(kept: bytes | None) -> None:
    assert restored(kept, now=0.0, wall=0.0) is None


def test_a_disk_that_takes_nothing_stops_no_login(lives: Lives) -> None:
    lives.place.parent.mkdir(exist_ok=True)
    lives.place.write_text("no directory")
    assert lives.next().proven().did == lives.desk.brand.did
    assert lives.logins == 1


def test_an_incident_does_not_wait_for_whoever_holds_the_turn(lives: Lives) -> None:
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lives.keeping.turn():
            held.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        began = time.monotonic()
        assert lives.another().session().did == lives.desk.brand.did
        assert time.monotonic() - began >= PATIENCE  # it did ask for it
        assert thread.is_alive()  # and the turn was never given back
    finally:
        over.set()
        thread.join(10)
    assert lives.keeping.read() is None


def test_two_processes_that_start_together_make_one_login(lives: Lives) -> None:
    logins = [lives.next() for _ in range(3)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda one=one: found.append(one.session().refresh)) for one in logins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 3
    assert (len(set(found)), lives.logins) == (1, 1)


def test_a_restart_of_the_daemon_makes_no_new_login_and_keeps_no_token_in_clear(
    tmp_path: Path, pds: Pds, front: Front
) -> None:
    watch = Watch(tmp_path, pds, front.url)
    try:
        for life in range(2):
            if life:
                watch.daemon.kill()
                watch.daemon = DaemonProcess(watch.house, watch.config, tmp_path / "log")
            watch.daemon.wait_ready()
            at = datetime.now(UTC).isoformat()
            watch.say("queue", "add", "--account", "acme", "--at", at, f"life {life}")
            watch.wait(lambda life=life: len(watch.texts()) == life + 1)  # type: ignore[misc]
    finally:
        watch.daemon.kill()
    assert sum("createSession" in one.line for one in front.seen) == 1
    (sealed,) = (tmp_path / "state" / "sessions").glob("*.sealed")
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"eyJ" not in sealed.read_bytes()
    for secret in (b'accessJwt":"ey', b'"access": "ey', b"Bearer ey"):
        assert secret not in written
