"""Every command explains itself: a sentence, help for each word that it takes, and an example that it understands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from guardian.cli.app import app
from guardian.fence import agent
from guardian.fence.command import WrongUse, understand
from guardian.fence.usage import USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
COMMAND = typer.main.get_command(app)
PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))
SENTENCE = re.compile(r"[A-Z].*[^.]\.")
EXAMPLE = re.compile(r"^\s*(?:Example:|Lift it:|)\s*(guardian [^\n]+)$", re.MULTILINE)

Words = tuple[str, ...]


def commands(command: Any, words: Words = ()) -> Iterator[tuple[Words, Any]]:  # noqa: ANN401 (Typer's own)
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))


EVERY = dict(commands(COMMAND))
IDS = [" ".join(("guardian", *words)) for words in EVERY]


def parse(words: list[str]) -> Words:
    """Read a command line to its end, and run nothing; the command that it names. Raises what wrong use raises."""
    command: Any = COMMAND
    context = command.make_context("guardian", list(words))
    named: Words = ()
    while hasattr(command, "commands"):
        left = [*context._protected_args, *context.args]
        if not left:
            return named
        name, command, rest = command.resolve_command(context, left)
        named = (*named, name)
        if named == ("freeze",):
            understand(rest)  # it reads its words by itself
            return named
        context = command.make_context(name, rest, parent=context)
    return named


def examples(text: str) -> list[str]:
    return EXAMPLE.findall(text)


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_a_command_begins_with_one_sentence_that_says_what_it_does(words: Words) -> None:
    first = (EVERY[words].help or "").strip().split("\n\n")[0].replace("\n", " ")
    assert SENTENCE.fullmatch(first), first
    assert ". " not in first
    assert EVERY[words].get_short_help_str(limit=200) == first


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_everything_that_a_command_takes_is_explained(words: Words) -> None:
    for param in EVERY[words].params:
        explained = getattr(param, "help", None)
        assert explained, (words, param.name)
        assert explained[0].isupper(), (words, param.name, explained)
        assert explained.endswith("."), (words, param.name, explained)


@pytest.mark.parametrize("words", EVERY, ids=IDS)
def test_the_example_of_a_command_is_one_that_it_understands(words: Words) -> None:
    epilog = EVERY[words].epilog or ""
    assert epilog.startswith("Example: guardian ")
    assert examples(epilog)
    for example in examples(epilog):
        program, *typed = shlex.split(example)
        assert program == "guardian"
        named = parse(typed)
        assert named[: len(words)] == words
        assert not hasattr(EVERY[named], "commands"), "an example is a command that does something"


def test_the_examples_of_the_stop_are_understood_by_those_that_they_name() -> None:
    found = [parse(shlex.split(example)[1:]) for example in examples(USAGE.partition("Exit:")[2])]
    assert found == [("freeze",), ("freeze",), ("freeze",), ("thaw",)]


def test_an_example_that_nobody_understands_would_be_found() -> None:
    for wrong in (
        "status --watsch",
        "queue list --state",
        "freeze --scop all",
        "nosuch",
        "queue show",
        "config check x",
    ):
        with pytest.raises((typer.exceptions.TyperException, WrongUse)):
            parse(wrong.split())


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_in_the_documents_are_understood(page: str) -> None:
    """Those that stand in a block of their own, as a person copies them."""
    blocks = re.findall(r"^ *```(?:sh|bash|)\n(.*?)^ *```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for line in (line.strip() for block in blocks for line in block.splitlines()):
        for piece in re.split(r" \| (?:xargs )?", line):
            if piece.startswith("guardian "):
                parse(shlex.split(piece, comments=True)[1:])


@pytest.mark.parametrize(
    "words", [("--help",), ("freeze", "--help"), ("freeze", "-h"), ("run", "--help")], ids=" ".join
)
def test_help_as_it_is_typed_ends_with_an_example_and_does_nothing(words: Words, tmp_path: Path) -> None:
    nowhere = {**os.environ, "GUARDIAN_CONFIG": str(tmp_path / "absent.toml")}
    ran = subprocess.run(
        [sys.executable, "-m", "guardian", *words],
        env=nowhere, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert examples(ran.stdout)
    assert not list(tmp_path.iterdir())


def test_the_agent_that_systemd_starts_explains_itself_too() -> None:
    assert "Example: " in agent.USAGE
