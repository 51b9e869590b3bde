"""Every command there is, with hostile words in every place that takes words: none of them steers the terminal."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from guardian.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Place, Ran

    Guardian = Callable[..., Ran]

STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
HOSTILE = (
    "<b>*x*</b> \x1b[2J\x1b]0;pwned\x07\x9b31m \u202egnp\u2066 a\u200bb\u00ad \u2028\u2029 \ue000 \udc9b\r\nforged"
)
ON_ONE_LINE = HOSTILE.replace("\r\n", " ").replace("\udc9b", "")
PROCESSES = {"freeze", "run"}  # read their words themselves, and leave by the kernel
NOT_STARTED = {"demo", "drill"}  # a whole story; what they say of foreign words other commands say


def commands() -> dict[str, Any]:
    """Every command by its words, as the face itself knows them."""
    found: dict[str, Any] = {}

    def walk(command: Any, words: tuple[str, ...]) -> None:  # noqa: ANN401 (Click's own)
        for name, one in getattr(command, "commands", {}).items():
            walk(one, (*words, name))
        if not hasattr(command, "commands"):
            found[" ".join(words)] = command

    walk(typer.main.get_command(app), ())
    return found


COMMANDS = commands()


def attempts(command: Any) -> Iterator[list[str]]:  # noqa: ANN401 (Click's own)
    """The command with hostile words: as each argument, as the value of each option, as an option of its own."""
    needed = [HOSTILE for one in command.params if one.param_type_name == "argument" and one.required]
    yield [*needed, f"--{HOSTILE}"]
    yield [HOSTILE] * 4
    yield needed
    for one in command.params:
        if one.param_type_name == "option" and not one.is_flag and one.name != "help":
            yield [*needed, one.opts[0], HOSTILE]
            yield [*needed, f"{one.opts[0]}={HOSTILE}", "--json"]


def steers(text: str) -> set[str]:
    return {one for one in text if one not in "\n\t" and unicodedata.category(one) in STEERING}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - PROCESSES - NOT_STARTED))
def test_no_word_that_a_command_is_given_comes_back_raw(
    place: Place, guardian: Guardian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file's name, a reference that somebody pasted, a word of an option: the answer quotes it."""
    monkeypatch.chdir(tmp_path)  # some make what they are told to
    assert place.answers()
    for words in attempts(COMMANDS[name]):
        ran = guardian(*name.split(), *words)
        assert not steers(ran.out + ran.err), (words, ran)
        assert "Traceback" not in ran.err, (words, ran)
        assert "\nforged" not in ran.out, (words, ran)


def test_the_stop_and_the_daemon_quote_what_they_are_given(place: Place) -> None:
    hostile = HOSTILE.replace("\udc9b", "\x9b")
    for words in (
        ("freeze", hostile, "--scope", f"account:{hostile}"),
        ("freeze", f"--{hostile}"),
        ("freeze", "--state-dir", hostile, "--runtime-dir", hostile),
        ("run", "--config", hostile),
        ("freeze", "--json", hostile),
        ("freeze", hostile, "--takedown", hostile, "--delete"),
        ("thaw", "--reason", hostile, "--yes"),
    ):
        ran = place.program(*words)
        assert not steers(ran.stdout + ran.stderr), (words, ran)
        assert "Traceback" not in ran.stderr, (words, ran)


@pytest.mark.usefixtures("place")
def test_nothing_that_is_shown_of_hostile_posts_people_and_files_steers(guardian: Guardian, tmp_path: Path) -> None:
    folder = tmp_path / ON_ONE_LINE.replace("/", "_")
    folder.mkdir()
    plan = folder / "plan.jsonl"
    records: list[dict[str, object]] = [
        {"account": "acme", "at": "now", "text": ON_ONE_LINE, "warning": ON_ONE_LINE},
        {
            "account": "beta", "at": "2031-01-01T00:00:00Z", "ref": ON_ONE_LINE,
            "parts": [{"text": ON_ONE_LINE}, {"text": ON_ONE_LINE + "2"}],
        },
    ]  # fmt: skip
    plan.write_text("\n".join(map(json.dumps, records)), "utf-8")
    shown = [guardian("queue", "import", plan)]
    assert shown[0].code == 0, shown[0]
    posts = [one["id"] for one in guardian("queue", "list", "--json").json["posts"]]
    plan.write_text(json.dumps({"account": ON_ONE_LINE, "at": ON_ONE_LINE, "text": "x", ON_ONE_LINE: 1}), "utf-8")
    shown += [guardian("queue", "import", plan, *more) for more in ((), ("--json",))]
    shown += [guardian("incident", "open", "--reason", ON_ONE_LINE)]
    shown += [
        guardian("incident", *words) for words in (("note", HOSTILE), ("note", ON_ONE_LINE), ("action", ON_ONE_LINE))
    ]
    shown += [guardian("queue", "hold", posts[0], "--reason", ON_ONE_LINE)]
    for words in (
        "status", "queue list", f"queue show {posts[0]}", f"queue show {posts[-1]}", "campaign show x", "capabilities",
        "incident list", "incident show", "takedown list", "evidence list", "journal show", "native list",
        "config check", "incident report --format html", "incident report --format markdown",
        "incident report --format json",
    ):  # fmt: skip
        for more in ((), ("--json",)):
            shown.append(guardian(*words.split(), *more))
    for ran in shown:
        assert not steers(ran.out + ran.err), ran
        assert "Traceback" not in ran.err, ran
    assert guardian("incident", "close", "after the test").code == 0


def test_the_daemon_of_these_tests_leaves_no_core(place: Place) -> None:
    assert place.daemon is not None
    with open(f"/proc/{place.daemon.pid}/limits", encoding="ascii") as file:  # noqa: PTH123 (the kernel's)
        core = next(line for line in file if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
