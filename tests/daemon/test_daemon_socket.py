"""The control socket of a real daemon: who may what, and what it makes of bad input."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence.telling import ask
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider  # the witness of a tortured house is spoken to over plain HTTP
RIGHTS = """
[rights]
read = ["games"]
freeze = ["games"]
operate = ["nogroup-of-ours"]
takedown = []
"""
AS_SOMEBODY = """
import json, os, sys
from guardian.fence.telling import ask
os.setgroups(json.loads(sys.argv[2])); os.setgid(int(sys.argv[3])); os.setuid(12345)
try:
    print(json.dumps(ask(sys.argv[1], sys.argv[4], sys.argv[5], json.loads(sys.argv[6]), within=10)))
except OSError as error:
    print(json.dumps([0, type(error).__name__]))
"""
GAMES = 60


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse(config=RIGHTS) as found:
        found.start()
        for place in (found.directory, Path(found.house.runtime_dir).parent, Path(found.house.runtime_dir)):
            place.chmod(0o755)  # as /run/guardian is: groups reach the socket
        yield found


def talk(house: TorturedHouse, raw: bytes) -> tuple[int, Any]:
    """Raw bytes in, status and document out."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(house.house.socket)
        sock.sendall(raw)
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body or b"null")


def post(house: TorturedHouse, path: str, body: bytes, headers: bytes = b"") -> tuple[int, Any]:
    head = b"POST %s HTTP/1.1\r\nHost: g\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n"
    return talk(house, head % (path.encode(), headers, len(body)) + body)


def as_somebody(
    house: TorturedHouse, method: str, path: str, body: object, *, gid: int, groups: list[int]
) -> list[Any]:
    words = [sys.executable, "-c", AS_SOMEBODY, house.house.socket, json.dumps(groups), str(gid), method, path]
    done = subprocess.run([*words, json.dumps(body)], capture_output=True, text=True, check=True, timeout=30)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_the_socket_is_open_to_its_group_and_to_nobody_else(house: TorturedHouse) -> None:
    found = os.stat(house.house.socket)  # noqa: PTH116 (the fence speaks in plain paths)
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_gid == GAMES


def test_what_curl_sends_without_saying_that_it_is_json_is_read_as_json(house: TorturedHouse) -> None:
    status, document = post(
        house, "/v1/posts", b'{"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "x"}',
        b"Content-Type: application/x-www-form-urlencoded\r\n",
    )  # fmt: skip
    assert (status, document["fresh"]) == (200, True)


def test_an_empty_body_is_an_empty_object_and_freezes_everything(house: TorturedHouse) -> None:
    status, document = post(house, "/v1/freeze", b"")
    assert (status, document["confirmed"], document["scopes"], document["door"]) == (200, True, ["all"], "control")
    assert house.client.post("/v1/thaw", {"reason": "test"})["state"] == "open"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/freeze", b"{", 422),
        ("/v1/freeze", b"[]", 422),
        ("/v1/freeze", b'{"reson": "x"}', 422),
        ("/v1/freeze", b'{"scopes": []}', 422),
        ("/v1/freeze", b'{"scopes": ["brand:nobody"]}', 422),
        ("/v1/freeze", b'{"drain": -1}', 422),
        ("/v1/freeze", b'{"wait": 1e9}', 422),
        ("/v1/thaw", b"{}", 422),
        ("/v1/posts", b"{}", 422),
        ("/v1/posts/p-nothing/cancel", b"", 404),
        ("/v1/posts/p-nothing/cancel", b'{"x": 1}', 422),
        ("/v1/nothing", b"", 404),
        ("/v1/status", b"", 405),
        ("/v1/freeze", b'{"reason": "' + b"x" * 300_000 + b'"}', 413),
        ("/v1/freeze", b"[" * 30_000, 422),
    ],
)
def test_bad_input_gets_one_stable_form_of_error_and_stops_nothing(
    house: TorturedHouse, path: str, body: bytes, status: int
) -> None:
    got, document = post(house, path, body)
    assert got == status, document
    assert set(document["error"]) == {"code", "message", "fix"}
    assert document["error"]["message"].startswith("cannot")
    assert house.client.get("/v1/status")["state"] == "open"


def test_the_socket_describes_itself(house: TorturedHouse) -> None:
    status, document = ask(house.house.socket, "GET", "/openapi.json", within=10)
    assert status == 200
    assert isinstance(document, dict)
    assert {"/v1/status", "/v1/freeze", "/v1/thaw", "/v1/posts/import", "/v1/journal"} <= set(document["paths"])


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_member_of_the_freeze_group_may_stop_and_may_not_start(house: TorturedHouse) -> None:
    status, document = as_somebody(house, "POST", "/v1/freeze", {"reason": "by a member"}, gid=GAMES, groups=[])
    assert (status, document["confirmed"]) == (200, True)
    refused, error = as_somebody(house, "POST", "/v1/thaw", {"reason": "me too"}, gid=12345, groups=[GAMES])
    assert (refused, error["error"]["code"]) == (403, "not_allowed")
    assert as_somebody(house, "GET", "/v1/status", None, gid=12345, groups=[GAMES])[1]["state"] == "frozen"
    assert house.client.post("/v1/thaw", {"reason": "test"})["state"] == "open"
    names = {entry["who"] for entry in house.client.get("/v1/journal")["entries"] if entry["kind"] == "frozen"}
    assert "uid 12345" in names


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_cannot_even_open_the_socket(house: TorturedHouse) -> None:
    assert as_somebody(house, "POST", "/v1/freeze", {}, gid=12345, groups=[])[0] == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_says_to_be_somebody_else_is_not_believed(house: TorturedHouse) -> None:
    as_somebody(house, "POST", "/v1/freeze", {"reason": "x", "by": "the boss"}, gid=GAMES, groups=[])
    freezes = house.client.get("/v1/status")["freezes"]
    assert {freeze["by"] for freeze in freezes} == {"uid 12345"}
    house.client.post("/v1/thaw", {"reason": "test"})


def test_no_token_is_in_any_file_of_the_house_but_its_own(house: TorturedHouse) -> None:
    house.feed(4)
    house.wait(lambda counts: counts["published"] >= 4, 30, "four posts")
    for path in house.directory.rglob("*"):
        if path.is_file() and path.suffix != ".token":
            assert b"rehearsal-north" not in path.read_bytes(), path
