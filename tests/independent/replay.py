"""Plays recorded answers of real servers on loopback, byte for byte, to whoever asks. Threads of its own."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORDED = Path(__file__).parent / "recorded"
IDLE = 10.0
CHUNK = 65536
LARGEST_REQUEST = 1 << 20


class Recorded(NamedTuple):
    """One exchange with a real server: what was asked, and what it answered."""

    name: str
    method: str
    target: str
    form: str | None
    status: int
    reason: str
    headers: tuple[str, ...]
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @property
    def sent(self) -> dict[str, str]:
        """The form that was sent, as far as it was kept."""
        return {key: values[0] for key, values in parse_qs(self.form or "").items()}

    @property
    def document(self) -> Any:  # noqa: ANN401 (a JSON document)
        """What was answered."""
        return json.loads(self.body)

    @property
    def letter(self) -> bytes:
        """The whole answer, as its headers say that it was framed."""
        head = "\r\n".join((f"HTTP/1.1 {self.status} {self.reason}", *self.headers, "", "")).encode("latin-1")
        if any(line.lower() == "transfer-encoding: chunked" for line in self.headers):
            return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(self.body), self.body)
        return head + self.body

    def on(self, path: str) -> Recorded:
        """The same answer, to another question."""
        return self._replace(target=path)


def recorded(name: str) -> list[Recorded]:
    """Everything in one of the recorded files."""
    entries = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return [
        Recorded(
            entry["name"],
            entry["method"],
            entry["target"],
            entry["form"],
            entry["status"],
            entry["reason"],
            tuple(entry["headers"]),
            base64.b64decode(entry["base64"]) if "base64" in entry else entry["body"].encode(),
        )
        for entry in entries
    ]


def named(file: str, name: str) -> Recorded:
    """One exchange, by the end of its name."""
    (found,) = [one for one in recorded(file) if one.name.endswith(name)]
    return found


class Replay:
    """Answers each method and path with what was recorded for it, in order; the last answer goes on being given."""

    def __init__(self, answers: Sequence[Recorded]) -> None:
        self._answers = list(answers)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.seen: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(near,), daemon=True).start()

    def _answer(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            near.settimeout(IDLE)
            method, target = _read(near)
            self.seen.append(f"{method} {target}")
            near.sendall(self._find(method, target.partition("?")[0]).letter)

    def _find(self, method: str, path: str) -> Recorded:
        with self._lock:
            fitting = [one for one in self._answers if (one.method, one.path) == (method, path)]
            if len(fitting) > 1:
                self._answers.remove(fitting[0])
            return fitting[0] if fitting else MISSING


def _read(near: socket.socket) -> tuple[str, str]:
    """One whole request: its method and target."""
    letter = b""
    while not _whole(letter) and len(letter) < LARGEST_REQUEST:
        data = near.recv(CHUNK)
        if not data:
            break
        letter += data
    method, target, _ = letter.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    return method, target


def _whole(letter: bytes) -> bool:
    head, end, body = letter.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(end) and len(body) >= int(lengths[0] if lengths else 0)


MISSING = named("reading", "test_status_missing.yaml#0")  # what a real Mastodon says to a question about nothing
