"""The incident at the control socket: who may say what, what it refuses, and that a note never stands before a stop."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence.telling import ask
from tests.daemon.test_daemon_rights import GAMES, MAIL, RIGHTS, statuses
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
pytestmark = [pytest.mark.outsider]
ONE = "/v1/incidents/current"
SAYS: tuple[tuple[str, str, object], ...] = (
    ("POST", f"{ONE}/decisions", {"decision": "delete it"}),
    ("POST", f"{ONE}/class", {"class": "brand"}),
    ("POST", f"{ONE}/roles", {"role": "scribe", "person": "emil"}),
    ("POST", f"{ONE}/actions", {"text": "train"}),
    ("POST", f"{ONE}/statement", {"text": "sorry"}),
)
CLOSE = ("POST", f"{ONE}/close", {"reason": "over"})
OPEN = ("POST", "/v1/incidents", {"reason": "x"})
NOTE = ("POST", f"{ONE}/notes", {"text": "x"})
LOOKS = (("GET", "/v1/incidents", None), ("GET", ONE, None), ("GET", f"{ONE}/report", None))
WRONG: tuple[tuple[str, object], ...] = (
    ("", {}),
    ("", {"reason": ""}),
    ("", {"reason": " \n"}),
    ("", {"reason": "x" * 1001}),
    ("", {"reason": "x", "by": "me"}),
    ("/current/notes", {"text": 7}),
    ("/current/notes", {"text": "x" * 20_001}),
    ("/current/decisions", {"decision": "x", "options": ["y"] * 51}),
    ("/current/class", {}),
    ("/current/class", {"class": "weather"}),
    ("/current/class", {"severity": "very"}),
    ("/current/roles", {"role": "scribe"}),
    ("/current/actions", {"text": "x", "due": "tomorrow"}),
    ("/current/actions", {"text": "x", "due": "2026-13-01"}),
    ("/current/statement", {}),
    ("/current/close", {"reason": ""}),
)


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse(config=RIGHTS) as found:
        found.start()
        for place in (found.directory, Path(found.house.runtime_dir).parent, Path(found.house.runtime_dir)):
            place.chmod(0o755)  # as /run/guardian is: groups reach the socket
        yield found


@pytest.fixture
def opened(house: TorturedHouse) -> Iterator[str]:
    found = house.client.post("/v1/incidents", {"reason": "a test"})
    yield str(found["incident"]["id"])
    ask(house.house.socket, "POST", f"{ONE}/close", {"reason": "after the test"}, within=10)


def lines(house: TorturedHouse) -> int:
    return len(house.client.get("/v1/journal", limit=1000)["entries"])


@pytest.mark.root
@NEEDS_ROOT
def test_who_may_stop_may_open_and_note_and_decides_nothing(house: TorturedHouse) -> None:
    asked = [OPEN, NOTE, *LOOKS, *SAYS, CLOSE]
    assert statuses(house, asked, groups=[GAMES]) == [200] * 5 + [403] * 6
    assert statuses(house, [CLOSE], groups=[GAMES, MAIL]) == [200]


@pytest.mark.root
@NEEDS_ROOT
def test_who_may_operate_says_all_the_rest_and_closes(house: TorturedHouse) -> None:
    asked = [OPEN, *SAYS, CLOSE]
    assert statuses(house, asked, groups=[GAMES, MAIL]) == [200] * 7
    assert statuses(house, asked, uid=54321, gid=54321, groups=[]) == [0] * 7


@pytest.mark.parametrize(("path", "body"), WRONG)
def test_what_is_wrong_is_refused_and_writes_no_line(
    house: TorturedHouse, opened: str, path: str, body: object
) -> None:
    before = lines(house)
    status, document = ask(house.house.socket, "POST", f"/v1/incidents{path}", body, within=10)
    assert status == 422, document
    assert lines(house) == before
    assert opened


@pytest.mark.parametrize("name", ["i-nothing", "current", "x" * 101, "%2e%2e", "latest%00"])
def test_an_incident_that_is_not_there_is_not_found(house: TorturedHouse, name: str) -> None:
    for method, target, body in (
        ("GET", "", None),
        ("GET", "/report", None),
        ("POST", "/notes", {"text": "x"}),
        ("POST", "/close", {"reason": "x"}),
    ):
        status, document = ask(house.house.socket, method, f"/v1/incidents/{name}{target}", body, within=10)
        assert status == 404, (method, target, document)


def test_a_second_end_is_refused(house: TorturedHouse, opened: str) -> None:
    first = ask(house.house.socket, "POST", f"/v1/incidents/{opened}/close", {"reason": "over"}, within=10)
    again = ask(house.house.socket, "POST", f"/v1/incidents/{opened}/close", {"reason": "over"}, within=10)
    assert (first[0], again[0]) == (200, 409)


def test_many_who_open_one_at_the_same_moment_are_told_of_the_same(house: TorturedHouse) -> None:
    found: list[Any] = []
    ready = threading.Barrier(8)

    def order() -> None:
        ready.wait(10)
        found.append(ask(house.house.socket, "POST", "/v1/incidents", {"reason": "x"}, within=15)[1])

    threads = [threading.Thread(target=order) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({one["incident"]["id"] for one in found}) == 1
    assert sorted(one["new"] for one in found) == [False] * 7 + [True]
    house.client.post(f"{ONE}/close", {"reason": "after the test"})


def test_pages_of_incidents_hang_together_and_say_who_and_why(house: TorturedHouse) -> None:
    for number in range(3):
        house.client.post("/v1/incidents", {"reason": f"number {number}"})
        house.client.post(f"{ONE}/close", {"reason": "over"})
    found, cursor = [], None
    while True:
        page = house.client.get("/v1/incidents", limit=2, cursor=cursor)
        found += page["incidents"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [one["reason"] for one in found[:3]] == ["number 2", "number 1", "number 0"]
    assert len({one["id"] for one in found}) == len(found)
    assert house.client.get("/v1/incidents/latest")["opened"]["reason"] == "number 2"


def test_a_freeze_is_answered_while_notes_wait_for_a_store_that_is_locked(house: TorturedHouse, opened: str) -> None:
    import sqlite3

    socket = house.house.socket
    other = sqlite3.connect(Path(house.house.state_dir) / "guardian.db", isolation_level=None)
    other.execute("begin immediate")
    threads = [
        threading.Thread(target=lambda: ask(socket, "POST", f"{ONE}/notes", {"text": "x"}, within=30))
        for _ in range(40)
    ]
    try:
        for thread in threads:
            thread.start()
        status, document = ask(socket, "POST", "/v1/freeze", {"reason": "now", "wait": 0}, within=15)
        assert status == 200, document
        assert isinstance(document, dict)
        assert document["confirmed"] is True
        assert opened
    finally:
        other.execute("rollback")
        other.close()
        for thread in threads:
            thread.join(60)
    house.thaw()
