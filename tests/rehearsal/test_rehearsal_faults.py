"""Each fault does what it says: a drill on a platform that fails in another way than asked proves nothing."""

from __future__ import annotations

import fcntl
import http.client
import struct
import time
from typing import TYPE_CHECKING

import pytest

from guardian.rehearsal import RehearsalPlatform
from guardian.rehearsal.faults import KINDS, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider

SIOCOUTQ = 0x5411


def _texts(platform: RehearsalPlatform) -> list[str]:
    return [post["text"] for post in platform.posts()]


def test_delay_posts_first_and_answers_late(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("delay", seconds=0.3)
    started = time.monotonic_ns()
    assert plain.post("x").status == 200
    assert time.monotonic_ns() - started > 300_000_000
    assert platform.posts()[0]["created_ns"] - started < 200_000_000
    assert platform.log()[-1]["fault"] == "delay"


def test_delay_before_posts_late(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("delay_before", seconds=0.3)
    started = time.monotonic_ns()
    assert plain.post("x").status == 200
    assert platform.posts()[0]["created_ns"] - started > 300_000_000


def test_stall_posts_and_never_answers(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("stall", seconds=0.3)
    started = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        plain.post("x")
    assert time.monotonic() - started > 0.3
    entry = plain.last()
    assert (entry["complete"], entry["status"], entry["answered"]) == (True, None, None)
    assert entry["status_id"] == platform.posts()[0]["id"]


def test_a_stalled_request_ends_when_the_client_goes(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("stall")
    connection = plain.connect()
    connection.sendall(b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    plain.last(lambda e: e["complete"])
    connection.close()
    deadline = time.monotonic() + 5
    while platform._open and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not platform._open


def test_trickle_answers_byte_by_byte(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("trickle", seconds=0.001)
    connection = plain.connect()
    connection.sendall(b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    pieces: list[bytes] = []
    while b"".join(pieces).count(b"}") < 1:
        pieces.append(connection.recv(65536))
    assert len(pieces) > 50
    assert b"".join(pieces).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(("kind", "made"), [("lose", ["x"]), ("lose_before", [])])
def test_a_lost_answer_looks_the_same_whether_or_not_the_post_was_made(
    platform: RehearsalPlatform, plain: Plain, kind: str, made: list[str]
) -> None:
    platform.fault(kind)
    with pytest.raises(http.client.RemoteDisconnected):
        plain.post("x")
    assert _texts(platform) == made
    entry = plain.last()
    assert (entry["fault"], entry["complete"], entry["status"], entry["text"]) == (kind, True, None, "x")
    assert (entry["status_id"] is not None) == bool(made)


def test_reset_early_resets_and_posts_nothing(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("reset_early")
    connection = plain.connect()
    connection.sendall(b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    entry = plain.last()
    assert (entry["fault"], entry["complete"], _texts(platform)) == ("reset_early", False, [])


@pytest.mark.parametrize(("kind", "made"), [("status", []), ("status_after", ["x"])])
def test_a_wanted_status_comes_in_mastodons_shape(
    platform: RehearsalPlatform, plain: Plain, kind: str, made: list[str]
) -> None:
    platform.fault(kind, status=503)
    reply = plain.post("x")
    assert (reply.status, list(reply.json)) == (503, ["error"])
    assert _texts(platform) == made


def test_429_says_when_to_come_back(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("429", retry_after=7)
    reply = plain.post("x")
    assert (reply.status, reply.headers["Retry-After"], reply.headers["X-RateLimit-Remaining"]) == (429, "7", "0")
    assert _texts(platform) == []


def test_without_idempotency_a_repeated_key_posts_twice(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("no_idempotency", skip=1)
    ids = [plain.post("x", key="k").json["id"] for _ in range(3)]
    assert len(platform.posts()) == 2
    assert ids[0] == ids[2] != ids[1]


def test_rubbish_is_a_yes_that_means_nothing(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("rubbish")
    reply = plain.post("x")
    assert reply.status == 200
    assert not reply.body.startswith(b"{")
    assert _texts(platform) == []


def test_redirect_points_elsewhere(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("redirect", location="http://127.0.0.1:1/x")
    reply = plain.post("x")
    assert (reply.status, reply.headers["Location"]) == (307, "http://127.0.0.1:1/x")


def test_a_deaf_platform_leaves_the_bytes_with_the_sender(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("deaf", seconds=0.5)
    connection = plain.connect()
    connection.setblocking(False)
    body = b"status=" + b"x" * 4000
    head = b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert connection.send(head + body) == len(head + body)
    time.sleep(0.2)
    assert struct.unpack("i", fcntl.ioctl(connection, SIOCOUTQ, b"\0" * 4))[0] > 1000
    assert plain.last(lambda e: e["status"] == 401)["fault"] == "deaf"
    assert plain.post("after").status == 200


def test_a_fault_hits_only_what_its_rule_names(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("status", status=500, account="beta", skip=1, times=2)
    assert [plain.post("x").status for _ in range(2)] == [200, 200]
    assert [plain.post("x", account="beta").status for _ in range(5)] == [200, 500, 500, 200, 200]
    platform.fault("status", status=500, times=None, method="*", path="/api/v1/accounts/.*")
    assert plain.ask("GET", "/api/v1/accounts/verify_credentials?x=1").status == 500
    assert plain.post("x").status == 200
    platform.clear_faults()
    assert plain.ask("GET", "/api/v1/accounts/verify_credentials", **plain.as_account("acme")).status == 200


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "nap"},
        {"kind": "delay", "second": 1},
        {"kind": "delay", "times": 0},
        {"kind": "lose", "path": "("},
        [],
        {},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_not_ignored(options: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Rule.of(options)


@pytest.mark.parametrize("kind", sorted(KINDS - {"redirect"}))
def test_stopping_never_waits_for_a_fault(kind: str, client_of: Callable[[RehearsalPlatform], Plain]) -> None:
    platform = RehearsalPlatform()
    platform.fault(kind, seconds=60 if kind != "trickle" else 5, method="*", path=".*", status=500)
    with platform:
        connection = client_of(platform).connect()
        connection.sendall(b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert not platform._open
