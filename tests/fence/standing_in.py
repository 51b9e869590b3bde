"""A daemon that stands in for the real one: real HTTP on a real socket, answering each path as the test says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any

from guardian.fence import processes

if TYPE_CHECKING:
    from guardian.fence.house import House

FREEZE, TAKEDOWNS = "/v1/freeze", "/v1/takedowns"
HANG = "hang"
INSIDE = """
import socket, sys, time
from guardian.fence.house import House
from guardian.fence import gates
from guardian.fence.passage import Crossing, look
house = House(sys.argv[1], sys.argv[2])
lock = gates.lock_for_life(house.daemon_lock)
listener = socket.socket(socket.AF_UNIX)
listener.bind(house.socket)
listener.listen()
with Crossing(look(house, ["all"])):
    print("inside", flush=True)
    time.sleep(60)
"""


class StandIn:
    """Listens until `close`; what it was asked, in order, is in `asked`."""

    def __init__(self, house: House, answers: dict[str, tuple[int, object] | str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []
        self.let_go = threading.Event()
        self._server = _Server(house.socket, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def bodies(self, path: str) -> list[Any]:
        """What was asked of that path."""
        return [body for where, body in self.asked if where == path]

    def close(self) -> None:
        """Let whoever hangs go, and end."""
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, owner: StandIn) -> None:
        self.owner = owner
        super().__init__(path, _Request)


class _Request(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        owner = self.server.owner
        owner.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        found = owner.answers.get(self.path, (404, {}))
        if isinstance(found, str):
            owner.let_go.wait(60)
            return
        raw = json.dumps(found[1]).encode()
        self.send_response(found[0])
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def hung_daemon(house: House) -> subprocess.Popen[str]:
    """A daemon that is stopped in the middle of a send: it holds the gate, and its socket is open and deaf."""
    words = [sys.executable, "-c", INSIDE, *house]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGSTOP)
    until = time.monotonic() + 20
    while not processes.is_stopped(process.pid) and time.monotonic() < until:
        time.sleep(0.002)
    return process


def orders_in(house: House) -> list[dict[str, Any]]:
    """The orders that lie there for a daemon to come."""
    where = f"{house.permits}/orders"
    if not os.path.isdir(where):
        return []
    found = []
    for name in os.listdir(where):
        assert os.stat(f"{where}/{name}").st_mode & 0o777 == 0o600
        with open(f"{where}/{name}") as file:
            found.append(json.load(file))
    return found
