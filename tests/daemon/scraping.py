"""How the tests scrape: one request over the control socket or over TCP, read as Prometheus reads it."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from tests.daemon.talking import call, hear

if TYPE_CHECKING:
    from tests.torture.house import TorturedHouse

ASK = b"GET /metrics HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"
Scrape = dict[tuple[str, frozenset[tuple[str, str]]], float]


def free_port() -> int:
    """A port that nobody had a moment ago, and that the kernel gives to no connection of another test."""
    for port in random.sample(range(15_000, 32_000), 50):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")


def asked(port: int, request: bytes = ASK) -> bytes:
    """What comes back over TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout=15) as sock:
        sock.sendall(request)
        return hear(sock)


def told(house: TorturedHouse, request: bytes = ASK) -> bytes:
    """What comes back over the control socket."""
    with call(house) as sock:
        sock.sendall(request)
        return hear(sock)


def read(answer: bytes) -> Scrape:
    """The samples of an answer, which must be a whole and good one."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith("http/1.1 200"), answer[:500]
    assert "content-type: text/plain; version=0.0.4; charset=utf-8" in lines
    assert f"content-length: {len(body)}" in lines
    found: Scrape = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def scrape(house: TorturedHouse) -> Scrape:
    """Everything, over the control socket."""
    return read(told(house))


def value(found: Scrape, name: str, **labels: str) -> float:
    """One sample."""
    return found[name, frozenset(labels.items())]


def names(found: Scrape) -> set[str]:
    """The names of all samples."""
    return {name for name, _ in found}
