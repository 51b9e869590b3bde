"""Corners of the gate that no honest client reaches: each refuses, and not a byte leaves."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from guardian.adapter import Kind
from guardian.errors import ConfigMistake
from guardian.fence.passage import Stopped
from guardian.gate import accounts, connection, wire
from guardian.gate.intents import Trace
from guardian.gate.wire import Deadline
from guardian.model import Part
from tests.gate.test_gate_connection import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gate.gate_door import Door


def test_an_adapter_that_is_none_is_left_out_and_an_account_of_its_platform_is_refused(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that says it is an adapter, really installed, and is a function that makes text."""
    place = tmp_path / "odd-1.0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text("[guardian.adapters]\nodd = json:dumps\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = accounts.makers()
    assert "odd" not in found
    assert accounts.known_secrets(found)["mastodon"] == found["mastodon"].secrets
    with pytest.raises(ConfigMistake, match="no adapter for 'mastodon' is installed"):
        accounts.connect(door.account, {}, answer_within=1.0)


def errand(kind: Kind, *, tls: bool) -> connection.Errand:
    return connection.Errand(Trace(kind, "POST", "/"), Deadline(5.0), None, tls=tls)


def test_what_a_library_writes_outside_of_a_request_is_refused() -> None:
    with pytest.raises(Stopped, match="outside of its turn"):
        connection.GatedConnection("127.0.0.1", 1).send(b"x")


@pytest.mark.parametrize("kind", [Kind.PUBLISH, Kind.MANAGE, Kind.UPLOAD])
@pytest.mark.parametrize(
    ("tls", "why"), [(True, "TLS is not on"), (False, "has no pass of the fence")], ids=["tls", "pass"]
)
def test_a_post_without_its_tls_or_without_its_pass_never_leaves(kind: Kind, tls: bool, why: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(Stopped, match=why):
            connection._deliver(errand(kind, tls=tls), ours, b"POST / HTTP/1.1\r\n\r\n")
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_every_refusal_is_heard_of_once_and_nothing_else_is(door: Door) -> None:
    heard: list[str] = []
    adapter = accounts.connect(
        door.account, accounts.makers(), answer_within=1.0, on_refusal=lambda: heard.append("refused")
    )
    adapter.whoami()
    assert heard == []
    for _ in range(2):
        with pytest.raises(Exception, match="not announced"):
            adapter.publish(Part(text="unannounced"), "key")
    assert heard == ["refused"] * 2
    assert door.creates() == []


def test_before_it_has_a_deadline_a_connection_reads_as_any_other() -> None:
    import ssl

    left, right = socket.socketpair()
    with right, wire.TimedSocket(left.family, left.type, left.proto, fileno=left.detach()) as plain:
        right.sendall(b"hello")
        assert plain.recv_into(bytearray(5)) == 5
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    far.load_cert_chain(CERTIFICATE)
    left, right = socket.socketpair()

    def serve() -> None:
        with far.wrap_socket(right, server_side=True) as answering:
            answering.sendall(b"hello")

    serving = threading.Thread(target=serve)
    serving.start()
    with wire.tls_context(CERTIFICATE).wrap_socket(left, server_hostname="127.0.0.1") as secure:
        assert secure.recv_into(bytearray(5)) == 5
    serving.join(5)


def test_silent_name_servers_do_not_hold_a_lane_beyond_its_deadline() -> None:
    """Every thread that resolves waits for one; the fifth name gives up in its own time."""
    answer = threading.Event()
    waiting = [wire._resolvers.submit(answer.wait, 20) for _ in range(4)]
    try:
        with pytest.raises(TimeoutError, match="was not resolved in time"):
            wire.dial("127.0.0.1", 1, Deadline(0.1), lambda _: None)
    finally:
        answer.set()
    assert all(one.result(5) for one in waiting)
