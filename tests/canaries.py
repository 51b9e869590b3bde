"""Canaries: every secret of every test carries a mark, and whatever a test run writes or starts is searched for it.

Searched are, at the end of a run, every file under its base directory (stores, logs, journals, bundles, cores; what is
packed is unpacked), each house of the torture before it is removed, what each test prints, and the words and the
environment of every process that a test starts, and of those that these start. A find fails the run. Exempt is what
`EXEMPT` names, and nothing else: the files out of which secrets are read.

A new double gives its secrets one of the marks, or says them to `note`.
"""

from __future__ import annotations

import base64
import fnmatch
import gzip
import io
import os
import re
import sys
import threading
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MARKS = (
    rb"rehearsal-(?:acme|beta|gamma|north|south|other|one|two)",  # the rehearsal platform's tokens, by account
    rb"memory-(?:acme|beta)\b",  # the same of the platform in memory
    rb"hush-(?:secret|refresh|access)-",  # Reddit's double
    rb"0123456789(?:&|%26|\\u0026)(?:=|%3D)|\d-at\w+0123456789|as-\w+-9876543210",  # X's double
    rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{20,}",  # what a real PDS hands out
)
SIGNS = (b"rehearsal-", b"memory-", b"hush-", b"0123456789", b"-9876543210", b".eyJ")  # one is in each
EXEMPT = (
    "*.token",
    "*/secrets/*",
    "*/acme*.consumer_*",
    "*/acme*.access_token*",
    "*/acme*.client_*",
    "*/acme*.refresh_token",
    "*/acme*.app_password",
    "*/mutants[0-9]*/*",  # copies of our own tree, with all its tests
    "*/tree/tests/*",
    "*/mastodon_mock.toml",  # the double's own accounts
    "*/calls",  # what strace saw on the wire
)
PIECE, OVERLAP = 16 << 20, 4096
MOST_UNPACKED = 64 << 20
SAMPLE_EVERY = 0.5
_marks = re.compile(b"|".join(MARKS))
_noted: set[bytes] = set()


def note(secret: str) -> str:
    """A secret that is made while the tests run is a canary, too; the same secret."""
    _noted.add(secret.encode())
    return secret


def packed(sign: bytes) -> list[bytes]:
    """How it looks inside of base64, wherever it begins."""
    shifted = (base64.b64encode(b"\0" * before + sign)[(before * 8 + 5) // 6 :] for before in range(3))
    return [one.rstrip(b"=")[:-1] for one in shifted]


IN_BASE64 = tuple(one for sign in (b"rehearsal-acme", b"hush-secret-", b"hush-refresh-") for one in packed(sign))


def found_in(data: bytes) -> str:
    """The first canary in it, with what stands around; empty: there is none."""
    place = -1
    if any(sign in data for sign in SIGNS):
        seen = _marks.search(data)
        place = seen.start() if seen else -1
    for one in (*IN_BASE64, *_noted):
        place = data.find(one) if place < 0 else place
    return "" if place < 0 else repr(data[max(place - 40, 0) : place + 40])


def search(root: Path) -> Iterator[str]:
    """Every file below a directory that holds one, and where."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 (a hundred thousand of them)
            if not any(fnmatch.fnmatch(path, exempt) for exempt in EXEMPT):
                seen = _in_file(path)
                if seen:
                    yield f"{path}: {seen}"


def must_hold_none(root: Path) -> None:
    """Raise AssertionError when something below a directory holds one."""
    assert (list(search(root))[:5]) == []


def _in_file(path: str) -> str:
    try:
        if not os.path.isfile(path) or os.path.islink(path):  # noqa: PTH113, PTH114 (as above)
            return ""
        with open(path, "rb") as file:  # noqa: PTH123 (as above)
            head = b""
            while piece := file.read(PIECE):
                if seen := found_in(head + piece):
                    return seen
                if not head and (seen := _unpacked(piece, path)):
                    return f"unpacked {seen}"
                head = piece[-OVERLAP:]
    except OSError:
        return ""  # gone, or nobody's
    return ""


def _unpacked(data: bytes, path: str) -> str:
    """What is found in an archive, by its first bytes; a damaged one has whatever can be read of it."""
    try:
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(path) as file:
                return found_in(file.read(MOST_UNPACKED))
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(path) as archive:
                members = (archive.open(one).read(MOST_UNPACKED) for one in archive.infolist())
                return next(filter(None, (found_in(one) or _member(one) for one in members)), "")
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return ""
    return ""


def _member(data: bytes) -> str:
    if not data.startswith(b"\x1f\x8b"):
        return ""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return found_in(file.read(MOST_UNPACKED))


class Canaries:
    """The plugin: one in each process of a run."""

    def __init__(self, config: pytest.Config) -> None:
        if config.getini("tmp_path_retention_policy") != "all":
            raise pytest.UsageError("tmp_path_retention_policy must be all: what a test wrote is searched at the end")
        self.config = config
        self.found: list[str] = []
        self.started: list[str] = []
        self._end = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="canaries", daemon=True)
        sys.addaudithook(self._hear)
        self._sampler.start()

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        """A process is about to be started from here: with which words, in which environment."""
        if event == "subprocess.Popen" and not self._end.is_set():
            _, words, _, environment = given
            said = [os.fsencode(str(word)) for word in ([words] if isinstance(words, str) else words)]
            said += [] if environment is None else [os.fsencode(str(value)) for value in dict(environment).values()]
            if seen := found_in(b"\0".join(said)):
                self.started.append(f"a process was started with {seen}")

    def _sample(self) -> None:
        """The same of those that our processes start, now and then."""
        while not self._end.wait(SAMPLE_EVERY):
            for pid in _below(os.getpid()):
                for what in ("cmdline", "environ"):
                    try:
                        seen = found_in(Path(f"/proc/{pid}/{what}").read_bytes())
                    except OSError:
                        continue
                    if seen:
                        self.started.append(f"process {pid} has in its {what} {seen}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What a test has printed, and whom it has started, belongs to it: it fails."""
        report = yield
        printed = "".join(text for _, text in report.sections).encode("utf-8", "replace")
        seen, self.started = [*dict.fromkeys(self.started)], []
        seen += [f"printed: {one}"] if report.passed and (one := found_in(printed)) else []
        if seen and not item.get_closest_marker("plants_canaries") and report.passed:
            report.outcome = "failed"
            report.longrepr = f"a canary got out: {'; '.join(seen)}"
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Whatever the run has written, once, by the process that all others belong to."""
        self._end.set()
        if hasattr(self.config, "workerinput"):
            return
        factory = getattr(self.config, "_tmp_path_factory", None)
        if factory is None or factory._basetemp is None:
            return
        self.found = list(search(Path(factory.getbasetemp())))
        if self.found and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 (pytest's own, without a type)
        """Say it where people look."""
        if self.found:
            terminalreporter.section("canaries: secrets of tests in what the run has written", red=True)
            for one in self.found[:50]:
                terminalreporter.line(one)


def _below(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)
