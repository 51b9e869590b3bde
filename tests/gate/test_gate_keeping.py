"""Logins that outlive the daemon: never lost by a crash, never in clear, never two renewals at once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from guardian import masking
from guardian.errors import Doubt
from guardian.gate.keeping import MOST, SealedKeeping
from guardian.model import Secret
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from pathlib import Path

ACME = account_at("https://mastodon.example")
OTHER = replace(ACME, secrets={"token": Secret("another token of theirs")})
TOKEN = b'{"refresh": "one-use-refresh-token"}'
HOLDS_A_TURN = """
import sys, time
from pathlib import Path
from guardian.gate.keeping import SealedKeeping
from tests.gate.test_gate_keeping import ACME
with SealedKeeping(ACME, Path(sys.argv[1])).turn():
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


def test_a_rotated_token_is_there_after_a_restart(place: Path) -> None:
    assert SealedKeeping(ACME, place).read() is None
    keeping = SealedKeeping(ACME, place)
    with keeping.turn():
        keeping.write(b"an older one")
        keeping.write(TOKEN)
    assert SealedKeeping(ACME, place).read() == TOKEN
    assert keeping.read() == TOKEN


def test_what_is_kept_is_known_as_a_secret_before_anybody_has_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever writes it, and by the next life that reads it."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrZXB0In0.kept-from-then-on"
    for data, word in ((TOKEN, "one-use-refresh-token"), (f"acme:::did:plc:x:::{jwt}".encode(), jwt)):
        for deed in (lambda data=data: SealedKeeping(ACME, place).write(data), SealedKeeping(ACME, place).read):
            known = masking.Known()
            monkeypatch.setattr(masking, "keep_for_now", known.keep_for_now)
            deed()
            assert known.without(f"it was {word}") == f"it was {masking.HIDDEN}"


def test_the_file_shows_its_token_to_nobody(place: Path) -> None:
    SealedKeeping(ACME, place).write(TOKEN)
    [found] = [path for path in place.iterdir() if path.suffix == ".sealed"]
    assert b"one-use" not in found.read_bytes()
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_what_was_kept_under_secrets_of_yesterday_is_forgotten(place: Path) -> None:
    SealedKeeping(ACME, place).write(TOKEN)
    assert SealedKeeping(OTHER, place).read() is None
    SealedKeeping(OTHER, place).write(b"new")
    assert SealedKeeping(OTHER, place).read() == b"new"
    assert SealedKeeping(ACME, place).read() is None


def test_one_accounts_file_does_not_open_for_another(place: Path) -> None:
    SealedKeeping(ACME, place).write(TOKEN)
    (place / "acme.sealed").rename(place / "umbrella.sealed")
    assert SealedKeeping(replace(ACME, name="umbrella"), place).read() is None


@pytest.mark.parametrize("damage", [b"", b"guardian kept 1\nshort", b"x" * 200, b"guardian kept 1\n" + b"y" * 200])
def test_a_damaged_file_is_as_good_as_none(place: Path, damage: bytes) -> None:
    keeping = SealedKeeping(ACME, place)
    keeping.write(TOKEN)
    (place / "acme.sealed").write_bytes(damage)
    assert keeping.read() is None
    keeping.write(TOKEN)
    assert keeping.read() == TOKEN


def test_a_link_and_a_pipe_in_its_place_are_not_followed(place: Path, tmp_path: Path) -> None:
    keeping = SealedKeeping(ACME, place)
    keeping.write(TOKEN)
    (place / "acme.sealed").rename(tmp_path / "elsewhere")
    (place / "acme.sealed").symlink_to(tmp_path / "elsewhere")
    assert keeping.read() is None
    (place / "acme.sealed").unlink()
    os.mkfifo(place / "acme.sealed")
    assert keeping.read() is None


def test_what_a_crash_left_beside_it_stands_in_nobodys_way(place: Path) -> None:
    keeping = SealedKeeping(ACME, place)
    keeping.write(TOKEN)
    (place / "acme.sealed.new").write_bytes(b"half of it")
    assert keeping.read() == TOKEN
    keeping.write(b"the next")
    assert keeping.read() == b"the next"


def test_a_login_that_cannot_be_kept_says_so_and_the_old_one_stays(place: Path) -> None:
    keeping = SealedKeeping(ACME, place)
    keeping.write(TOKEN)
    with pytest.raises(Doubt, match="larger than 65536 bytes"):
        keeping.write(b"x" * (MOST + 1))
    (place / "acme.sealed.new").mkdir()
    with pytest.raises(Doubt, match=r"cannot keep the login of acme, because .*directory"):
        keeping.write(b"the next")
    assert keeping.read() == TOKEN


def test_where_no_directory_can_be_made_no_turn_is_given(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("in the way")
    keeping = SealedKeeping(ACME, tmp_path / "sessions")
    with pytest.raises(Doubt, match="cannot keep the login of acme"), keeping.turn():
        pytest.fail("nobody else was kept out")


def test_without_a_place_it_is_kept_as_long_as_the_process_lives() -> None:
    one = replace(ACME, name="acme-in-memory")
    with SealedKeeping(one, None).turn():
        SealedKeeping(one, None).write(TOKEN)
    assert SealedKeeping(one, None).read() == TOKEN
    assert SealedKeeping(replace(one, secrets=OTHER.secrets), None).read() is None


def test_two_adapters_of_one_account_never_renew_at_once(place: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def renew() -> None:
        nonlocal inside, most
        with SealedKeeping(ACME, place).turn():
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=renew) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (inside, most) == (0, 1)


def test_whoever_waits_too_long_for_a_turn_is_told_so_and_waits_no_more(place: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with SealedKeeping(ACME, place).turn():
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(20)
    with pytest.raises(Doubt, match="somebody else"), SealedKeeping(ACME, place).turn(within=0.05):
        pytest.fail("two at once")
    leave.set()
    thread.join(20)


def test_another_process_keeps_us_out_until_it_is_killed(place: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_TURN, str(place)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"mine\n"
            with pytest.raises(Doubt, match="somebody else"), SealedKeeping(ACME, place).turn(within=0.1):
                pytest.fail("two at once")
        finally:
            other.send_signal(signal.SIGKILL)
    with SealedKeeping(ACME, place).turn(within=10):
        SealedKeeping(ACME, place).write(TOKEN)
    assert SealedKeeping(ACME, place).read() == TOKEN
