"""The face as a whole: help, wrong use, errors, and how a command ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from guardian.cli import endings, status
from guardian.cli.app import app
from guardian.errors import Absent, ConfigMistake, Illegal, Mistake, NotAllowed, Unfound
from guardian.fence.house import Denied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 (Typer's own)
    for name, one in getattr(command, "commands", {}).items():
        yield (*words, name)
        yield from commands(one, (*words, name))


EVERY = sorted(commands(typer.main.get_command(app)))


def test_nobody_has_to_know_that_the_stop_and_the_daemon_take_another_way(guardian: Callable[..., Any]) -> None:
    ran = guardian("--help")
    assert ran.code == 0
    listed = [line.split()[0] for line in ran.out.partition("Commands:")[2].splitlines() if line.startswith("  ")]
    assert {"freeze", "run", "init", "status", "thaw", "config", "queue", "journal", "demo"} <= set(listed)


@pytest.mark.parametrize("words", [one for one in EVERY if one != ("freeze",)], ids=" ".join)
def test_every_help_ends_with_an_example_and_fits_the_page(
    words: tuple[str, ...], guardian: Callable[..., Any]
) -> None:
    ran = guardian(*words, "--help")
    assert ran.code == 0
    assert ran.out.rstrip().rpartition("\n")[2].strip().startswith("Example: guardian ")
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "\x1b" not in ran.out
    assert not set("╭╰│") & set(ran.out)


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_help_of_the_stop_is_that_of_the_fence(word: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "guardian", "freeze", word], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.startswith("Usage: guardian freeze [REASON...]")


def test_the_daemon_shows_its_help_and_does_not_start() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "guardian", "run", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "SIGTERM" in ran.stdout


MASK_AT_THE_FIRST_IMPORT = """
import signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name.startswith("guardian.daemon"):
            print(signal.SIGHUP in signal.pthread_sigmask(signal.SIG_BLOCK, ()), len(sys.modules) < 200)
            raise SystemExit(0)
from guardian import __main__ as door
sys.meta_path.insert(0, Finder())
sys.argv = ["guardian", *sys.argv[1:]]
door.main()
"""


@pytest.mark.parametrize("words", [("run",), ("--config", "x", "run"), ("run", "--config=x")], ids=" ".join)
def test_a_daemon_that_still_imports_is_not_ended_by_a_reload(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", MASK_AT_THE_FIRST_IMPORT, *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["True", "True"]


def test_without_a_command_nothing_is_done_and_the_commands_are_shown(guardian: Callable[..., Any]) -> None:
    ran = guardian()
    assert ran.code == 2
    assert "Commands:" in ran.out


@pytest.mark.parametrize(
    "words",
    [("frieze",), ("queue",), ("queue", "lst"), ("status", "--nope"), ("thaw",), ("queue", "list", "--limit", "x")],
    ids=" ".join,
)
def test_wrong_use_is_said_in_one_line_with_the_way_out(words: tuple[str, ...], guardian: Callable[..., Any]) -> None:
    ran = guardian(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("cannot understand the command line, because of this: ")
    assert ", do look at: guardian" in ran.err


def test_a_script_gets_wrong_use_as_the_same_document_as_any_error(guardian: Callable[..., Any]) -> None:
    ran = guardian("queue", "lst", "--json")
    assert ran.code == 2
    assert set(ran.json["error"]) == {"code", "message", "fix"}
    assert ran.json["error"]["code"] == "bad_input"


@pytest.mark.usefixtures("empty")
def test_a_house_that_cannot_be_found_is_wrong_use_and_never_another_house(guardian: Callable[..., Any]) -> None:
    for words in (("status",), ("queue", "list"), ("config", "check")):
        ran = guardian(*words, "--config", "/nowhere/guardian.toml")
        assert (ran.code, ran.out) == (2, "")
        assert "cannot read /nowhere/guardian.toml" in ran.err


def test_the_configuration_may_be_named_before_the_command_too(guardian: Callable[..., Any], empty: Path) -> None:
    assert guardian("init", "--dir", empty / "house").code == 0
    ran = guardian("--config", empty / "house" / "guardian.toml", "--json", "status")
    assert ran.code == 0
    assert ran.json["state_dir"] == str(empty / "house" / "state")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAllowed(), 13),
        (PermissionError(13, "Permission denied", "/x"), 13),
        (Denied("no"), 13),
        (Mistake(), 2),
        (ConfigMistake(), 2),
        (Unfound(), 2),
        (Absent(), 1),
        (Illegal(), 1),
        (OSError(28, "No space left on device", "/x"), 1),
        (ZeroDivisionError(), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_ends_with_the_code_that_scripts_rely_on(error: Exception, code: int) -> None:
    assert endings.end_with(error, as_json=False) == code


def test_a_bug_of_ours_is_one_line_and_no_traceback(
    guardian: Callable[..., Any], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guardian("init", "--dir", empty).code == 0

    def broken(_: object) -> None:
        raise ZeroDivisionError("a \x1b[31mbug")

    monkeypatch.setattr(status, "read", broken)
    ran = guardian("status", "--config", empty / "guardian.toml")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "ZeroDivisionError: a \\u001b[31mbug" in ran.err
    monkeypatch.setenv("GUARDIAN_DEBUG", "1")
    assert "Traceback" in guardian("status", "--config", empty / "guardian.toml").err


def test_ctrl_c_ends_a_command_quietly(
    guardian: Callable[..., Any], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guardian("init", "--dir", empty).code == 0

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "read", interrupted)
    ran = guardian("status", "--config", empty / "guardian.toml")
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_a_reader_that_goes_away_gets_no_complaint(empty: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "guardian", "init", "--dir", str(empty)],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert ran.stderr == b""


def test_a_locale_that_lacks_a_letter_loses_no_answer(empty: Path) -> None:
    house = empty / "höuse"
    ran = subprocess.run(
        [sys.executable, "-m", "guardian", "init", "--dir", str(house), "--json"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout.decode("ascii"))["armed"] == ["all"]
