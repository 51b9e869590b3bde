"""The limits of a real daemon's control socket: whoever sits, drips, floods or leaves, a freeze is answered."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.daemon import limits
from guardian.fence.telling import ask
from tests.daemon.talking import IMPORT, SLACK, STATUS, call, freezes, hear, judged, resident, thaws
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        found.start()
        yield found


@pytest.mark.parametrize("sent", [0, 20])
def test_a_request_that_was_cut_off_is_never_carried_out(house: TorturedHouse, sent: int) -> None:
    body = b'{"ids": null, "gap": "0s"}'
    for path in (b"/v1/freeze", b"/v1/posts/release"):
        with call(house) as sock:
            head = b"POST %s HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n" % (path, len(body))
            sock.sendall(head + body[:sent])
        with call(house) as sock:
            sock.sendall(head + body[:sent])
            sock.shutdown(socket.SHUT_WR)
            assert hear(sock) == b""
    time.sleep(0.2)
    kinds = [entry["kind"] for entry in house.client.get("/v1/journal")["entries"]]
    assert house.client.get("/v1/status")["state"] == "open"
    assert "frozen" not in kinds
    assert "released" not in kinds


def test_who_asks_and_then_says_no_more_is_answered(house: TorturedHouse) -> None:
    with call(house) as sock:
        sock.sendall(STATUS * 3)  # three at once, in a pipe
        sock.shutdown(socket.SHUT_WR)
        assert hear(sock).count(b"HTTP/1.1 200") == 3


def test_who_says_nothing_is_not_waited_for(house: TorturedHouse) -> None:
    began = time.monotonic()
    with call(house) as sock:
        assert hear(sock) == b""
    assert time.monotonic() - began < limits.FIRST_BYTE_WITHIN + SLACK


def test_who_keeps_a_connection_without_asking_is_let_go(house: TorturedHouse) -> None:
    with call(house) as sock:
        sock.sendall(STATUS)
        began = time.monotonic()
        assert hear(sock).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < limits.IDLE_WITHIN + SLACK


DRIPS = (
    (b"POST /v1/freeze HTTP/1.1\r\n", b"X"),
    (b"POST /v1/freeze HTTP/1.1\r\nHost: g\r\nContent-Length: 1000\r\n\r\n{", b" "),
    (b"POST /v1/freeze HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
)


def test_a_request_that_drips_in_is_ended_and_not_carried_out(house: TorturedHouse) -> None:
    with contextlib.ExitStack() as open_:
        socks = [open_.enter_context(call(house)) for _ in DRIPS]
        began = time.monotonic()
        for sock, (first, _) in zip(socks, DRIPS, strict=True):
            sock.sendall(first)
        dripping = dict(zip(socks, DRIPS, strict=True))
        while dripping and time.monotonic() - began < limits.REQUEST_WITHIN + SLACK:
            for sock, (_, drop) in list(dripping.items()):
                try:
                    sock.sendall(drop)
                except OSError:
                    del dripping[sock]
            time.sleep(0.1)
        assert [judged(hear(sock)) for sock in socks] == [(408, "too_slow")] * 3
        assert not dripping
    assert house.client.get("/v1/status")["state"] == "open"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /" + b"a" * 100_000, 431),
        (b"GET / HTTP/1.1\r\nHost: g\r\n" + b"X: y\r\n" * 20_000, 431),
        (b"\0\1\2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"POST /v1/freeze HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
)
def test_what_is_no_http_gets_the_one_form_of_error(house: TorturedHouse, raw: bytes, status: int) -> None:
    with call(house) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(raw)
        assert judged(hear(sock))[0] == status


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 9 + b"]" * 9,
        b'{"scopes": ' + b'{"a":' * 8 + b"1" + b"}" * 9,
        b'{"reason": "\\"", "scopes": [[[[[[[[',
        '{"reason": "≛≛≛"}'.encode("utf-16-le"),
        b'{"reason": "\xff"}',
        b'{"scopes": [' + b"1," * 40_000 + b"1]}",
        b'{"reason": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"scopes": ["\\uD800"]}',
        b'{"drain": NaN}',
        b'{"drain": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_deep_or_odd_is_a_mistake_in_words(house: TorturedHouse, body: bytes) -> None:
    with call(house) as sock:
        head = b"POST /v1/freeze HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % len(body) + body)
        assert judged(hear(sock)) == (422, "bad_input")


@pytest.mark.parametrize("path", ["/v1/posts/release", "/v1/thaw", "/v1/posts"])
def test_half_a_character_is_a_mistake_and_no_error_of_the_database(house: TorturedHouse, path: str) -> None:
    bodies = {
        "/v1/posts/release": b'{"ids": ["p-\\ud800"]}',
        "/v1/thaw": b'{"reason": "\\udfff"}',
        "/v1/posts": b'{"\\ud83e": "\\ud83e\\udde8"}',
    }
    with call(house) as sock:
        head = b"POST %s HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % (path.encode(), len(bodies[path])) + bodies[path])
        assert judged(hear(sock)) == (422, "bad_input")


def test_a_whole_character_in_two_escapes_is_taken(house: TorturedHouse) -> None:
    body = b'{"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "\\ud83e\\udde8 \\\\ud800"}'
    with call(house) as sock:
        head = b"POST /v1/posts HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % len(body) + body)
        document = json.loads(hear(sock).partition(b"\r\n\r\n")[2])
    assert document["post"]["text"] == "\U0001f9e8 \\ud800"


def test_brackets_inside_of_words_are_no_nesting(house: TorturedHouse) -> None:
    body = {"scopes": ["all"], "reason": '[[[[[[[[[[ \\ " {{{{{{{{{{', "wait": 0}
    assert ask(house.house.socket, "POST", "/v1/freeze", body, within=10)[0] == 200
    thaws(house)


def test_an_endless_line_costs_the_daemon_no_memory(house: TorturedHouse) -> None:
    assert house.daemon is not None
    before, piece, sent = resident(house.daemon.pid), b"a" * (1 << 20), 0
    with call(house) as sock:
        try:
            while sent < 1 << 30:
                sock.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 1 << 30
        assert judged(hear(sock)) == (431, "too_large")
    assert resident(house.daemon.pid) < before + (16 << 20)


def test_an_endless_body_is_cut_off(house: TorturedHouse) -> None:
    assert house.daemon is not None
    before, piece, sent = resident(house.daemon.pid), b" " * (1 << 20), 0
    with call(house) as sock:
        sock.sendall(b"POST /v1/freeze HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 1 << 30:
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
        except OSError:
            pass
        assert sent < 1 << 30
        assert judged(hear(sock)) == (413, "too_large")
    assert resident(house.daemon.pid) < before + (16 << 20)


def test_who_does_not_read_its_answer_is_let_go() -> None:
    lines = "\n".join(
        json.dumps({"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": f"{number} {'word ' * 95}"})
        for number in range(1000)
    )
    with TorturedHouse() as house:
        house.start()
        assert house.client.post("/v1/posts/import", {"text": lines})["entered"] == 1000
        with call(house) as sock:
            sock.sendall(b"GET /v1/posts?limit=1000 HTTP/1.1\r\nHost: g\r\n\r\n")
            hung_up = select.poll()
            hung_up.register(sock, 0)
            assert hung_up.poll((limits.READ_WITHIN + SLACK) * 1000)
            assert len(hear(sock)) < len(lines)


def test_an_answer_larger_than_the_allowance_is_refused_only_beside_others() -> None:
    unread = limits.Allowance(10)
    assert unread.take(11)
    assert not unread.take(1)
    unread.give_back(11)
    assert unread.take(4)
    assert unread.take(6)
    assert not unread.take(1)


def test_large_imports_at_once_share_one_allowance(house: TorturedHouse) -> None:
    """Each may be 96 MiB; ten of them at once would be a gigabyte."""
    assert house.daemon is not None
    before = resident(house.daemon.pid)
    with contextlib.ExitStack() as open_:
        socks = [open_.enter_context(call(house)) for _ in range(5)]
        answers = []
        for sock in socks:
            sock.sendall(IMPORT % (60 << 20))
            try:
                for _ in range(58):
                    sock.sendall(b" " * (1 << 20))
            except OSError:
                answers.append(judged(hear(sock)))
        assert answers == [(503, "busy")] * 4
        assert freezes(house) < SLACK
    thaws(house)
    assert resident(house.daemon.pid) < before + (260 << 20)


def test_a_freeze_is_answered_while_sixty_others_sit_drip_and_do_not_read(house: TorturedHouse) -> None:
    with contextlib.ExitStack() as open_:
        for number in range(60):
            sock = open_.enter_context(call(house))
            sock.sendall(
                (b"", b"POST /v1/thaw HTTP/1.1\r\n", b"GET /v1/journal HTTP/1.1\r\nHost: g\r\n\r\n" * 20)[number % 3]
            )
        assert freezes(house) < SLACK
    thaws(house)


def test_a_thousand_connections_are_turned_away_in_words_and_a_freeze_is_not(house: TorturedHouse) -> None:
    with contextlib.ExitStack() as open_:
        socks = [open_.enter_context(call(house)) for _ in range(1000)]
        assert freezes(house) < SLACK
        answers = [answer for answer in map(hear, socks) if answer]
        assert answers
        assert {judged(answer) for answer in answers} == {(503, "busy")}
    thaws(house)
    assert house.client.get("/v1/status")["daemon"] == "running"


def test_a_kept_place_takes_freezes_and_nothing_else(house: TorturedHouse) -> None:
    with contextlib.ExitStack() as open_:
        for _ in range(limits.PLACES_OF_THE_HOUSE):
            open_.enter_context(call(house)).sendall(b"G")
        time.sleep(0.2)
        status, document = ask(house.house.socket, "GET", "/v1/status", within=10)
        assert (status, isinstance(document, dict) and document["error"]["code"]) == (503, "busy")
        assert freezes(house) < SLACK
    thaws(house)


def test_peers_that_leave_early_cost_nothing(house: TorturedHouse) -> None:
    for number in range(400):
        with call(house) as sock, contextlib.suppress(OSError):
            sock.sendall((STATUS, STATUS[:9], b"")[number % 3])
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if ask(house.house.socket, "GET", "/v1/status", within=10)[0] == 200:
            break
        time.sleep(0.05)
    assert house.daemon is not None
    assert len(os.listdir(f"/proc/{house.daemon.pid}/fd")) < 100  # noqa: PTH208 (names are enough)
    assert "Traceback" not in house.daemon.tail()


def test_a_read_never_waits_for_a_write(house: TorturedHouse) -> None:
    with contextlib.closing(sqlite3.connect(Path(house.house.state_dir) / "guardian.db")) as other, call(house) as sock:
        other.execute("begin immediate")
        body = b'{"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "x"}'
        sock.sendall(b"POST /v1/posts HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        time.sleep(0.2)
        began = time.monotonic()
        for path in ("/v1/status", "/v1/posts", "/v1/journal"):
            assert ask(house.house.socket, "GET", path, within=10)[0] == 200
        assert time.monotonic() - began < SLACK
        other.rollback()


def test_a_daemon_with_all_its_places_taken_ends_when_it_is_told_to() -> None:
    begun = (
        b"",
        b"G",
        b"POST /v1/thaw HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\n{",
        b"\0\r\n\r\n",
        STATUS,
        STATUS * 50,
    )
    with TorturedHouse() as house, contextlib.ExitStack() as open_:
        daemon = house.start()
        for number in range(120):
            open_.enter_context(call(house)).sendall(begun[number % len(begun)])
        assert daemon.terminate() == 0
        assert "Traceback" not in daemon.log.read_text("utf-8", "replace")
