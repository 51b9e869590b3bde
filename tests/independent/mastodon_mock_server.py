"""Somebody else's Mastodon server as a process of its own on loopback: `mastodon_mock` from PyPI, ended by its pid.

It shares no line with our rehearsal platform: its ids, dates, Link headers, errors and redirects are another author's
reading of the same documentation. Its domain is not the address that it listens on, as with most real servers.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "mock.example"
TOKEN = "rehearsal-acme"
READY_WITHIN = 40.0
END_WITHIN = 10.0
LISTENS = re.compile(rb"running on http://127\.0\.0\.1:(\d+)")
CONFIG = """\
domain = "{domain}"
media_storage_path = "{media}"
[server]
host = "127.0.0.1"
port = 0
[[seed.accounts]]
username = "first"
access_token = "another"
[[seed.accounts]]
username = "acme"
access_token = "{token}"
"""


class MastodonMockServer:
    """Use it in a `with`. Everything that it holds is in memory."""

    def __init__(self, directory: Path) -> None:
        config = directory / "mastodon_mock.toml"
        config.write_text(CONFIG.format(domain=DOMAIN, media=directory / "media", token=TOKEN), "utf-8")
        words = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory", "--config", str(config)]
        env = {key: value for key, value in os.environ.items() if key not in ("HOST", "PORT")}
        self._process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env)
        try:
            self.place = f"127.0.0.1:{self._port()}"
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_WITHIN)
        assert self._process.stderr is not None
        self._process.stderr.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.place}"

    @property
    def handle(self) -> str:
        """Who the token belongs to."""
        return f"@acme@{DOMAIN}"

    def posts(self) -> list[dict[str, Any]]:
        """Every status of the account, newest first, as the server tells anybody who holds the token."""
        me = self.ask("GET", "/api/v1/accounts/verify_credentials")["id"]
        found: list[dict[str, Any]] = self.ask("GET", f"/api/v1/accounts/{me}/statuses?limit=40")
        return found

    def texts(self) -> list[str]:
        """What they say, oldest first, by the source that the server keeps."""
        ids = [post["id"] for post in reversed(self.posts())]
        return [self.ask("GET", f"/api/v1/statuses/{one}/source")["text"] for one in ids]

    def fault(self, effect: str, *, path: str, methods: tuple[str, ...] = ("POST",), **more: object) -> None:
        """Have its own fault plane misbehave once: `status`, `ratelimit`, `malformed`."""
        rule = {"match": {"methods": methods, "path": path}, "effect": {"type": effect, **more}, "count": 1}
        self.ask("POST", "/api/v1/_mock/faults", rule)

    def behave(self) -> None:
        """Forget faults that nobody ran into."""
        self.ask("DELETE", "/api/v1/_mock/faults")

    def ask(self, method: str, path: str, body: object | None = None) -> Any:  # noqa: ANN401 (a JSON document)
        """A request that does not pass our gate: the test's own eyes."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (loopback)
            return json.load(answer)

    @staticmethod
    def fetch(url: str) -> bytes:
        """A file, as anybody may see it."""
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (loopback)
            return bytes(answer.read())

    def _port(self) -> int:
        """It chooses a port of its own, and says so."""
        assert self._process.stderr is not None
        said, until = b"", time.monotonic() + READY_WITHIN
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self._process.stderr], [], [], left)
            chunk = os.read(self._process.stderr.fileno(), 65536) if ready else b""
            said += chunk
            if found := LISTENS.search(said):
                threading.Thread(target=self._drain, daemon=True).start()
                return int(found[1])
            if ready and not chunk:
                break
        raise AssertionError(f"mastodon_mock did not start: {said.decode('utf-8', 'replace')[-1500:]}")

    def _drain(self) -> None:
        """Its later words, which would fill the pipe and stop it."""
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while os.read(self._process.stderr.fileno(), 65536):
                pass
