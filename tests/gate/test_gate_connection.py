"""The few lines that the promise rests on: how long gates are held, and that what was not acknowledged never leaves."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.fence import gates
from guardian.fence.stopping import Order, Stopping
from guardian.gate import verdicts
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Fate, Receipt, declare
from guardian.gate.verdicts import verdict
from guardian.model import Part
from guardian.rehearsal import RehearsalPlatform
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.gate.gate_door import Door

CERTIFICATE = str(Path(__file__).parent / "loopback.pem")  # self-signed, for 127.0.0.1, worth nothing elsewhere
LONG = Part(text="x" * 100_000)


class Sending:
    """One publishing call in a thread of its own, as a lane makes it."""

    def __init__(self, door: Door, part: Part) -> None:
        self.receipt = Receipt()
        self.ended_at = 0.0
        self._thread = threading.Thread(target=self._send, args=(door, part))
        self._thread.start()

    def _send(self, door: Door, part: Part) -> None:
        with declare(door.intent()) as self.receipt, contextlib.suppress(Exception):
            door.adapter.publish(part, "key")
        self.ended_at = time.monotonic()

    def is_leaving(self) -> bool:
        """Whether it is past the last look at the permits: before that, a freeze rightly stops it without a trace."""
        trace = self.receipt.publishing
        return trace is not None and trace.fate is Fate.MAYBE

    def join(self) -> verdicts.Verdict:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return verdict(self.receipt)


def wait_until(true: Callable[[], object], within: float = 5.0) -> None:
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.001)


def inside(door: Door) -> bool:
    """Whether a send holds the gate."""
    fd = gates.open_shared(door.house, "all")
    try:
        return bool(gates.holders(fd))
    finally:
        os.close(fd)


def stop(door: Door, *, drain: float = 5.0) -> Stopping:
    return Stopping(door.house, Order(("all",), "why", "me", drain), may_kill=False)


def test_a_slow_platform_does_not_hold_up_the_freeze_and_its_answer_still_counts(door: Door) -> None:
    door.platform.fault("delay", seconds=0.8)
    sending = Sending(door, Part(text="slow"))
    wait_until(lambda: [post for post in door.platform.posts() if post["text"] == "slow"])
    with stop(door) as stopping:
        assert stopping.confirm()
        confirmed_at = time.monotonic()
    assert sending.join() == verdicts.Accepted(200)
    assert sending.ended_at > confirmed_at


def deaf_server() -> socket.socket:
    """A platform whose kernel takes a few kilobytes and whose program reads nothing."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def test_what_the_far_end_has_not_acknowledged_never_leaves_after_confirmed(door: Door) -> None:
    with deaf_server() as server:
        door.adapter = connect(account_at(f"http://127.0.0.1:{server.getsockname()[1]}"), makers(), answer_within=30.0)
        sending = Sending(door, LONG)
        wait_until(lambda: inside(door) and sending.is_leaving())
        with stop(door, drain=0.2) as stopping:
            assert stopping.confirm(), stopping.unconfirmed
            assert stopping.killed == []
        assert isinstance(sending.join(), verdicts.Uncertain)
        connection, _ = server.accept()
        got = read_all(connection)
    assert 0 < got < len(LONG.text)


def read_all(connection: socket.socket) -> int:
    """Read whatever still arrives, until the connection is over."""
    got = 0
    connection.settimeout(2)
    with connection, contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            got += len(chunk)
    return got


def test_a_narrow_freeze_of_another_scope_does_not_touch_a_send(door: Door) -> None:
    from guardian.fence import arming

    assert isinstance(arming.arm_new(door.house, "brand:other"), arming.Armed)
    with deaf_server() as server:
        door.adapter = connect(account_at(f"http://127.0.0.1:{server.getsockname()[1]}"), makers(), answer_within=1.0)
        sending = Sending(door, LONG)
        wait_until(lambda: inside(door))
        with Stopping(door.house, Order(("brand:other",), "", "me", 0.2)) as stopping:
            assert stopping.confirm()
        assert inside(door)
        assert isinstance(sending.join(), verdicts.Uncertain)
    assert not inside(door)


def test_a_far_end_that_breaks_off_lets_the_gates_go_at_once(door: Door) -> None:
    with deaf_server() as server:
        door.adapter = connect(account_at(f"http://127.0.0.1:{server.getsockname()[1]}"), makers(), answer_within=30.0)
        sending = Sending(door, LONG)
        connection, _ = server.accept()
        wait_until(lambda: inside(door))
        connection.close()  # with unread data: the kernel answers with a reset
        assert isinstance(sending.join(), verdicts.Uncertain)
    assert not inside(door)


def test_over_tls_the_gates_are_let_go_before_the_answer_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlocking at an empty send queue was tried only in the clear by the prototype (research/thread-fence)."""
    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    with RehearsalPlatform(("acme",), certfile=CERTIFICATE) as platform:
        door.platform = platform
        door.adapter = connect(account_at(platform.url), makers(), answer_within=5.0)
        platform.fault("delay", seconds=0.8)
        sending = Sending(door, Part(text="over TLS"))
        wait_until(platform.posts)
        with stop(door) as stopping:
            assert stopping.confirm()
            confirmed_at = time.monotonic()
        assert sending.join() == verdicts.Accepted(200)
        assert sending.ended_at > confirmed_at
        (entry,) = [entry for entry in platform.log() if entry["method"] == "POST"]
        assert entry["last_byte"] / 1e9 < confirmed_at


def test_over_tls_what_was_not_acknowledged_never_leaves_after_confirmed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far end finishes the handshake, then stops reading in the middle of the request."""
    import ssl

    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with deaf_server() as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        door.adapter = connect(account_at(url), makers(), answer_within=30.0)
        sending = Sending(door, LONG)
        raw, _ = server.accept()
        connection = context.wrap_socket(raw, server_side=True)
        wait_until(lambda: inside(door) and sending.is_leaving())
        with stop(door, drain=0.2) as stopping:
            assert stopping.confirm(), stopping.unconfirmed
        assert isinstance(sending.join(), verdicts.Uncertain)
        with socket.socket(fileno=connection.detach()) as bare:
            assert 0 < read_all(bare) < len(LONG.text)


def test_a_certificate_that_nobody_vouches_for_stops_the_post_before_a_byte_of_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with RehearsalPlatform(("acme",), certfile=CERTIFICATE) as platform:
        door.adapter = connect(account_at(platform.url), makers(), answer_within=5.0)
        found = Sending(door, Part(text="x")).join()
        assert isinstance(found, verdicts.NotSent)
        assert platform.posts() == []


def test_a_permit_removed_after_the_connection_was_made_sends_no_byte(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check before `publish()` would have let this one out: the freeze falls into the dialling."""
    from guardian.gate import connection

    def freeze_here(name: str) -> None:
        if name == "gate.connected":
            Path(door.house.permit("account:acme")).unlink()

    monkeypatch.setattr(connection, "failpoint", freeze_here)
    found = Sending(door, Part(text="x")).join()
    assert isinstance(found, verdicts.Stopped)
    assert door.creates() == []
