"""A copy of the tree with one change in it, and what a test of ours says about that copy."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PARTS = ("guardian", "adapters", "tests", "pyproject.toml")
WITHIN = 60.0
FAILED = 1  # pytest's exit code for tests that ran and failed
BY_ASSERTION = re.compile(r"(AssertionError|assert |Failed: )")


class Change(NamedTuple):
    """One passage of a file, and what stands there instead."""

    file: str
    old: str
    new: str


class Ran(NamedTuple):
    """How a run ended: pytest's exit code, how many tests passed, which failed by an assertion, and the output."""

    code: int
    passed: int
    failed: tuple[str, ...]
    said: str


class CannotMutateError(Exception):
    """cannot make a change, because the passage is not there exactly once; the code has moved on, do mend the mutant"""


def copy_tree(to: Path) -> Path:
    """A copy of what a test run needs; compiled files come along, which saves half of the time."""
    to.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part)
        else:
            shutil.copy2(source, to / part)
    return to


def mutate(tree: Path, changes: tuple[Change, ...]) -> None:
    """Make the changes in a copy. Raises CannotMutateError when a passage does not occur exactly once."""
    for change in changes:
        path = tree / change.file
        text = path.read_text("utf-8")
        found = text.count(change.old)
        if found != 1:
            raise CannotMutateError(f"{CannotMutateError.__doc__} ({change.file}: {found} times: {change.old!r})")
        path.write_text(text.replace(change.old, change.new), "utf-8")


def run(tree: Path, tests: tuple[str, ...], *, within: float = WITHIN) -> Ran:
    """Run tests by id in a copy, in a process of their own. A run that does not end in time has failed nothing.

    Its temporary files lie by themselves: pytest would else clear away what earlier runs have left, gigabytes at times.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as temporary:
        return _run(tree, tests, within, temporary)


def _run(tree: Path, tests: tuple[str, ...], within: float, temporary: str) -> Ran:
    report = tree / "report.xml"
    words = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    environment = {
        **os.environ,
        "PYTEST_DEBUG_TEMPROOT": temporary,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # these tests use none, and loading them takes longer than the tests
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    with subprocess.Popen(
        words,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the test and whatever it has started
            said, _ = process.communicate()
            return Ran(-1, 0, (), f"not over within {within} s\n{said}")
    return _read(report, process.returncode, said)


def _read(report: Path, code: int, said: str) -> Ran:
    if not report.exists():
        return Ran(code, 0, (), said)
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 (pytest has just written it)
    failed = [
        case.get("name", "")
        for case in cases
        for failure in case.findall("failure")
        if BY_ASSERTION.match(failure.get("message", ""))
    ]
    passed = sum(not list(case) for case in cases)
    return Ran(code, passed, tuple(failed), said)
