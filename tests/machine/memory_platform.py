"""A Mastodon in memory, in place of the network: the real adapter, transport and gate talk to it over a socket of ours.

It knows the true time, keeps idempotency keys for an hour as Mastodon does, and can be told to misbehave at the next
publishing request. `witness` is called at the instant at which the first byte of one arrives.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.gate.wire import Deadline
    from tests.machine.memory_fate import Fate
    from tests.machine.memory_time import MemoryTime

HOST = "127.0.0.1:9"
URL = f"http://{HOST}"
TOKEN = "memory-"
KEYS_LIVE = 3_600_000
MAKING = frozenset({"", "lost answer", "502 made"})
ANSWERS = {"422": 422, "429": 429, "401": 401, "503": 503, "502 made": 502}


@dataclass(frozen=True)
class Status:
    """A post that is live."""

    id: str
    account: str
    text: str
    key: str
    at: int


@dataclass(frozen=True)
class Arrival:
    """A publishing request whose bytes arrived."""

    account: str
    text: str
    key: str


@dataclass
class Platform:
    """What is live, what arrived, and how the next requests are treated."""

    time: MemoryTime
    fate: Fate
    witness: Callable[[Arrival], None]
    statuses: list[Status] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    late: list[tuple[int, Arrival]] = field(default_factory=list)
    unreadable: bool = False

    def dial(self, _: str, __: int, ___: Deadline, keep: Callable[[Any], None], ____: object = None) -> MemorySocket:
        """What the gate calls in place of a TCP connection."""
        self.fate.edge("dialled")
        if self.unreadable:
            raise ConnectionRefusedError(111, "Connection refused")
        handle = Handle()
        keep(handle)
        return MemorySocket(self)

    def answer(self, letter: bytes) -> bytes:
        """One whole request in, one whole answer out; empty when none comes."""
        self._let_arrive()
        head, _, body = letter.partition(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        account = headers.get("authorization", "").removeprefix(f"Bearer {TOKEN}")
        if method == "POST":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return self._create(Arrival(account, form["status"], headers["idempotency-key"]))
        return self._read(account, urlsplit(target).path, parse_qs(urlsplit(target).query))

    def made(self, text: str) -> list[Status]:
        """What is live with this text, and what is still on its way inside the platform."""
        self._let_arrive()
        waiting = [Status("", one.account, one.text, one.key, at) for at, one in self.late if one.text == text]
        return [one for one in self.statuses if one.text == text] + waiting

    def _create(self, arrival: Arrival) -> bytes:
        self.witness(arrival)
        self.arrivals.append(arrival)
        fault = self.faults.pop(0) if self.faults else ""
        if fault.startswith("late "):
            self.late.append((self.time.boot + int(fault.split()[1]), arrival))
            return b""
        status = self._make(arrival) if fault in MAKING else None
        if fault.startswith("lost"):
            return b""
        if fault:
            return _response(ANSWERS[fault], {"error": fault}, "Retry-After: 30\r\n" if fault == "429" else "")
        return _response(200, self._shape(status)) if status else b""

    def _make(self, arrival: Arrival) -> Status:
        for old in self.statuses:
            if (old.account, old.key) == (arrival.account, arrival.key) and self.time.true() - old.at < KEYS_LIVE:
                return old
        number = (self.time.true() << 16) + len(self.statuses)
        status = Status(str(number), arrival.account, arrival.text, arrival.key, self.time.true())
        self.statuses.append(status)
        return status

    def _let_arrive(self) -> None:
        """What the platform was slow to make, and is due by now."""
        due = [one for at, one in self.late if at <= self.time.boot]
        self.late = [(at, one) for at, one in self.late if at > self.time.boot]
        for arrival in due:
            self._make(arrival)

    def _read(self, account: str, path: str, query: dict[str, list[str]]) -> bytes:
        if path.endswith("verify_credentials"):
            return _response(200, {"id": f"id-{account}", "acct": account, "username": account})
        if path.endswith("instance"):
            return _response(200, {"domain": HOST, "configuration": {"statuses": {"max_characters": 500}}})
        if path.endswith("source"):
            wanted = path.split("/")[-2]
            found = next(one for one in self.statuses if one.id == wanted)
            return _response(200, {"id": found.id, "text": found.text, "spoiler_text": ""})
        since = int(query.get("since_id", ["0"])[0])
        most = int(query.get("max_id", [str(1 << 80)])[0])
        mine = [one for one in self.statuses if one.account == account and since < int(one.id) < most]
        newest = sorted(mine, key=lambda one: int(one.id), reverse=True)[: int(query.get("limit", ["20"])[0])]
        return _response(200, [self._shape(one) for one in newest])

    @staticmethod
    def _shape(status: Status) -> dict[str, object]:
        at = datetime.fromtimestamp(status.at / 1000, UTC).isoformat(timespec="milliseconds")
        address = f"{URL}/@{status.account}/{status.id}"
        return {"id": status.id, "created_at": at.replace("+00:00", "Z"), "spoiler_text": "", "url": address}


class MemorySocket:
    """As much of a socket as urllib3 needs; the request arrives whole, while the gates are locked."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._answer = b""

    def settimeout(self, _: float | None) -> None:
        """Nothing here ever waits."""

    def sendall(self, letter: bytes) -> None:
        """The request is there."""
        self._answer = self._platform.answer(letter)

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        """The answer, as a file."""
        return io.BytesIO(self._answer)

    def close(self) -> None:
        """Nothing is left to close."""


class Handle:
    """What the gate knows of its connection: everything was acknowledged, and breaking it works."""

    peer = HOST

    def unacknowledged(self) -> int:
        """The platform has it all."""
        return 0

    def closed(self) -> bool:
        """Whether it is over."""
        return True

    def cut(self) -> None:
        """Break it."""

    def close(self) -> None:
        """Let go."""


def _response(status: int, document: object, more: str = "") -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + body
