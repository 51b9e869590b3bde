"""Tab: it offers what there is, and never does anything, above all never the one command that asks nothing."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardian import __main__ as door
from guardian.fence import reading
from guardian.fence.usage import USAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

ROOT = door.__file__.rpartition("/guardian/")[0]
NAMED = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # the shell is named, not looked for
OPENS = ("account:acme", "account:beta", "all", "brand:acme", "brand:beta", "platform:mastodon")


def program(place: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    settled = {**os.environ, "GUARDIAN_CONFIG": str(place), **environment}
    command = [sys.executable, "-m", "guardian", *words]
    return subprocess.run(command, env=settled, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def bash(config: Path, *words: str, at: int | None = None, argv: tuple[str, ...] = ()) -> list[str]:
    """What bash's protocol answers for these words, the last of which the cursor is at."""
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1 if at is None else at)}
    done = program(config, {**asked, "_GUARDIAN_COMPLETE": "complete_bash"}, *argv)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.split()


def other(config: Path, shell: str, line: str, **more: str) -> str:
    asked = {"_TYPER_COMPLETE_ARGS": line, "_GUARDIAN_COMPLETE": f"complete_{shell}", **more}
    done = program(config, asked)
    assert done.stderr == ""
    return done.stdout


def is_open(place: Place) -> bool:
    return reading.read_fence(place.house).state == reading.OPEN and not place.get("/v1/status")["freezes"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("guardian", "fre"), ["freeze"]),
        (("guardian", "freeze", "--sc"), ["--scope"]),
        (("guardian", "freeze", "--scope", ""), list(OPENS)),
        (("guardian", "freeze", "--scope", "brand"), ["brand:acme", "brand:beta"]),
        (("guardian", "freeze", "--scope", "brand", ":"), ["acme", "beta"]),
        (("guardian", "freeze", "--scope", "brand", ":", "b"), ["beta"]),
        (("guardian", "freeze", "--scope", "=", "brand", ":", "b"), ["beta"]),
        (("guardian", "freeze", "--scope", "brand:b"), ["brand:beta"]),
        (("guardian", "freeze", "a", "bad", "post", "--dr"), ["--drain"]),
        (("guardian", "thaw", "--scope", "acc"), ["account:acme", "account:beta"]),
        (("guardian", "queue", "add", "--account", "a"), ["acme"]),
        (("guardian", "queue", "list", "--account", "="), ["acme", "beta"]),
        (("guardian", "queue", "list", "--state", "mis"), ["missed"]),
        (("guardian", "queue", "list", "--state", "he"), ["held"]),
        (("guardian", "queue", "imp"), ["import"]),
    ],
    ids=" ".join,
)
def test_what_there_is_is_offered_and_nothing_is_done(place: Place, words: tuple[str, ...], offered: list[str]) -> None:
    assert bash(place.config, *words) == offered
    assert is_open(place)


@pytest.mark.parametrize("argv", [("freeze",), ("--json", "freeze", "x"), ("run",)], ids=" ".join)
def test_a_shell_that_passes_the_words_as_well_only_asks(place: Place, argv: tuple[str, ...]) -> None:
    assert bash(place.config, "guardian", "fre", argv=argv) == ["freeze"]
    assert "freeze" in other(place.config, "fish", "guardian fre", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert is_open(place)


def test_a_variable_that_somebody_forgot_keeps_no_stop_from_stopping(place: Place) -> None:
    done = program(place.config, {"_GUARDIAN_COMPLETE": "complete_bash"}, "freeze", "for real")
    assert (done.returncode, done.stdout.partition("  ")[0]) == (0, "FROZEN")
    assert not is_open(place)


def test_zsh_and_fish_are_answered_in_their_own_words(place: Place) -> None:
    said = other(place.config, "zsh", "guardian freeze --scope brand:a")
    assert "acme" in said
    assert "beta" not in said
    said = other(place.config, "fish", "guardian queue add --account ", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert said.split() == ["acme", "beta"]
    assert is_open(place)


def test_a_daemon_that_hangs_offers_nothing_and_is_not_waited_for(place: Place) -> None:
    assert place.daemon is not None
    os.kill(place.daemon.pid, signal.SIGSTOP)
    try:
        assert bash(place.config, "guardian", "queue", "add", "--account", "") == []
        assert bash(place.config, "guardian", "fre") == ["freeze"]
    finally:
        os.kill(place.daemon.pid, signal.SIGCONT)


def test_without_a_daemon_or_a_house_nothing_is_offered_and_nothing_is_said(
    guardian: Callable[..., Any], empty: Path
) -> None:
    assert guardian("init", "--dir", empty).code == 0
    for config in (empty / "guardian.toml", empty / "absent.toml"):
        assert bash(config, "guardian", "freeze", "--scope", "") == []
        assert bash(config, "guardian", "queue", "list", "--account", "") == []


@pytest.mark.parametrize(
    "asked",
    [
        {"_GUARDIAN_COMPLETE": "complete_bash", "COMP_WORDS": "guardian\nfre", "COMP_CWORD": "minus one"},
        {"_GUARDIAN_COMPLETE": "complete_bash", "COMP_WORDS": ""},
        {"_GUARDIAN_COMPLETE": "complete_bash", "COMP_WORDS": 'guardian\nfreeze\n"half', "COMP_CWORD": "99"},
        {"_GUARDIAN_COMPLETE": "complete_nosuch", "COMP_WORDS": "guardian\nfreeze"},
        {"_GUARDIAN_COMPLETE": "rubbish", "_TYPER_COMPLETE_ARGS": "guardian freeze"},
        {"_GUARDIAN_COMPLETE": "", "_TYPER_COMPLETE_ARGS": "guardian freeze"},
    ],
    ids=str,
)
def test_rubbish_in_the_protocol_freezes_nothing_and_raises_nothing(place: Place, asked: dict[str, str]) -> None:
    done = program(place.config, asked, "freeze")
    assert "Traceback" not in done.stderr
    assert is_open(place)


def test_every_option_of_the_stop_is_offered(place: Place) -> None:
    offered = set(bash(place.config, "guardian", "freeze", "--"))
    named = {word.strip("[]|.") for line in USAGE.splitlines()[:4] for word in line.replace("|", " ").split()}
    assert {word for word in named if word.startswith("--")} | {"--help"} == offered
    assert is_open(place)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_every_shell_is_shown(place: Place, shell: str) -> None:
    done = program(place.config, NAMED, "--show-completion", shell)
    assert done.returncode == 0, done
    assert f"_GUARDIAN_COMPLETE=complete_{shell}" in done.stdout
    assert "guardian" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_is_installed_for_the_shell_that_one_sits_in(place: Place, tmp_path: Path) -> None:
    command = f"{sys.executable} -m guardian --install-completion; true"
    environment = {**os.environ, "HOME": str(tmp_path), "GUARDIAN_CONFIG": str(place.config)}
    done = subprocess.run(
        ["bash", "--norc", "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert "bash completion installed in" in done.stdout, done
    assert "guardian.sh" in (tmp_path / ".bashrc").read_text()
    assert "complete_bash" in (tmp_path / ".bash_completions" / "guardian.sh").read_text()


class Terminal:
    """A real bash at a real terminal, with our completion loaded."""

    def __init__(self, place: Place, home: Path) -> None:
        tools = home / "bin"
        tools.mkdir()
        (tools / "guardian").write_text(f'#!/bin/sh\nexec {sys.executable} -m guardian "$@"\n')
        (tools / "guardian").chmod(0o755)
        script = program(place.config, NAMED, "--show-completion", "bash")
        (home / "rc").write_text(f"PS1='ready> '\nbind 'set enable-bracketed-paste off'\n{script.stdout}")
        environment = {
            **os.environ, "GUARDIAN_CONFIG": str(place.config), "PATH": f"{tools}:{os.environ['PATH']}", "TERM": "dumb",
            "PYTHONPATH": ROOT,
        }  # fmt: skip
        self.near, far = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--rcfile", str(home / "rc"), "-i"],
            stdin=far, stdout=far, stderr=far, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(far)
        self.seen = ""

    def type(self, keys: str, until: str) -> None:
        """Press keys, and wait until the screen shows something."""
        self.seen = ""
        os.write(self.near, keys.encode())
        end = time.monotonic() + 30
        while until not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.near], [], [], 0.1)[0]:
                self.seen += os.read(self.near, 65536).decode("utf-8", "replace")

    def leave(self) -> None:
        self.process.kill()
        self.process.wait(20)
        os.close(self.near)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_tab_in_a_real_bash_completes_the_stop_and_stops_nothing(place: Place, tmp_path: Path) -> None:
    terminal = Terminal(place, tmp_path)
    try:
        terminal.type("", until="ready> ")
        terminal.type("guardian fre\t", until="guardian freeze ")
        terminal.type("--sc\t", until="--scope ")
        terminal.type("brand:b\t", until="brand:beta")
        assert is_open(place)
        terminal.type("\x15", until="")  # the line is taken back, unsent
    finally:
        terminal.leave()
    assert is_open(place)
