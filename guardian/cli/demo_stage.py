"""The demo's stage: a directory that goes away, a platform to rehearse on, a daemon, and the real commands.

Every process is our own child and is ended by its pid, however the demo ends.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from guardian.errors import GuardianError

ACCOUNTS = ("acme-news", "acme-shop", "acme-jobs", "acme-help")
END_WITHIN = 15.0
SETTINGS = """\
state_dir   = "{directory}/state"
runtime_dir = "{directory}/run"

[queue]
gap = "0s"

[reconcile]
looks = 3
over = "2s"
"""
ACCOUNT = """
[accounts.{name}]
platform = "mastodon"
brand    = "acme"
base_url = "{url}"
identity = "@{name}@{place}"
[accounts.{name}.secrets]
token = "file:{directory}/{name}.token"
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has run: `heard` is when the first of its words arrived (monotonic, ns).

    `seconds` until it ended, `until_heard` until then.
    """

    code: int
    out: str
    err: str
    seconds: float
    heard: int
    until_heard: float

    def document(self) -> Any:  # noqa: ANN401 (a JSON document)
        """What it said with --json."""
        return json.loads(self.out)


class Platform:
    """The rehearsal platform as it is seen from outside: its own log is the demo's witness."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.place = urlsplit(url).netloc

    def publishing(self) -> list[dict[str, Any]]:
        """Every publishing request that reached it, with the instant of its first byte."""
        return [one for one in self.entries() if (one["method"], one["path"]) == ("POST", "/api/v1/statuses")]

    def deleting(self) -> list[dict[str, Any]]:
        """Every request to delete a post."""
        posts = "/api/v1/statuses/"
        return [one for one in self.entries() if one["method"] == "DELETE" and one["path"].startswith(posts)]

    def entries(self) -> list[dict[str, Any]]:
        """Every request that reached it."""
        return [one for one in self._ask("GET", "/rehearsal/log")["entries"] if one["path"]]

    def posts(self) -> list[dict[str, Any]]:
        """What was ever on its timelines."""
        return list(self._ask("GET", "/rehearsal/posts"))

    def live(self) -> list[dict[str, Any]]:
        """What is on its timelines now."""
        return [post for post in self.posts() if not post["deleted"]]

    def find(self, text: str) -> dict[str, Any] | None:
        """The live post with this text."""
        return next((post for post in self.live() if post["text"] == text), None)

    def address(self, text: str) -> str:
        """Where anybody can read the live post with this text. Raises ValueError."""
        post = self.find(text)
        if post is None:
            raise ValueError(f"no post says {text!r}")
        return f"{self.url}/@{post['account']}/{post['id']}"

    def answers(self, url: str) -> int:
        """With which status it answers whoever opens an address of it."""
        connection = http.client.HTTPConnection(self.place, timeout=10)
        try:
            connection.request("GET", urlsplit(url).path)
            return connection.getresponse().status
        finally:
            connection.close()

    def schedule(self, account: str, text: str, *, seconds: float) -> None:
        """Somebody schedules a post on the platform itself, so many seconds from now."""
        self._ask("POST", "/rehearsal/scheduled", {"account": account, "text": text, "seconds": seconds})

    def slow_down(self, seconds: float) -> None:
        """Take this long over every post from now on."""
        self._ask("POST", "/rehearsal/faults", {"kind": "delay", "times": None, "seconds": seconds})

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 (a JSON document)
        connection = http.client.HTTPConnection(self.place, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


class Stage:
    """Everything that the demo makes; leaving it takes all of it away again."""

    def __init__(self, directory: Path | None = None) -> None:
        """Without a directory it makes one of its own."""
        self.directory = directory or Path(tempfile.mkdtemp(prefix="guardian-demo-"))  # 0700
        self.config = self.directory / "guardian.toml"
        self.log = self.directory / "daemon.log"
        self.starting: dict[str, Any] = {}  # what else Popen is told of each child
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for word in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(word, signal.SIG_IGN)  # impatience must not leave half of it behind
        for child in reversed(self._children):
            _end(child)
        self.clear()

    def clear(self) -> None:
        """Take the directory away."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def platform(self) -> Platform:
        """Start the rehearsal platform, which says where it listens."""
        return self._platform(ACCOUNTS)

    def _platform(self, names: Sequence[str]) -> Platform:
        words = [word for name in names for word in ("--account", name)]
        child = self._start(["guardian.rehearsal", "--with-parent", *words], subprocess.PIPE)
        said = child.stdout.readline() if child.stdout else b""
        if not said:
            raise GuardianError("cannot rehearse, because the rehearsal platform did not start", fix="try again")
        return Platform(str(json.loads(said)["url"]))

    def write(self, platform: Platform) -> None:
        """The configuration, and for each account a token in a file of its own."""
        names = {"directory": self.directory, "url": platform.url, "place": platform.place}
        for name in ACCOUNTS:
            token = self.directory / f"{name}.token"
            token.touch(0o600)
            token.write_text(f"rehearsal-{name}\n")
        accounts = "".join(ACCOUNT.format(name=name, **names) for name in ACCOUNTS)
        self.config.write_text(SETTINGS.format(**names) + accounts)

    def daemon(self) -> subprocess.Popen[bytes]:
        """Start the daemon; its log goes into a file."""
        with self.log.open("ab") as log:
            return self._start(["guardian", "run"], log.fileno(), log.fileno())

    def guardian(self, words: Sequence[str]) -> Ran:
        """Run a real command, as a person would."""
        began = time.monotonic_ns()
        out, heard = b"", 0
        with tempfile.TemporaryFile() as errors:
            child = self._start(["guardian", *words], subprocess.PIPE, errors.fileno())
            pipe = child.stdout.fileno() if child.stdout else -1
            while chunk := os.read(pipe, 1 << 16):
                out, heard = out + chunk, heard or time.monotonic_ns()
            code = child.wait()
            ended = time.monotonic_ns()
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace")
        self._forget(child)
        return Ran(code, out.decode("utf-8", "replace"), said, (ended - began) / 1e9, heard, (heard - began) / 1e9)

    def tail(self, lines: int = 20) -> list[str]:
        """The end of the daemon's log."""
        return self.log.read_text("utf-8", "replace").splitlines()[-lines:] if self.log.exists() else []

    def _start(self, module: list[str], out: int, errors: int | None = None) -> subprocess.Popen[bytes]:
        """A child in a session of its own: Ctrl-C reaches the demo alone, which then ends the others in order."""
        environment = {**os.environ, "GUARDIAN_CONFIG": str(self.config), "COLUMNS": "96"}
        child = subprocess.Popen(  # noqa: S603 (our own programs)
            [sys.executable, "-m", *module],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            env=environment,
            start_new_session=True,
            **self.starting,
        )
        self._children.append(child)
        return child

    def _forget(self, child: subprocess.Popen[bytes]) -> None:
        self._children.remove(child)
        if child.stdout:
            child.stdout.close()


def until(true: Callable[[], bool], within: float) -> bool:
    """Look until something is so, for so many seconds; whether it came."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


def _end(child: subprocess.Popen[bytes]) -> None:
    """Politely, also if it was stopped; then not."""
    for word in (signal.SIGCONT, signal.SIGTERM):
        child.send_signal(word)  # does nothing to a child that has ended: Popen knows
    try:
        child.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:
        child.stdout.close()
