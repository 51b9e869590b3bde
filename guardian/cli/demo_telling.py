"""How the demo tells: chapters, real commands with what they said, and claims, each of which is checked."""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardian.cli import render
from guardian.cli.demo_stage import Platform, Ran, Stage
from guardian.errors import GuardianError

MOST_LINES = 30
CHECK_WITHIN = 60.0

Document = dict[str, Any]


class Untrue(GuardianError):
    """cannot go on with the demo, because something that it claims was not so"""

    code = "untrue"


@dataclass(slots=True)
class Telling:
    """What all chapters need; what the demo learned goes into the summary."""

    stage: Stage
    say: Callable[[str], None]
    platform: Platform = field(init=False)
    daemon: subprocess.Popen[bytes] = field(init=False)
    summary: dict[str, str] = field(default_factory=dict)
    claims: int = 0
    not_checked: list[str] = field(default_factory=list)
    chapter: int = 0

    def title(self, text: str) -> None:
        """Begin a chapter."""
        self.chapter += 1
        self.say(f"\n{self.chapter}. {text}\n")

    def words(self, text: str) -> None:
        """One line of the story."""
        self.say(f"   {self.plain(text)}")

    def note(self, label: str, text: str, *, keep: bool = False) -> None:
        """One figure; with `keep` it stands in the summary, too."""
        self.say(f"   {label:<12} {text}")
        if keep:
            self.summary[label] = text

    def claim(self, holds: bool, text: str) -> None:
        """Every claim is checked; one that does not hold ends the demo."""
        if not holds:
            raise Untrue(f"cannot go on, because this was not so: {text}", fix="look at the log above")
        self.claims += 1
        self.say(f"   + {text}")

    def run(self, *words: str, expect: int = 0) -> Ran:
        """Show a command, run it, show what it said, and check its exit code."""
        self.words(f"$ guardian {shlex.join(words)}")
        ran = self.stage.guardian(words)
        self.show(ran.out + ran.err)
        if ran.code != expect:
            self.claim(False, f"guardian {words[0]} ends with {expect}; it ended with {ran.code}")
        return ran

    def shell(self, line: str, where: str) -> bool:
        """Run a line of the shell in a directory, as anybody would, and show what it says; whether it ends with 0."""
        self.words(f"$ {line}")
        ran = subprocess.run(  # noqa: S603 (a line that the bundle itself names)
            ["/bin/sh", "-c", line],
            cwd=where,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CHECK_WITHIN,
            check=False,
        )
        self.show(ran.stdout + ran.stderr)
        return ran.returncode == 0

    def show(self, said: str) -> None:
        """What a command said, as far as it goes on a page."""
        lines = self.plain(said).splitlines()
        for line in lines[:MOST_LINES]:
            self.say(f"      {line}")
        if len(lines) > MOST_LINES:
            self.say(f"      ... and {len(lines) - MOST_LINES} lines more")

    def document(self, *words: str) -> Document:
        """What a command says with --json, without showing it."""
        return dict(self.stage.guardian([*words, "--json"]).document())

    def status(self) -> Document:
        """The house as it stands; empty while nobody answers."""
        ran = self.stage.guardian(["status", "--json"])
        return dict(ran.document()) if ran.out else {}

    def counts(self) -> dict[str, int]:
        """How many posts are in which state."""
        return dict(self.status().get("counts") or {})

    def plain(self, text: str) -> str:
        """Without the name of a directory that nobody needs to know."""
        return text.replace(str(self.stage.directory), "DEMO")


def table(summary: dict[str, str]) -> Sequence[str]:
    """The summary in two columns."""
    return [f"   {render.one_line(label):<26} {render.one_line(text)}" for label, text in summary.items()]
