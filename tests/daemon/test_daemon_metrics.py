"""The metrics of a real daemon: true at the moment of the scrape, the same by both doors, and in nobody's way."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.daemon.census import COUNTED_WITHIN
from tests.daemon.scraping import ASK, Scrape, asked, free_port, names, read, scrape, told, value
from tests.daemon.talking import SLACK, freezes, judged, thaws
from tests.torture import doors
from tests.torture.daemon import ROOT
from tests.torture.house import ACCOUNTS, SCOPES, TorturedHouse
from tests.torture.intruder import Intruder
from tests.torture.mounts import Passthrough

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.outsider
SECRETIVE = "a word that must not get out"
RIGHTS = '[rights]\nread = ["games"]\nfreeze = ["mail"]\noperate = []\ntakedown = []\n'
AS_SOMEBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(12345)
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
sock.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: g\\r\\nConnection: close\\r\\n\\r\\n")
print(sock.makefile("rb").readline().decode().split()[1])
"""


class ScrapedHouse(TorturedHouse):
    """A house whose metrics are served on a port, too."""

    def __init__(self, more: str = "") -> None:
        self.port = free_port()
        super().__init__(config=f'{more}\n[metrics]\nlisten = "127.0.0.1:{self.port}"\n')


@pytest.fixture(scope="module")
def house() -> Iterator[ScrapedHouse]:
    with ScrapedHouse('[gate]\nanswer_within = "1s"') as found:
        found.start()
        yield found


def until(house: TorturedHouse, true: Callable[[Scrape], object], within: float = 20.0) -> Scrape:
    """The first scrape of which it is true."""
    end = time.monotonic() + within
    while not true(found := scrape(house)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def test_what_was_published_is_counted_as_soon_as_it_is_published(house: ScrapedHouse) -> None:
    before = scrape(house)
    house.feed(4, accounts=["north-a"])
    house.wait_all()
    after = scrape(house)
    sends = "guardian_sends_total"
    for account, sent in (("north-a", 4), ("north-b", 0)):
        told_of = {"account": account, "outcome": "published"}
        assert value(after, sends, **told_of) - value(before, sends, **told_of) == sent
        late = "guardian_send_lateness_seconds_count"
        assert value(after, late, account=account) - value(before, late, account=account) == sent
    assert value(after, "guardian_posts", account="north-a", state="published") == 4
    assert value(after, "guardian_posts", account="north-a", state="queued") == 0
    assert value(after, "guardian_up") == value(after, "guardian_store_readable") == 1
    assert value(after, "guardian_account_in_trouble", account="north-a") == 0


def test_a_freeze_and_its_thaw_show_at_once_with_scope_door_and_duration(house: ScrapedHouse) -> None:
    before = scrape(house)
    assert {value(before, "guardian_frozen", scope=scope) for scope in SCOPES} == {0}
    began = time.time()
    freezes(house)
    after = scrape(house)
    assert {scope for scope in SCOPES if value(after, "guardian_frozen", scope=scope)} == {"all"}
    assert abs(value(after, "guardian_frozen_since_timestamp_seconds", scope="all") - began) < 60
    for name, labels in (
        ("guardian_freeze_requests_total", {"door": "control", "confirmed": "true"}),
        ("guardian_freeze_seconds_count", {"confirmed": "true"}),
        ("guardian_freezes_total", {"scope": "all"}),
    ):
        assert value(after, name, **labels) - value(before, name, **labels) == 1, name
    thaws(house)
    assert value(scrape(house), "guardian_frozen", scope="all") == 0
    house.freeze("brand:north", door=doors.by_command)
    told_of = {"door": "direct", "confirmed": "true"}
    by_command = scrape(house)
    name = "guardian_freeze_requests_total"
    assert value(by_command, name, **told_of) - value(after, name, **told_of) == 1
    assert value(by_command, "guardian_freezes_total", scope="brand:north") == 1
    assert value(by_command, "guardian_frozen", scope="brand:north") == 1
    house.thaw("brand:north")


def test_what_is_held_and_what_is_missed_is_counted(house: ScrapedHouse) -> None:
    freezes(house)
    before = scrape(house)
    house.feed(3, accounts=["south-a"])
    held = house.feed(2, accounts=["south-b"], at=datetime.now(UTC) + timedelta(days=1))
    until(house, lambda found: value(found, "guardian_posts", account="south-a", state="missed") == 3)
    missed = "guardian_posts_missed_total"  # counted a moment after it is written down
    found = until(house, lambda found: value(found, missed) - value(before, missed) == 3)
    assert value(found, "guardian_posts_held") - value(before, "guardian_posts_held") == 2
    assert value(found, "guardian_oldest_due_post_seconds", account="south-a") == 0  # nobody may send it
    thaws(house)
    for post in held:
        house.client.post(f"/v1/posts/{post}/cancel", {})
    house.release()
    house.wait(lambda counts: not counts["missed"] and not counts["queued"], 20, "the release")


def test_a_lost_answer_is_counted_with_the_looks_for_it(house: ScrapedHouse) -> None:
    house.witness.fault("lose", account="north-b")
    house.feed(1, accounts=["north-b"])
    found = until(house, lambda found: value(found, "guardian_posts", account="north-b", state="published") > 0)
    assert value(found, "guardian_sends_total", account="north-b", outcome="unknown") == 1
    assert value(found, "guardian_reconcile_looks_total", account="north-b", result="found") == 1


def test_a_post_that_is_due_and_does_not_get_out_is_named_by_its_age(house: ScrapedHouse) -> None:
    house.witness.fault("429", retry_after=3, account="south-a")
    house.feed(1, accounts=["south-a"])
    found = until(house, lambda found: value(found, "guardian_oldest_due_post_seconds", account="south-a") > 0.5)
    assert value(found, "guardian_sends_total", account="south-a", outcome="again") == 1
    assert value(found, "guardian_oldest_due_post_seconds", account="north-a") == 0
    house.wait(lambda counts: not counts["queued"], 20, "the throttled post")


def test_both_doors_show_the_same_and_no_event_adds_a_series(house: ScrapedHouse) -> None:
    def series(found: Scrape) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {key for key in found if not key[0].startswith("guardian_frozen_since")}

    before = scrape(house)
    record = {"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": SECRETIVE, "tags": ["secretive"], "ref": "r"}
    house.client.post("/v1/posts", record)
    house.client.post("/v1/freeze", {"reason": SECRETIVE, "wait": 0})
    by_socket, by_port = told(house), asked(house.port)
    thaws(house)
    assert series(read(by_socket)) == series(read(by_port)) == series(before)
    assert all(name.startswith("guardian_") for name in names(before))
    for answer in (by_socket, by_port):
        assert SECRETIVE.encode() not in answer
        assert b"secretive" not in answer
        assert b"rehearsal-" not in answer  # the tokens
    labelled = {label for _, labels in before for label, _ in labels}
    assert labelled == {
        "account",
        "scope",
        "state",
        "outcome",
        "result",
        "door",
        "confirmed",
        "le",
        "loop",
        "version",
        "kind",
    }


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /v1/status HTTP/1.1\r\nHost: g\r\n\r\n", 404),
        (b"GET /metrics/ HTTP/1.1\r\n\r\n", 404),
        (b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        (b"\0\1\2\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 20_000, 431),
    ],
)
def test_the_port_answers_nothing_but_the_metrics(house: ScrapedHouse, request_: bytes, status: int) -> None:
    with contextlib.suppress(ConnectionResetError):
        answer = asked(house.port, request_)
        assert judged(answer)[0] == status or (not answer and status == 431)  # reset: it was still sending
    assert house.client.get("/v1/status")["state"] == "open"


def test_a_query_is_passed_over_and_a_head_has_no_body(house: ScrapedHouse) -> None:
    assert value(read(asked(house.port, b"GET /metrics?x=1 HTTP/1.1\r\n\r\n")), "guardian_up") == 1
    head, _, body = asked(house.port, b"HEAD /metrics HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert not body


def test_scrapers_that_sit_and_do_not_read_keep_neither_a_freeze_nor_the_next_scrape(house: ScrapedHouse) -> None:
    with contextlib.ExitStack() as open_:
        for number in range(60):
            sock = open_.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=15))
            with contextlib.suppress(OSError):  # it has had to make room already
                sock.sendall((b"", b"GET /met", ASK)[number % 3])
        for _ in range(8):
            sitting = open_.enter_context(socket.socket(socket.AF_UNIX))
            sitting.connect(house.house.socket)
            sitting.sendall(ASK)  # and never reads
        assert freezes(house) < SLACK
        assert value(read(asked(house.port)), "guardian_frozen", scope="all") == 1
        assert value(scrape(house), "guardian_frozen", scope="all") == 1
        thaws(house)


def test_a_request_that_drips_in_is_ended(house: ScrapedHouse) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", house.port), timeout=15) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 15 and not select_readable(sock):
                sock.sendall(b"X: y\r\n")
        assert judged(sock.recv(4096))[0] == 408


def select_readable(sock: socket.socket) -> bool:
    """Whether something has come back, waiting a little."""
    sock.settimeout(0.2)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        sock.settimeout(15)


def test_a_scrape_does_not_wait_for_a_store_that_is_locked(house: ScrapedHouse) -> None:
    before = sum(row["state"] == "published" for row in house.rows())
    house.feed(4, accounts=("north-a",))
    house.wait(lambda counts: counts["published"] >= before + 4, 60, "four more posts published")
    with Intruder(Path(house.house.state_dir) / "guardian.db"):
        for found in (scrape(house), read(asked(house.port))):
            assert value(found, "guardian_store_readable") == 1  # readers are not blocked
            assert value(found, "guardian_posts", account="north-a", state="published") >= 4


def test_a_port_that_is_taken_is_said_and_keeps_nobody_from_running() -> None:
    with ScrapedHouse() as house, socket.socket() as taken:
        taken.bind(("127.0.0.1", house.port))
        taken.listen()
        daemon = house.start()
        document = house.client.get("/v1/status")["metrics"]
        until = time.monotonic() + 20
        while (
            "in use" not in str(document["why"]) and time.monotonic() < until
        ):  # it answers a moment before it tries the port
            document = house.client.get("/v1/status")["metrics"]
        assert (document["listen"], document["state"]) == (f"127.0.0.1:{house.port}", "failed")
        assert "in use" in document["why"]
        assert "metrics not served" in daemon.tail()
        house.feed(4)
        house.wait_all()
        assert value(scrape(house), "guardian_up") == 1
        status = [sys.executable, "-m", "guardian", "status", "--config", str(house.config)]
        said = subprocess.run(status, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
        assert said.returncode == 0
        assert f"NOT SERVED on 127.0.0.1:{house.port}" in said.stdout
        assert daemon.terminate() == 0


def test_without_a_port_nothing_listens_and_the_socket_answers_all_the_same() -> None:
    with TorturedHouse() as house:
        house.start()
        assert house.client.get("/v1/status")["metrics"]["state"] == "off"
        assert value(scrape(house), "guardian_up") == 1


def test_in_hold_the_metrics_say_that_the_store_is_damaged_and_all_is_frozen() -> None:
    with ScrapedHouse() as house:
        assert house.start().terminate() == 0
        (Path(house.house.state_dir) / "guardian.db").write_text("no database")
        house.start()
        house.client.post("/v1/freeze", {"reason": "hold", "scopes": ["brand:north"]})
        for found in (scrape(house), read(asked(house.port))):
            assert value(found, "guardian_store_damaged") == 1
            assert value(found, "guardian_up") == value(found, "guardian_store_readable") == 0
            assert {scope for scope in SCOPES if value(found, "guardian_frozen", scope=scope)} == {"all", "brand:north"}
            assert value(found, "guardian_freeze_requests_total", door="control", confirmed="true") == 1
            assert "guardian_posts" not in names(found)
        assert house.client.get("/v1/status")["metrics"]["state"] == "serving"


def test_a_token_that_is_refused_is_the_trouble_of_its_account_alone() -> None:
    with TorturedHouse() as house:
        (house.directory / "north-a.token").write_text("nobody's\n")
        house.start()
        found = until(house, lambda found: value(found, "guardian_account_in_trouble", account="north-a"))
        assert [value(found, "guardian_account_in_trouble", account=name) for name in list(ACCOUNTS)[1:]] == [0, 0, 0]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_read_is_not_shown_the_metrics() -> None:
    with TorturedHouse(config=RIGHTS) as house:
        house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        os.chmod(house.house.socket, 0o666)  # noqa: PTH101, S103 (the right alone decides, not the mode)
        for gid, status in ((60, "200"), (8, "403"), (12345, "403")):
            words = [sys.executable, "-c", AS_SOMEBODY, house.house.socket, str(gid)]
            done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT)
            assert (gid, done.stdout.strip()) == (gid, status)


def test_the_description_says_that_metrics_are_text(house: ScrapedHouse) -> None:
    answer = told(house, b"GET /openapi.json HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert list(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE for a disk that hangs")
def test_a_disk_that_hangs_keeps_no_scrape_and_the_fence_is_shown_all_the_same() -> None:
    with ScrapedHouse() as house, Passthrough(house.house.state_dir) as disk:
        house.start()
        house.feed(4)
        house.wait_all()
        disk.hang()
        try:
            stop = house.freeze(drain=0.5)
            assert stop.confirmed_at is not None
            for _ in range(3):
                began = time.monotonic()
                for found in (read(asked(house.port)), scrape(house)):
                    assert value(found, "guardian_frozen", scope="all") == 1
                    assert value(found, "guardian_up") == 1
                assert time.monotonic() - began < 2 * COUNTED_WITHIN + SLACK
        finally:
            disk.recover()
        found = until(house, lambda found: value(found, "guardian_store_readable"))
        assert value(found, "guardian_posts", account="north-a", state="published") == 1
