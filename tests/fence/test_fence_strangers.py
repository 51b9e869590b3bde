"""A user who may not: told so at every step, never shown what he cannot see, never believed, never CONFIRMED."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from guardian.fence import gates, permits, processes, reading, scopes
from guardian.fence.stopping import Order, Stopping
from tests.fence.fence_stranger import STRANGER, give_away, stranger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardian.fence.house import House

    Sender = Callable[..., subprocess.Popen[str]]

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]


def stop(house: House, scope: str = "all") -> Stopping:
    return Stopping(house, Order((scope,), "why", "me", 0.05))


def test_a_stop_by_a_user_who_may_not_end_the_sender_is_not_confirmed_and_says_as_root(
    house: House, sender: Sender
) -> None:
    """The house is his own; the process that hangs inside, as after a start by root, is not."""
    process = sender(seconds=30)
    give_away(house.runtime_dir, house.gates)
    with stranger(house), stop(house) as stopping:
        confirmed = stopping.confirm()
    assert not confirmed
    assert stopping.denied
    assert [(one.pid, one.why) for one in stopping.unconfirmed] == [
        (process.pid, f"this user may not end process {process.pid}")
    ]
    assert "as root: kill -9" in stopping.unconfirmed[0].fix
    assert process.poll() is None
    assert not os.path.exists(house.permit("all"))


def test_a_stop_that_may_not_see_who_owns_the_store_never_trusts_a_new_gate(house: House) -> None:
    give_away(house.runtime_dir, house.gates)
    os.unlink(house.gate("all"))
    with stranger(house), stop(house) as stopping:
        confirmed = stopping.confirm()
    assert not confirmed
    (found,) = stopping.unconfirmed
    assert "who owns the store is not known" in found.why
    assert f"{house.store_lock}: Permission denied" in found.why


def test_who_may_not_read_the_list_of_scopes_is_denied_and_not_told_that_the_scope_is_unknown(house: House) -> None:
    with stranger(house), pytest.raises(PermissionError):
        scopes.exists(house, "brand:acme")


def test_who_may_not_enter_the_house_is_not_told_that_it_is_frozen(house: House) -> None:
    """A permit that cannot be seen looks like a permit that is gone."""
    os.chmod(house.runtime_dir, 0o700)
    with stranger(house), pytest.raises(PermissionError):
        reading.read_scope(house, "all")


def test_who_may_not_see_the_lock_of_the_daemon_sees_whether_its_socket_is_there(house: House, tmp_path: Path) -> None:
    life = gates.lock_for_life(house.daemon_lock)
    assert life is not None
    with stranger(house):
        before = reading.daemon_state(house)
    (tmp_path / "run" / "control.sock").touch()
    with stranger(house):
        after = reading.daemon_state(house)
    os.close(life)
    assert (before, after) == (("absent", None), ("running", None))


def test_a_permit_in_a_directory_of_somebody_else_lets_no_send_out(house: House) -> None:
    """A look at it is no matter of mode bits alone: whoever owns the directory exchanges what lies in it."""
    give_away(house.gates)
    with stranger(house):
        his = permits.read_volatile(house, "all")
    os.chown(house.gates, STRANGER + 1, STRANGER + 1)
    os.chmod(house.gates, 0o755)  # noqa: S103 (so that the owner alone is what is wrong)
    with stranger(house):
        found = permits.read_volatile(house, "all")
    assert isinstance(his, permits.Permit)
    assert found == permits.Flaw(f"its directory belongs to uid {STRANGER + 1}")


def test_a_process_of_another_user_is_not_called_ended_when_the_signal_was_refused() -> None:
    process = subprocess.Popen(["sleep", "30"])
    watch = processes.Watch()
    watch.add(process.pid)
    try:
        os.setresuid(STRANGER, STRANGER, 0)
        refusal = watch.kill(process.pid)
    finally:
        os.setresuid(0, 0, 0)
    assert refusal == f"this user may not end process {process.pid}"
    assert process.poll() is None
    process.kill()
    process.wait(5)
    watch.close()


def test_a_user_without_root_makes_a_house_of_his_own_that_nobody_else_may_enter(house: House) -> None:
    os.chown(house.state_dir, STRANGER, STRANGER)
    place = f"{house.state_dir}/his"
    with stranger(house):
        scopes.make_private(place)
        fd = os.open(f"{place}/file", os.O_WRONLY | os.O_CREAT, 0o600)
        scopes.give_to_owner(fd, place)
        os.close(fd)
    found = os.stat(place)
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, STRANGER)
    assert os.stat(f"{place}/file").st_uid == STRANGER


def test_a_process_that_proc_does_not_show_is_not_taken_for_dead(tmp_path: Path) -> None:
    """`hidepid`, seen from here: a /proc without it, and a process that is there all the same."""
    assert processes.is_hidden(os.getpid(), proc=str(tmp_path))
    assert not processes.is_hidden(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(20)
    assert not processes.is_hidden(ended.pid)
