"""The log is the witness of the stop: were it wrong, the proof would be."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from guardian.rehearsal import clock
from guardian.rehearsal.log import RequestLog

if TYPE_CHECKING:
    from guardian.rehearsal import RehearsalPlatform
    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider

MS = 1_000_000
JITTER = 10_000  # of converting one clock into the other


def _request(text: str) -> bytes:
    body = f"status={text}".encode()
    head = (
        f"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer rehearsal-acme\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_the_instants_are_in_order_and_the_kernels_own(platform: RehearsalPlatform, plain: Plain) -> None:
    before = time.monotonic_ns()
    assert plain.post("hello", key="k").status == 200
    after = time.monotonic_ns()
    entry = plain.last()
    assert platform.clock == entry["clock"] == "kernel"
    assert entry["answered"] is not None
    assert before - JITTER <= entry["first_byte"] <= entry["last_byte"] <= entry["answered"] <= after
    assert (entry["method"], entry["path"], entry["account"]) == ("POST", "/api/v1/statuses", "acme")
    assert (entry["status"], entry["text"], entry["idempotency_key"], entry["complete"]) == (200, "hello", "k", True)
    assert entry["status_id"] == platform.posts()[0]["id"]


def test_a_reader_that_wakes_late_still_reports_when_the_bytes_came(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("deaf", seconds=0.3)
    connection = plain.connect()
    before = time.monotonic_ns()
    connection.sendall(_request("x"))
    after = time.monotonic_ns()
    entry = plain.last(lambda e: e["answered"] is not None)
    assert before - JITTER <= entry["first_byte"] <= after + 5 * MS
    assert entry["answered"] is not None
    assert entry["answered"] - entry["first_byte"] > 250 * MS


def test_the_first_and_the_last_byte_of_a_slow_request_are_told_apart(plain: Plain) -> None:
    connection, data = plain.connect(), _request("slow")
    before = time.monotonic_ns()
    connection.sendall(data[:1])
    time.sleep(0.1)
    connection.sendall(data[1:60])
    time.sleep(0.1)
    connection.sendall(data[60:])
    entry = plain.last(lambda e: e["complete"])
    assert abs(entry["first_byte"] - before) < 50 * MS
    assert 190 * MS < entry["last_byte"] - entry["first_byte"] < 400 * MS


def test_a_second_request_on_a_kept_connection_has_its_own_first_byte(plain: Plain) -> None:
    connection = plain.connect()
    connection.sendall(_request("one"))
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    time.sleep(0.1)
    before = time.monotonic_ns()
    connection.sendall(_request("two"))
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    entry = plain.last(lambda e: e["text"] == "two")
    assert before - JITTER <= entry["first_byte"]


def test_requests_sent_without_waiting_are_all_logged(platform: RehearsalPlatform, plain: Plain) -> None:
    plain.connect().sendall(_request("one") + _request("two") + _request("three"))
    plain.last(lambda e: e["text"] == "three" and e["status"] == 200)
    assert [post["text"] for post in platform.posts()] == ["one", "two", "three"]


@pytest.mark.parametrize("size", [1, 20, 100, len(_request("half")) - 1])
def test_half_a_request_is_logged_and_makes_no_post(platform: RehearsalPlatform, plain: Plain, size: int) -> None:
    connection = plain.connect()
    connection.sendall(_request("half")[:size])
    entry = plain.last()
    assert not entry["complete"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    if size >= 20:
        plain.last(lambda e: e["method"] == "POST" and str(e["path"]).startswith("/api"))
    assert platform.posts() == []
    assert "rehearsal-acme" not in json.dumps(platform.log())
    assert plain.last()["status"] is None


def test_a_client_that_has_its_answer_finds_it_in_the_log(platform: RehearsalPlatform, plain: Plain) -> None:
    for n in range(50):
        reply = plain.post(f"post {n}")
        assert platform.log()[-1]["status_id"] == reply.json["id"]
        assert platform.log()[-1]["answered"] is not None


def test_concurrent_requests_are_each_logged_once(platform: RehearsalPlatform, plain: Plain) -> None:
    threads = [threading.Thread(target=plain.post, args=(f"post {n}",)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(str(entry["text"]) for entry in platform.log()) == sorted(f"post {n}" for n in range(40))
    assert {entry["status_id"] for entry in platform.log()} == {post["id"] for post in platform.posts()}


def test_watching_the_rehearsal_does_not_show_up_in_what_is_watched(platform: RehearsalPlatform, plain: Plain) -> None:
    plain.post("x")
    for path in ("/", "/rehearsal/log", "/rehearsal/posts", "/rehearsal/ready"):
        assert plain.ask("GET", path).status == 200
    assert len(platform.log()) == 1
    page = plain.ask("GET", "/rehearsal/log?after=0").json
    assert [entry["text"] for entry in page["entries"]] == ["x"]
    assert page["now"] > page["entries"][0]["answered"]
    assert plain.ask("GET", f"/rehearsal/log?after={page['entries'][0]['n']}").json["entries"] == []


def test_a_full_log_lets_go_of_the_oldest_and_says_so() -> None:
    log = RequestLog(room=3)
    for _ in range(5):
        log.open(clock.now())
    page = log.after()
    assert ([entry["n"] for entry in page["entries"]], page["dropped"]) == ([3, 4, 5], 2)


def test_a_wall_clock_that_was_set_during_the_wait_is_not_believed() -> None:
    started, offset = time.monotonic_ns(), clock.wall_offset()
    wall = time.time_ns()
    assert clock.stamped(wall, started=started, offset_before=offset).clock == "kernel"
    assert clock.stamped(wall, started=started, offset_before=offset + 3600 * 1000 * MS).clock == "user"
    assert clock.stamped(None, started=started, offset_before=offset).clock == "user"
