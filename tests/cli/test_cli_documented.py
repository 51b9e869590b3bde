"""The documents name commands that there are: nobody types at 3 a.m. what no program understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from guardian.cli.app import app
from guardian.cli.takedown import ORDER

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SPAN = re.compile(r"`(?:sudo )?(guardian [^`]+)`")
LINE = re.compile(r"^\s*(?:sudo )?(guardian .+)$")
TREE: Any = typer.main.get_command(app)
ELSEWHERE = {"run"}  # dispatched before Typer; its words are read by the program itself
HOLDS_A_PLACE = re.compile(r"[A-Z.{}]+")
COMMON = {"--help", "--json", "--config", "--version", "--install-completion", "--show-completion"}


def named(page: Path) -> list[str]:
    """Every command line of the page: in a span of code, or on a line of its own in a block."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    lines = [found[1] for block in blocks for line in block.splitlines() if (found := LINE.match(line))]
    outside = re.sub(r"```[a-z]*\n.*?```", "", text, flags=re.DOTALL)
    return [*lines, *(" ".join(one.split()) for one in SPAN.findall(outside))]


def words_of(line: str) -> list[str]:
    """The words, as far as a shell reads on: no remark, no pipe, no second command."""
    bare = (
        re.split(r"\s(?:#|\||>|&&|;)", line)[0].replace("'", " ").replace("…", " ").replace("(", " ").replace(")", " ")
    )
    try:
        return shlex.split(bare)[1:]
    except ValueError:
        return bare.split()[1:]


def wrong_with(line: str) -> str | None:
    """What the program would not understand; None: nothing."""
    words = words_of(line)
    while words and words[0].startswith("-"):
        if words[0].partition("=")[0] not in COMMON:
            return f"{words[0]} is no option before a command"
        words.pop(0)
    if not words or words[0] in ELSEWHERE or HOLDS_A_PLACE.fullmatch(words[0]):
        return None
    command = TREE
    while words and hasattr(command, "commands"):
        choices = [one for one in re.split(r"[\\|/]+", words[0]) if one]
        if not all(one in command.commands for one in choices):
            if ORDER in command.commands:  # a family whose first word may be left out
                command = command.commands[ORDER]
                break
            return None if HOLDS_A_PLACE.fullmatch(words[0]) else f"there is no command {words[0]!r}"
        command = command.commands[choices[0]]
        words.pop(0)
    return _wrong_options(command, words)


def _wrong_options(command: Any, words: list[str]) -> str | None:  # noqa: ANN401 (click's own)
    options = COMMON | {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    named = (option for word in words for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", word))
    return next((f"{command.name} has no {one}" for one in named if one not in options), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_one_with_these_options(page: Path) -> None:
    wrong = {line: why for line in named(page) if (why := wrong_with(line))}
    assert not wrong


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("guardian unfreeze", "there is no command 'unfreeze'"),
        ("guardian queue drop p-1", "there is no command 'drop'"),
        ("guardian takedown https://x --burn", "order has no --burn"),
        ("guardian --loud status", "--loud is no option before a command"),
    ],
)
def test_a_command_that_there_is_not_would_be_noticed(line: str, why: str) -> None:
    assert wrong_with(line) == why


def test_the_runbook_fits_on_a_page() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    assert len(text.splitlines()) <= 85
    assert len(re.findall(r"\]\((?!http)", text)) <= 3  # paper has no links
