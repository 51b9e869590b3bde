"""One request to a socket of the house: whatever sits behind it, the caller gets a whole answer in time or an error."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from guardian.fence import processes, telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fence.conftest import Door

DEAF = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
time.sleep(60)
"""


def answer(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "one.sock")


@pytest.fixture
def deaf(path: str) -> Iterator[subprocess.Popen[str]]:
    """A process that listens on the socket and is stopped before it takes anybody in."""
    process = subprocess.Popen([sys.executable, "-c", DEAF, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "listening\n"
        process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + 20
        while not processes.is_stopped(process.pid) and time.monotonic() < until:
            time.sleep(0.002)
        yield process
        process.kill()
        process.wait(20)


def test_a_request_arrives_whole_and_its_answer_comes_back(path: str, door: Callable[..., Door]) -> None:
    opened = door(path, answer(200, b'{"ok": true}'))
    assert telling.ask(path, "POST", "/v1/freeze", {"reason": "Grüße"}, within=20) == (200, {"ok": True})
    head, _, body = opened.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/freeze HTTP/1.1\r\n")
    assert json.loads(body) == {"reason": "Grüße"}


def test_an_answer_without_a_length_ends_with_the_connection(path: str, door: Callable[..., Door]) -> None:
    door(path, b"HTTP/1.1 200 OK\r\n\r\n[1, 2]", b"HTTP/1.1 204 No Content\r\n\r\n")
    assert telling.ask(path, "GET", "/v1/fence", within=20) == (200, [1, 2])
    assert telling.ask(path, "GET", "/v1/fence", within=20) == (204, None)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="cut in the head"),
        pytest.param(answer(200, b'{"confirmed": true}', length=500), id="cut in the body"),
        pytest.param(answer(200, b"{", length=1), id="half a document"),
        pytest.param(answer(200, b"<html>"), id="no JSON"),
        pytest.param(b"\x00\xff\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 fine\r\n\r\n{}", id="no number"),
        pytest.param(answer(200, b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), id="chunked"),
        pytest.param(b"x" * (telling.MAX_HEAD + telling.CHUNK), id="a head without end"),
    ],
)
def test_what_is_no_whole_answer_is_never_taken_for_a_verdict(path: str, door: Callable[..., Door], raw: bytes) -> None:
    door(path, raw)
    with pytest.raises(OSError, match="answer"):
        telling.ask(path, "POST", "/v1/freeze", {}, within=20)


def test_an_answer_without_end_never_fills_the_memory(path: str, door: Callable[..., Door]) -> None:
    door(path, answer(200, b"[" + b" " * 5000 + b"]"), b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 5000)
    for _ in range(2):
        with pytest.raises(OSError, match="no whole answer"):
            telling.ask(path, "GET", "/v1/fence", within=20, most=1000)


def test_a_door_that_refuses_before_it_has_read_everything_is_still_heard(path: str, door: Callable[..., Door]) -> None:
    door(path, answer(413, b'{"error": {}}'), most=10)
    assert telling.ask(path, "POST", "/v1/freeze", {"reason": "x" * (1 << 22)}, within=20) == (413, {"error": {}})


def test_a_listener_that_is_stopped_is_not_waited_for(path: str, deaf: subprocess.Popen[str]) -> None:
    with pytest.raises(telling.Deaf, match=f"process {deaf.pid} is stopped"):
        telling.ask(path, "POST", "/v1/freeze", {}, within=500)
    assert telling.tell_frozen(path, {"scopes": ["all"]}, wait=500) is None


def test_a_listener_that_never_answers_is_waited_for_no_longer_than_was_said(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(TimeoutError):
            telling.ask(path, "POST", "/v1/freeze", {}, within=0.05)
        with pytest.raises(TimeoutError, match="no answer came in time"):
            telling.ask(path, "POST", "/v1/freeze", {}, within=0)


def test_where_too_many_wait_already_it_tries_again_and_gives_up_in_time(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)  # the kernel's queue has this one place
        with pytest.raises(TimeoutError, match="no answer came in time"):
            telling.ask(path, "POST", "/v1/freeze", {}, within=0.1)


def test_what_the_daemon_wrote_down_comes_back_and_a_refusal_does_not(path: str, door: Callable[..., Door]) -> None:
    opened = door(
        path, answer(200, b'{"held": 2}'), answer(504, b'{"held": 3}'), answer(409, b"{}"), answer(200, b"[]")
    )
    order: dict[str, object] = {"scopes": ["all"]}
    said = [telling.tell_frozen(path, order, wait=1.5, patience=20) for _ in range(4)]
    assert said == [{"held": 2}, {"held": 3}, None, None]
    assert json.loads(opened.asked[0].partition(b"\r\n\r\n")[2]) == {"scopes": ["all"], "wait": 1.5}
    os.unlink(path)
    assert telling.tell_frozen(path, order, wait=1) is None
