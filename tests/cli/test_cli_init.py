"""`guardian init`: safe to repeat, and no way around a freeze."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import init as init_
from guardian.config import load
from guardian.fence import permits, reading
from guardian.fence.house import House

if TYPE_CHECKING:
    from collections.abc import Callable

BRAND = """
[accounts.acme]
platform = "mastodon"
brand = "acme"
base_url = "https://mastodon.example"
identity = "@acme@mastodon.example"
"""


def freeze(config: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "guardian", "--config", str(config), "freeze", *words], check=True, timeout=60
    )


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_house_is_closed_to_others_and_open_for_posts(guardian: Callable[..., Any], empty: Path) -> None:
    ran = guardian("init", "--dir", empty / "h", "--json")
    assert ran.code == 0
    assert ran.json["armed"] == ["all"]
    assert any("config check" in step for step in ran.json["next"])
    assert mode(empty / "h" / "state") == 0o700
    assert mode(empty / "h" / "state" / "fence") == 0o700
    assert mode(empty / "h" / "run") <= 0o755
    assert mode(empty / "h" / "run" / "fence") == 0o700
    assert load(empty / "h" / "guardian.toml").state_dir == empty / "h" / "state"
    assert guardian("status", "--config", empty / "h" / "guardian.toml").code == 0


def test_repeating_changes_nothing_and_keeps_what_a_person_wrote(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    config = empty / "guardian.toml"
    config.write_text(config.read_text() + "# mine\n")
    before = {path: path.stat().st_mtime_ns for path in empty.rglob("*")}
    ran = guardian("init", "--dir", empty, "--json")
    assert ran.code == 0
    assert (ran.json["made"], ran.json["armed"], ran.json["kept"]) == ([], [], ["all"])
    assert {path: path.stat().st_mtime_ns for path in empty.rglob("*")} == before


def test_it_never_arms_again_what_is_frozen(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    config = empty / "guardian.toml"
    freeze(config, "stop")
    ran = guardian("init", "--dir", empty)
    assert ran.code == 0
    assert "init never lifts a freeze" in ran.out
    assert guardian("status", "--config", config).code == 20


def test_it_never_arms_again_what_a_reboot_has_disarmed(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    house = House(f"{empty}/state", f"{empty}/run")
    freeze(empty / "guardian.toml", "stop")
    for left in Path(house.gates).iterdir():  # memory, empty after a boot
        left.unlink()
    assert guardian("init", "--dir", empty, "--json").json["armed"] == []
    assert reading.read_fence(house).state == reading.FROZEN


def test_a_new_account_is_armed_while_an_older_freeze_stays(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    config = empty / "guardian.toml"
    freeze(config, "stop")
    config.write_text(config.read_text() + BRAND)
    ran = guardian("init", "--dir", empty, "--json")
    assert ran.json["armed"] == ["account:acme", "brand:acme", "platform:mastodon"]
    assert ran.json["frozen"] == ["all"]
    house = House(f"{empty}/state", f"{empty}/run")
    assert isinstance(permits.read_volatile(house, "brand:acme"), permits.Permit)
    assert guardian("status", "--config", config).code == 20


def test_a_wrong_configuration_arms_nothing(guardian: Callable[..., Any], empty: Path) -> None:
    config = empty / "guardian.toml"
    config.write_text(f'state_dir = "{empty}/state"\nruntime_dir = "{empty}/run"\nzone = "UTC"\n')
    ran = guardian("init", "--config", config)
    assert ran.code == 2
    assert "line 3" in ran.err
    assert not (empty / "state").exists()


def test_a_directory_that_no_house_can_have_is_refused_before_anything_is_made(
    guardian: Callable[..., Any], empty: Path
) -> None:
    ran = guardian("init", "--dir", empty / ("x" * 120))
    assert ran.code == 2
    assert list(empty.iterdir()) == []


def test_two_configurations_at_once_are_not_guessed_between(guardian: Callable[..., Any], empty: Path) -> None:
    assert guardian("init", "--dir", empty, "--config", empty / "other.toml").code == 2


def test_a_file_where_a_directory_belongs_is_named(guardian: Callable[..., Any], empty: Path) -> None:
    (empty / "state").write_text("")
    ran = guardian("init", "--dir", empty)
    assert ran.code == 1
    assert f"cannot use {empty}/state, because it is no directory" in ran.err


@pytest.mark.skipif(os.geteuid() != 0, reason="plays a user without root, by root")
def test_a_user_without_root_gets_a_house_of_their_own(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    plan = init_.usual(None)
    assert plan.config == empty / "config" / "guardian" / "guardian.toml"
    assert (plan.state_dir, plan.runtime_dir) == (f"{empty}/local/guardian", f"{empty}/local/guardian/run")
