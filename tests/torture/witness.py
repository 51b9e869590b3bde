"""The witness: the rehearsal platform as a process of its own, whose log and posts the oracle believes."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

END_WITHIN = 10.0
READS = ("GET", "HEAD")
PLATFORM = ("-m", "guardian.rehearsal")


class Witness:
    """One rehearsal platform, ended with the block that it is used in."""

    def __init__(
        self, accounts: Sequence[str], *, certificate: Path | None = None, program: Sequence[str] = PLATFORM
    ) -> None:
        words = [sys.executable, *program, "--with-parent"]
        for account in accounts:
            words += ["--account", account]
        if certificate is not None:
            words += ["--certfile", str(certificate)]
        self._tls = ssl.create_default_context(cafile=str(certificate)) if certificate else None
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_WITHIN)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def place(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    def creates(self) -> list[dict[str, Any]]:
        """Every request that changes something, also those of which too little arrived to say what."""
        return [entry for entry in self.log() if entry["method"] not in READS]

    def log(self) -> list[dict[str, Any]]:
        """Every request."""
        entries: list[dict[str, Any]] = self._ask("GET", "log")["entries"]
        return entries

    def posts(self) -> list[dict[str, Any]]:
        """Every status that was ever made."""
        found: list[dict[str, Any]] = self._ask("GET", "posts")
        return found

    def fault(self, kind: str, **options: object) -> None:
        """Misbehave."""
        self._ask("POST", "faults", {"kind": kind, **options})

    def clear_faults(self) -> None:
        """Behave again."""
        self._ask("DELETE", "faults")

    def _ask(self, method: str, what: str, body: object | None = None) -> Any:  # noqa: ANN401 (a JSON document)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (our own address on loopback)
            f"{self.url}/rehearsal/{what}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:  # noqa: S310 (as above)
            return json.load(answer)
