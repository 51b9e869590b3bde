"""A house with a real daemon and a platform to rehearse on, and the commands as a person runs them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli.app import main
from guardian.fence.house import House
from guardian.fence.telling import ask
from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = ("acme", "beta")
CONFIG = """\
state_dir = "{base}/state"
runtime_dir = "{base}/run"
[reconcile]
over = "1s"
"""
ACCOUNT = """
[accounts.{name}]
platform = "mastodon"
brand = "{name}"
base_url = "{url}"
identity = "{handle}"
[accounts.{name}.secrets]
token = "file:{base}/{name}.token"
"""


@dataclass(frozen=True)
class Ran:
    """A command that has run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON is what it is
        return json.loads(self.out)


@dataclass
class Place:
    """One house, its platform and its daemon."""

    base: Path
    platform: RehearsalPlatform
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.base / "guardian.toml"

    @property
    def house(self) -> House:
        return House(f"{self.base}/state", f"{self.base}/run")

    def write(self) -> None:
        text = CONFIG.format(base=self.base)
        for name in NAMES:
            token = self.base / f"{name}.token"
            token.touch(0o600)
            token.write_text(self.platform.token(name))
            text += ACCOUNT.format(name=name, base=self.base, url=self.platform.url, handle=self.platform.handle(name))
        self.config.write_text(text)

    def program(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        """A command as a process of its own."""
        given = {"capture_output": True, "text": True, "timeout": 60, **options}
        environment = {**os.environ, "GUARDIAN_CONFIG": str(self.config)}
        return subprocess.run([sys.executable, "-m", "guardian", *words], check=False, env=environment, **given)

    def freeze(self, *words: str) -> None:
        assert self.program("freeze", *words).returncode == 0

    def start(self) -> None:
        with (self.base / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "guardian", "run", "--config", str(self.config)], stdout=log, stderr=log
            )
        self.wait(self.answers)

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.terminate()
            try:
                self.daemon.wait(20)
            finally:
                self.daemon.kill()

    def answers(self) -> bool:
        try:
            return ask(self.house.socket, "GET", "/v1/status", within=5)[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> Any:  # noqa: ANN401  # JSON is what it is
        return ask(self.house.socket, "GET", path, within=5)[1]

    def wait(self, true: Callable[[], object], within: float = 20) -> None:
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, (self.base / "daemon.log").read_text()[-3000:]
            time.sleep(0.02)


@pytest.fixture(scope="package")  # a platform that went on in this process would meet other tests' limits of it
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with RehearsalPlatform(NAMES) as platform:
        place = Place(tmp_path_factory.mktemp("cli"), platform)
        place.write()
        assert place.program("init").returncode == 0
        try:
            place.start()
            yield place
        finally:
            place.stop()


@pytest.fixture
def place(running: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The running house; open again after every test, and never holding a due post of it."""
    monkeypatch.setenv("GUARDIAN_CONFIG", str(running.config))
    yield running
    frozen = [one["scope"] for one in running.get("/v1/status")["freezes"]]
    for scope in frozen:
        assert running.program("thaw", "--yes", "--reason", "after the test", "--scope", scope).returncode == 0


@pytest.fixture
def guardian(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a command in this process."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object, stdin: str | bytes = "", terminal: bool = False) -> Ran:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        reading = io.TextIOWrapper(io.BytesIO(raw))
        monkeypatch.setattr(reading, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, "stdin", reading)
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with nothing in it, and no configuration to be found anywhere."""
    monkeypatch.delenv("GUARDIAN_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "local"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return tmp_path
