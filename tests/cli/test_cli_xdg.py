"""A house of one's own without root: where the environment says, and the same one for every command that is typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import init as init_
from guardian.errors import Mistake
from guardian.fence import house as house_
from tests.torture.people import interpreter_for_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOMEBODY = 61010  # without an entry in /etc/passwd, and so without a home that anybody knows
VARIABLES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "GUARDIAN_CONFIG")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that says nothing at all, for a user who is not root."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    uid = os.geteuid() or SOMEBODY
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(house_, "SYSTEM_CONFIG", "/nowhere/guardian.toml")
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", uid, -1)
    return tmp_path


def plan(monkeypatch: pytest.MonkeyPatch, **environment: str) -> init_.Plan:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return init_.usual(None)


def test_every_directory_is_taken_from_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan(
        monkeypatch,
        HOME="/not/asked",
        XDG_CONFIG_HOME=f"{place}/config",
        XDG_STATE_HOME=f"{place}/state",
        XDG_RUNTIME_DIR=f"{place}/run",
    )
    assert found == init_.Plan(
        place / "config/guardian/guardian.toml", f"{place}/state/guardian", f"{place}/run/guardian"
    )


@pytest.mark.parametrize("value", ["", ".", "config", "~/config", "../x"])
def test_a_relative_directory_is_as_good_as_none(place: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It would be another house in every directory: `guardian freeze` would stop one that nobody runs."""
    monkeypatch.chdir(place)
    found = plan(monkeypatch, HOME=f"{place}/home", XDG_CONFIG_HOME=value, XDG_STATE_HOME=value, XDG_RUNTIME_DIR=value)
    base = f"{place}/home"
    state = f"{base}/.local/state/guardian"
    assert found == init_.Plan(Path(base, ".config/guardian/guardian.toml"), state, f"{state}/run")
    assert house_.user_config_path() == str(found.config)


@pytest.mark.parametrize("runtime", ["absent", "file", "x" * 100])
def test_a_memory_directory_that_will_not_do_is_replaced_by_the_state_directory(
    place: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    (place / "file").write_text("")
    (place / ("x" * 100)).mkdir()
    os.chown(place / ("x" * 100), os.geteuid(), -1)
    found = plan(monkeypatch, HOME=str(place), XDG_RUNTIME_DIR=f"{place}/{runtime}")
    assert found.runtime_dir == f"{place}/.local/state/guardian/run"


def test_somebody_elses_memory_directory_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY + 1)  # after `su`, the variable is the other user's
    found = plan(monkeypatch, HOME=str(place), XDG_RUNTIME_DIR=f"{place}/run")
    assert found.runtime_dir == f"{place}/.local/state/guardian/run"


@pytest.mark.parametrize("home", ["~", "home", "."])
@pytest.mark.usefixtures("place")
def test_without_a_home_nothing_is_made_where_one_happens_to_stand(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setattr(
        os.path, "expanduser", lambda path: path.replace("~", home, 1)
    )  # as for a user without an entry
    assert house_.user_config_path() is None
    assert house_.config_path(None) is None
    with pytest.raises(Mistake, match="because HOME names no directory"):
        init_.usual(None)


@pytest.mark.usefixtures("place")
def test_a_state_directory_that_nothing_names_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(Mistake, match="because HOME names no directory"):
        plan(monkeypatch, XDG_CONFIG_HOME="/config")


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(
    place: Path, monkeypatch: pytest.MonkeyPatch, guardian: Callable[..., Any]
) -> None:
    base = place / ("y" * 90)
    monkeypatch.setenv("HOME", str(base))
    ran = guardian("init")
    assert ran.code == 2
    assert "a Unix socket in it would have a longer address than the kernel takes" in ran.err
    assert not base.exists()


@dataclass
class Person:
    """A user with a home and nothing else; what is typed is run as that user."""

    home: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def words(self, *words: str) -> dict[str, Any]:
        python = interpreter_for_all()
        assert python is not None
        settled = {key: value for key, value in os.environ.items() if key not in VARIABLES} | python.environment
        path = f"{python.tree}:{python.environment.get('PYTHONPATH', '')}".rstrip(":")
        return {
            "args": [python.path, "-m", "guardian", *words],
            "user": SOMEBODY, "group": SOMEBODY, "extra_groups": [],
            "env": {**settled, **self.environment, "PYTHONPATH": path},
        }  # fmt: skip

    def type(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **self.words(*words), cwd=cwd or self.home, capture_output=True, text=True, timeout=60, check=False
        )

    def run(self) -> subprocess.Popen[bytes]:
        with (self.home / "log").open("ab") as log:
            self.started.append(subprocess.Popen(**self.words("run"), cwd=self.home, stdout=log, stderr=log))
        return self.started[-1]


@pytest.fixture
def person() -> Iterator[Person]:
    with tempfile.TemporaryDirectory(prefix="xdg-") as name:
        home = Path(name)
        os.chown(home, SOMEBODY, SOMEBODY)
        found = Person(home, {"HOME": str(home)})
        yield found
        for process in found.started:
            process.kill()
            process.wait(20)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(Path(house_.SYSTEM_CONFIG).exists(), reason="this host has a house of its own")
@pytest.mark.parametrize("kind", ["home alone", "all named", "relative", "no home"])
def test_a_user_makes_runs_looks_at_and_freezes_the_same_house_from_anywhere(person: Person, kind: str) -> None:
    named = {f"XDG_{name}": f"{person.home}/{name.lower()}" for name in ("CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR")}
    if kind == "relative":
        person.environment |= dict.fromkeys(named, "somewhere")
    elif kind != "home alone":
        person.environment |= named
        Path(named["XDG_RUNTIME_DIR"]).mkdir(mode=0o700)
        shutil.chown(named["XDG_RUNTIME_DIR"], SOMEBODY, SOMEBODY)
    if kind == "no home":
        del person.environment["HOME"]
    made = person.type("init", "--json")
    assert made.returncode == 0, made
    where = json.loads(made.stdout)
    assert where["next"][-1] == "guardian status"  # nobody has to name the configuration
    assert where["runtime_dir"].startswith(named["XDG_RUNTIME_DIR"]) is (kind in ("all named", "no home"))
    daemon = person.run()
    until = time.monotonic() + 30
    while not Path(where["runtime_dir"], "control.sock").exists():
        assert daemon.poll() is None, (person.home / "log").read_text()
        assert time.monotonic() < until
        time.sleep(0.05)
    stop = person.type("freeze", "--json", "from", "anywhere", cwd=Path("/"))
    assert stop.returncode == 0, stop
    assert json.loads(stop.stdout)["epoch"]  # the daemon of that very house was told
    seen = json.loads(person.type("status", "--json", cwd=Path("/tmp")).stdout)  # noqa: S108 (any other directory)
    assert (seen["state"], seen["daemon"], seen["state_dir"]) == ("frozen", "running", where["state_dir"])
    assert [one["reason"] for one in seen["freezes"]] == ["from anywhere"]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(Path(house_.SYSTEM_CONFIG).exists(), reason="this host has a house of its own")
def test_a_user_without_a_home_is_told_so_by_every_command_and_nothing_is_made(person: Person) -> None:
    del person.environment["HOME"]
    before = sorted(person.home.iterdir())
    for words, code in ((("init",), 2), (("status",), 2), (("run",), 2), (("freeze", "x"), 10)):
        done = person.type(*words)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert "cannot " in done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(person.home.iterdir()) == before


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(Path(house_.SYSTEM_CONFIG).exists(), reason="this host has a house of its own")
def test_a_memory_directory_that_went_with_the_session_keeps_the_house_closed_and_says_so(person: Person) -> None:
    memory = person.home / "session"
    memory.mkdir(mode=0o700)
    shutil.chown(memory, SOMEBODY, SOMEBODY)
    person.environment["XDG_RUNTIME_DIR"] = str(memory)
    assert person.type("init").returncode == 0
    shutil.rmtree(memory)
    person.home.chmod(0o555)
    os.chown(person.home, 0, 0)  # as /run/user is: nobody but root makes a place in it
    done = person.type("init")
    assert (done.returncode, done.stdout) == (13, "")
    assert "loginctl enable-linger" in done.stderr
    run = person.type("run")
    assert run.returncode == 1
    assert "cannot use" in run.stderr
    assert "Traceback" not in run.stderr
