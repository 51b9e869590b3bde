"""The odd places of the command: help, people without a name, callers who left, houses that may not be looked at."""

from __future__ import annotations

import os
import pwd
import socket
from typing import TYPE_CHECKING

import pytest

from guardian.fence import agent, command, gates, hearing, reading
from guardian.fence import house as house_
from guardian.fence.house import Denied, FenceError, find_house, must_exist

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.fence.house import House


def test_the_help_freezes_nothing(capsys: pytest.CaptureFixture[str], house: House) -> None:
    assert command.main(["--help"]) == 0
    assert "Example:" in capsys.readouterr().out
    assert os.path.exists(house.permit("all"))


def test_who_may_not_is_told_so_before_anything_else() -> None:
    assert command.exit_code({"confirmed": False, "durable": False, "takedown": []}, denied=True) == 13


def test_a_user_without_a_name_is_called_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)  # a container without an entry for its user
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert command.who_calls() == f"uid {os.getuid()}"


def test_a_caller_who_has_left_does_not_break_the_answer() -> None:
    near, far = socket.socketpair()
    near.close()
    with far:
        hearing.answer(far, 200, {})


def test_a_missing_memory_directory_does_not_keep_the_agent_from_stopping(house: House, tmp_path: Path) -> None:
    config = tmp_path / "guardian.toml"
    config.write_text(f'state_dir = "{house.state_dir}"\nruntime_dir = "{house.runtime_dir}"\n')
    for name in os.listdir(house.gates):
        os.unlink(f"{house.gates}/{name}")
    os.rmdir(house.gates)
    near, far = socket.socketpair()
    with near, far:
        near.sendall(b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        agent.serve(far, str(config))
        assert b'"confirmed": true' in near.recv(65536)


@pytest.mark.parametrize("home", ["~", "somewhere"])
def test_a_relative_home_names_no_house(home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From another directory it would be another house, and the stop would miss the one that runs."""
    monkeypatch.delenv("GUARDIAN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    own = tmp_path / home / ".config" / "guardian" / "guardian.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.setattr(house_, "SYSTEM_CONFIG", f"{tmp_path}/none")
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{home}/.config")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", home, 1))
    assert house_.config_path(None) is None
    with pytest.raises(FenceError, match="nor a configuration of your own"):
        find_house(None, None, None)


def test_a_running_daemon_is_seen_by_its_lock(house: House) -> None:
    lock = gates.lock_for_life(house.daemon_lock)
    assert lock is not None
    assert reading.daemon_state(house) == ("running", os.getpid())
    os.close(lock)


@pytest.mark.parametrize(
    ("error", "family"), [(PermissionError, Denied), (OSError, None), (FileNotFoundError, FenceError)]
)
def test_a_house_that_may_not_be_looked_at_is_told_from_one_that_is_not_there(
    house: House, monkeypatch: pytest.MonkeyPatch, error: type[OSError], family: type[FenceError] | None
) -> None:
    def refuse(path: str) -> os.stat_result:
        raise error(5, "as the kernel says", path)

    monkeypatch.setattr(os, "stat", refuse)  # the kernel's refusals, also to root
    if family is None:
        must_exist(house)
        return
    with pytest.raises(family):
        must_exist(house)


def test_a_configuration_that_cannot_be_read_names_the_way_without_it(tmp_path: Path) -> None:
    with pytest.raises(FenceError, match="do name the house"):
        find_house(str(tmp_path / "absent.toml"), None, None)


def test_a_path_with_a_quote_in_it_is_read_and_half_a_string_is_not(tmp_path: Path) -> None:
    config = tmp_path / "guardian.toml"
    config.write_text('state_dir = "/a\\"b"\nruntime_dir = "/run/x"\n')
    assert find_house(str(config), None, None).state_dir == '/a"b'
    config.write_text('state_dir = "/a\n')
    with pytest.raises(FenceError, match="it is no string"):
        find_house(str(config), None, None)


def test_the_users_own_configuration_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "guardian").mkdir()
    own = tmp_path / "guardian" / "guardian.toml"
    own.touch()
    monkeypatch.delenv("GUARDIAN_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(house_, "SYSTEM_CONFIG", str(tmp_path / "absent"))
    assert house_.config_path(None) == str(own)
