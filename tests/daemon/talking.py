"""How the tests of the control socket talk to it: raw bytes in, whatever comes back out, and a freeze in between."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardian.fence.telling import ask

if TYPE_CHECKING:
    from tests.torture.house import TorturedHouse

SLACK = 3.0  # for a busy machine; the promise itself is the number in limits.py
STATUS = b"GET /v1/status HTTP/1.1\r\nHost: g\r\n\r\n"
IMPORT = b"POST /v1/posts/import HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n"


def call(house: TorturedHouse) -> socket.socket:
    """A connection."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(15)
    sock.connect(house.house.socket)
    return sock


def hear(sock: socket.socket) -> bytes:
    """Everything until the other side hangs up."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := sock.recv(65536):
            found += chunk
    return found


def judged(answer: bytes) -> tuple[int, str]:
    """The status, and the code of an error in the contract's form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    document: dict[str, Any] = json.loads(body)
    assert set(document["error"]) == {"code", "message", "fix"}
    assert document["error"]["message"].startswith("cannot")
    return int(head.split()[1]), str(document["error"]["code"])


def freezes(house: TorturedHouse) -> float:
    """A freeze by the socket is confirmed; how long that took."""
    began = time.monotonic()
    status, document = ask(house.house.socket, "POST", "/v1/freeze", {"reason": "limits", "wait": 0}, within=15)
    assert status == 200, document
    return time.monotonic() - began


def thaws(house: TorturedHouse) -> None:
    """Lift it, as soon as there is a place."""
    until = time.monotonic() + 15
    status = 0
    while status != 200 and time.monotonic() < until:
        status, _ = ask(house.house.socket, "POST", "/v1/thaw", {"reason": "limits"}, within=10)
        time.sleep(0.05)
    assert status == 200


def resident(pid: int) -> int:
    """Bytes of a process in memory, at most so far."""
    text = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024
