"""`python attackers.py SOCKET SECONDS SEED [UID GID]`: everything that a peer can do to a control socket, at once.

A process of its own with the standard library alone, so that it can be another user and cannot slow its victim's
Python. Prints one line of numbers when its time is over.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
import threading
import time
from collections import Counter

BURST = 300
PIECE = b"a" * (1 << 16)
HEAD = b"POST /v1/thaw HTTP/1.1\r\nHost: g\r\n"
READ = b"GET /v1/journal?limit=1000 HTTP/1.1\r\nHost: g\r\n\r\n"
done: Counter[str] = Counter()


def call(path: str) -> socket.socket:
    """A connection."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(2)
    sock.connect(path)
    return sock


def sit(path: str, dice: random.Random) -> None:
    """Say nothing."""
    with call(path) as sock:
        sock.settimeout(dice.uniform(0, 3))
        sock.recv(100)


def drip(path: str, dice: random.Random) -> None:
    """A head or a body that never ends, a byte at a time."""
    with call(path) as sock:
        sock.sendall(
            dice.choice(
                (HEAD, HEAD + b"Content-Length: 5000\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n")
            )
        )
        for _ in range(60):
            sock.sendall(b"X")
            time.sleep(0.1)


def flood(path: str, _: random.Random) -> None:
    """Very many connections in one go."""
    with contextlib.ExitStack() as open_:
        for _number in range(BURST):
            open_.enter_context(call(path))
        time.sleep(0.2)


def pour(path: str, dice: random.Random) -> None:
    """A line, or a body, of a gigabyte."""
    with call(path) as sock:
        sock.sendall(
            dice.choice((b"GET /", b"POST /v1/posts/import HTTP/1.1\r\nHost: g\r\nContent-Length: 1073741824\r\n\r\n"))
        )
        for _ in range(1 << 14):
            sock.sendall(PIECE)


def hoard(path: str, dice: random.Random) -> None:
    """Ask very much, and read nothing."""
    with call(path) as sock:
        sock.sendall(READ * 100)
        time.sleep(dice.uniform(0, 3))


def leave(path: str, dice: random.Random) -> None:
    """Half a request, or a whole one, and gone: with the write side first, or all at once."""
    with call(path) as sock:
        sock.sendall(READ[: dice.randint(0, len(READ))])
        if dice.random() < 0.5:
            sock.shutdown(socket.SHUT_WR)
            sock.recv(100)


def babble(path: str, dice: random.Random) -> None:
    """No HTTP."""
    with call(path) as sock:
        sock.sendall(dice.randbytes(dice.randint(1, 5000)))
        sock.recv(100)


WAYS = (sit, sit, drip, drip, flood, pour, hoard, hoard, leave, babble)


def attack(path: str, until: float, way: int, seed: str) -> None:
    """One attacker's life: the same way again and again."""
    dice = random.Random(f"{seed} {way}")  # noqa: S311 (chance, not secrecy)
    one = WAYS[way % len(WAYS)]
    while time.monotonic() < until:
        try:
            one(path, dice)
        except OSError:
            time.sleep(0.005)  # turned away, which is what is hoped for
        done[one.__name__] += 1


def main() -> None:
    """Attack for so many seconds."""
    path, seconds, seed, *somebody = sys.argv[1:]
    if somebody:
        os.setgroups([])
        os.setgid(int(somebody[1]))
        os.setuid(int(somebody[0]))
    until = time.monotonic() + float(seconds)
    threads = [
        threading.Thread(target=attack, args=(path, until, way, seed), daemon=True) for way in range(3 * len(WAYS))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until + 3 - time.monotonic(), 0))
    print(sum(done.values()), dict(done))


if __name__ == "__main__":
    main()
