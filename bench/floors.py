"""The floors: what any program would need. An interpreter, a client over a Unix socket, a commit that is on disk."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from bench.timing import Measured, Missing, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.timing import Sample

INTERPRETER, CLIENT, C_CLIENT, COMMIT = "bare interpreter", "bare Python client", "C client", "durable commit"
IN_PYTHON = """\
import sys
from _socket import AF_UNIX, socket
sock = socket(AF_UNIX)
sock.connect(sys.argv[1])
sock.send(b"freeze\\n")
sock.recv(100)
"""
IN_C = """\
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char answer[100];
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    if (count < 2) return 2;
    strncpy(at.sun_path, words[1], sizeof at.sun_path - 1);
    if (connect(sock, (struct sockaddr *)&at, sizeof at) || write(sock, "freeze\\n", 7) != 7) return 1;
    return read(sock, answer, sizeof answer) < 1;
}
"""


def floors(directory: Path) -> list[Measured]:
    """All of them; `directory` lies on the disk that the commit is to reach."""
    path = directory / "floor.sock"
    _answer_on(path)
    client = directory / "client.py"
    client.write_text(IN_PYTHON, "utf-8")
    return [
        Measured(INTERPRETER, lambda: whole(INTERPRETER, [sys.executable, "-c", "pass"]), 3),
        Measured(CLIENT, lambda: whole(CLIENT, [sys.executable, str(client), str(path)]), 3),
        Measured(C_CLIENT, _c_client(directory, path), 3),
        Measured(COMMIT, _committing(directory / "floor.db"), 3),
    ]


def _answer_on(path: Path) -> None:
    """One line in, one line out, from a thread that dies with us."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def run() -> None:
        while True:
            with listening.accept()[0] as one:
                one.recv(100)
                one.send(b"CONFIRMED\n")

    threading.Thread(target=run, daemon=True).start()


def _c_client(directory: Path, path: Path) -> Callable[[], Sample]:
    program = directory / "client"

    def take() -> Sample:
        if not program.exists():
            _compile(program)
        return whole(C_CLIENT, [str(program), str(path)])

    return take


def _compile(program: Path) -> None:
    if shutil.which("cc") is None:
        raise Missing("there is no C compiler (cc)")
    source = program.with_suffix(".c")
    source.write_text(IN_C, "utf-8")
    subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True, capture_output=True, timeout=60)


def _committing(path: Path) -> Callable[[], Sample]:
    """As our own store commits: a write-ahead log, full synchronisation."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (at INTEGER)")

    def take() -> Sample:
        began = time.perf_counter()
        database.execute("INSERT INTO row VALUES (?)", (time.time_ns(),))
        return {COMMIT: (time.perf_counter() - began) * 1000}

    return take
