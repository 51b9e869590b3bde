"""`guardian freeze` as it is typed: what it understands, what it refuses, what it never needs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.fence.command import WrongUse, understand
from guardian.fence.house import FenceError, config_path, find_house

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.fence.house import House

HEAVY = ("typer", "pydantic", "requests", "urllib3", "structlog", "aiosql", "sqlite3", "dataclasses", "argparse")


def freeze(house: House, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    return subprocess.run(
        [sys.executable, "-m", "guardian", "freeze", *place, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={**os.environ, **environment},
    )


def test_the_words_after_freeze_are_the_reason_and_the_scope_is_everything() -> None:
    wish = understand(["a", "bad", "joke", "is", "live"])
    assert (wish.reason, wish.scopes, wish.drain, wish.wait) == ("a bad joke is live", ("all",), 5.0, 3.0)


def test_options_may_stand_anywhere_among_the_words() -> None:
    wish = understand(["bad", "--scope", "brand:acme", "joke", "--drain=2", "--scope=all", "--wait", "0s", "--json"])
    assert (wish.reason, wish.scopes, wish.drain, wish.wait) == ("bad joke", ("all", "brand:acme"), 2.0, 0.0)
    assert wish.json
    assert understand(["--", "--scope", "x"]).reason == "--scope x"


@pytest.mark.parametrize(
    "words",
    [
        ["--scope"],
        ["--reson", "x"],
        ["--drain", "soon"],
        ["--drain", "-1"],
        ["--wait", "nan"],
        ["--wait=1e9"],
        ["--capture"],
        ["--capture", "perhaps"],
        ["--native=perhaps"],
        ["--native="],
        ["--takedown"],
    ],
)
def test_what_it_does_not_understand_is_said_and_is_not_a_freeze(house: House, words: list[str]) -> None:
    with pytest.raises(WrongUse, match="cannot"):
        understand(words)
    done = freeze(house, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("NOT FROZEN: cannot")
    assert "CONFIRMED" not in done.stdout
    assert os.path.exists(house.permit("all"))


@given(st.lists(st.text(max_size=12), max_size=8))
def test_no_command_line_makes_it_fall_over(words: list[str]) -> None:
    with contextlib.suppress(WrongUse):
        understand(words)


def test_it_says_confirmed_with_the_daemon_never_started(house: House) -> None:
    done = freeze(house, "bad", "joke")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("FROZEN  CONFIRMED  all  in ")
    assert house.state_dir in done.stdout
    assert "bad joke" in done.stdout
    assert "posts scheduled on the platform itself" in done.stdout


def test_the_json_is_one_document_with_every_key_of_the_contract(house: House) -> None:
    done = freeze(house, "--json", "--scope", "brand:acme", "why")
    document = json.loads(done.stdout)
    assert document["confirmed"] is True
    assert document["durable"] is True
    assert document["scopes"] == ["brand:acme"]
    assert set(document) == {
        "state", "confirmed", "durable", "scopes", "elapsed_ms", "door", "daemon_killed", "epoch", "incident", "held",
        "in_flight", "not_covered", "unconfirmed", "native", "takedown",
    }  # fmt: skip


def test_an_unknown_scope_is_wrong_use_and_never_confirmed(house: House) -> None:
    for scope in ("brand:acmee", "nonsense", "account:../../x"):
        done = freeze(house, "--scope", scope)
        assert done.returncode == 2
        assert "CONFIRMED" not in done.stdout
        assert "brand:acme" in done.stderr
    assert os.path.exists(house.permit("all"))


def test_a_house_that_was_never_set_up_is_not_confirmed(tmp_path: Path) -> None:
    from guardian.fence.house import House

    done = freeze(House(str(tmp_path / "s"), str(tmp_path / "r")), "why")
    assert done.returncode == 10
    assert "no guardian was ever set up" in done.stderr
    assert not (tmp_path / "r").exists()


def test_without_a_durable_place_the_exit_code_says_what_a_reboot_would_undo(house: House) -> None:
    for name in os.listdir(house.permits):
        os.unlink(f"{house.permits}/{name}")
    os.rmdir(house.permits)
    done = freeze(house, "why")
    assert done.returncode == 11
    assert "lost at a reboot" in done.stdout


def test_a_mistake_elsewhere_in_the_configuration_never_stops_the_stop(house: House, tmp_path: Path) -> None:
    config = tmp_path / "guardian.toml"
    config.write_text(
        f"state_dir = \"{house.state_dir}\"  # here\nruntime_dir = '{house.runtime_dir}'\nthis is [no TOML = at all\n"
        '[queue]\nlate_after = "nonsense\nstate_dir = "/elsewhere"\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "guardian", "--config", str(config), "freeze", "why"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(house.permit("all"))


def test_the_house_is_the_one_that_the_environment_names(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "guardian.toml"
    config.write_text(f'state_dir = "{house.state_dir}"\nruntime_dir = "{house.runtime_dir}"\n')
    monkeypatch.setenv("GUARDIAN_CONFIG", str(config))
    assert find_house(None, None, None) == house
    monkeypatch.delenv("GUARDIAN_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    if not os.path.exists("/etc/guardian/guardian.toml"):
        assert config_path(None) is None
        with pytest.raises(FenceError, match="cannot find the house"):
            find_house(None, None, None)


def test_a_relative_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FenceError, match="not absolute"):
        find_house(None, "state", str(tmp_path))


def test_the_way_to_the_stop_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv=['guardian','freeze','--help']\n"
        "import guardian.__main__ as m; m.leave=lambda c:c; m.main()\n"
        "import guardian.fence.stopping\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert done.stderr.strip() == "[]"


def test_a_closed_pipe_does_not_stop_the_stop_half_way(house: House) -> None:
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    with subprocess.Popen([sys.executable, "-m", "guardian", "freeze", *place], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(20) == 0
    assert not os.path.exists(house.durable("all"))
