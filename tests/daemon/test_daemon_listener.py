"""Where the metrics are served: begun, moved, ended, and tried again when the port is somebody else's."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from guardian.daemon import listener
from guardian.daemon.listener import Listener
from tests.daemon.scraping import ASK, asked, free_port
from tests.daemon.talking import hear

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider


def text() -> bytes:
    return b"guardian_up 1\n"


@pytest.fixture
def listening() -> Iterator[Listener]:
    found = Listener(text)
    yield found
    found.stop()


def is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_an_address_that_changes_is_left_and_the_new_one_served(listening: Listener) -> None:
    first, second = free_port(), free_port()
    listening.start(f"127.0.0.1:{first}")
    assert asked(first).endswith(b"\r\n\r\nguardian_up 1\n")
    with socket.create_connection(("127.0.0.1", first), timeout=15) as sitting:
        listening.start(f"127.0.0.1:{second}")
        with contextlib.suppress(ConnectionResetError):
            assert sitting.recv(1) == b""
    assert not is_open(first)
    assert asked(second).endswith(b"guardian_up 1\n")
    assert listening.state() == {"listen": f"127.0.0.1:{second}", "state": "serving", "why": ""}
    listening.stop()
    listening.stop()
    assert not is_open(second)
    assert listening.state()["state"] == "off"


def test_who_is_told_the_same_address_again_or_none_goes_on_as_before(listening: Listener) -> None:
    port = free_port()
    listening.start(None)
    assert listening.state()["state"] == "off"
    for address in (f"127.0.0.1:{port}", f"127.0.0.1:{port}", None):
        listening.start(address)
        assert asked(port).endswith(b"guardian_up 1\n")


def test_a_port_that_becomes_free_is_taken_without_being_told(
    listening: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "AGAIN_AFTER", 0.05)
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        listening.start(f"127.0.0.1:{port}")
        assert listening.state()["state"] == "failed"
    until = time.monotonic() + 10
    while listening.state()["state"] != "serving":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert asked(port).endswith(b"guardian_up 1\n")


@pytest.mark.parametrize("address", ["no-such-host.invalid:9464", "192.0.2.1:9464"])
def test_an_address_that_is_not_ours_fails_and_can_be_left(listening: Listener, address: str) -> None:
    listening.start(address)
    assert listening.state()["state"] == "failed"
    assert listening.state()["why"]
    began = time.monotonic()
    listening.stop()
    assert time.monotonic() - began < listener.ENDED_WITHIN


def test_a_text_that_cannot_be_made_is_an_error_of_ours_and_not_the_end() -> None:
    fine = [False]

    def sometimes() -> bytes:
        if not fine[0]:
            raise ValueError
        return text()

    found, port = Listener(sometimes), free_port()
    found.start(f"127.0.0.1:{port}")
    try:
        assert asked(port).startswith(b"HTTP/1.1 500")
        fine[0] = True
        assert asked(port).startswith(b"HTTP/1.1 200")
    finally:
        found.stop()


def test_a_newcomer_takes_the_place_of_who_has_sat_longest(listening: Listener) -> None:
    port = free_port()
    listening.start(f"127.0.0.1:{port}")
    sitting = [socket.create_connection(("127.0.0.1", port), timeout=15) for _ in range(listener.MOST)]
    try:
        assert asked(port).startswith(b"HTTP/1.1 200")
        sitting[-1].sendall(ASK)
        assert sitting[-1].recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        assert hear(sitting[0]) == b""
        assert time.monotonic() - began < listener.HEAD_WITHIN
    finally:
        for sock in sitting:
            sock.close()


def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "READ_WITHIN", 0.3)
    found, port = Listener(lambda: b"x" * (32 << 20)), free_port()
    found.start(f"127.0.0.1:{port}")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=15) as deaf:
            deaf.sendall(ASK)
            time.sleep(1.0)
            assert len(hear(deaf)) < 32 << 20
    finally:
        found.stop()
