"""`freeze --takedown`: it begins with the stop, never holds it up, and never claims what nobody has confirmed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from guardian.fence import aftermath, asking, command, report
from guardian.fence.beside import Beside, Reply
from guardian.fence.command import understand
from guardian.fence.stopping import Order
from tests.fence.standing_in import FREEZE, HANG, TAKEDOWNS, StandIn, hung_daemon, orders_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.fence.house import House

URL = "https://social.example/@acme/113"
TOLD = {"epoch": 7, "incident": "i-1", "held": 2, "in_flight": [], "native": [], "not_covered": ["people who log in"]}


def taken(*targets: dict[str, object]) -> dict[str, object]:
    return {"id": "t-1", "state": "done", "targets": list(targets)}


def target(ref: str = URL, state: str = "gone", **more: object) -> dict[str, object]:
    return {"ref": ref, "state": state, "evidence": "ev-1", "url": URL, "why": "", "grade": "complete", **more}


@pytest.fixture
def standing(house: House) -> Iterator[Callable[..., StandIn]]:
    """A daemon that answers: `standing(takedowns=..., freeze=...)`."""
    opened: list[StandIn] = []

    def start(*, takedowns: object, freeze: object = (200, TOLD)) -> StandIn:
        opened.append(StandIn(house, {TAKEDOWNS: takedowns, FREEZE: freeze}))  # type: ignore[dict-item]
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def freeze(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    place = ["--state-dir", house.state_dir, "--runtime-dir", house.runtime_dir]
    return subprocess.run(
        [sys.executable, "-m", "guardian", "freeze", *place, *words],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def document_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_a_post_that_the_daemon_took_down_is_gone_with_its_proof(
    house: House, standing: Callable[..., StandIn]
) -> None:
    daemon = standing(takedowns=(200, taken(target())))
    done = freeze(house, "bad", "joke", "--takedown", URL, "--delete")
    assert done.returncode == command.OK, done
    assert done.stdout.startswith("FROZEN  CONFIRMED  all")
    assert f"  takedown    {URL}: gone\n    evidence  ev-1 (complete): guardian evidence verify\n" in done.stdout
    (body,) = daemon.bodies(TAKEDOWNS)
    assert len(body.pop("key")) == 32
    assert set(body.pop("caller")) == {"login", "tty", "host"}
    assert body == {
        "refs": [URL], "decision": "delete", "severity": "critical", "reason": "bad joke", "wait": 10.0,
        "with_freeze": True,
    }  # fmt: skip
    assert orders_in(house) == []


def test_without_a_decision_the_proof_alone_is_taken_and_it_says_so(
    house: House, standing: Callable[..., StandIn]
) -> None:
    daemon = standing(takedowns=(200, taken(target(state="kept"))))
    done = freeze(house, "--takedown", URL, "--takedown", URL, "--capture=require", "--wait", "5")
    assert done.returncode == command.OK
    (body,) = daemon.bodies(TAKEDOWNS)
    assert (body["decision"], body["capture"], body["refs"], body["wait"]) == ("keep", "require", [URL], 5.0)
    assert "kept, it stays live" in done.stdout
    assert "the posts stay live, because no decision was given, do decide: guardian takedown REF" in done.stdout


def test_two_decisions_that_contradict_each_other_delete_nothing_and_stop_all_the_same(
    house: House, standing: Callable[..., StandIn]
) -> None:
    daemon = standing(takedowns=(200, taken(target(state="kept"))))
    done = freeze(house, "--json", "--takedown", URL, "--delete", "--hide")
    assert document_of(done)["confirmed"] is True
    assert daemon.bodies(TAKEDOWNS)[0]["decision"] == "keep"
    assert "--delete and --hide contradict each other" in document_of(done)["notes"][0]


def test_a_daemon_that_hangs_in_the_takedown_does_not_delay_confirmed(
    house: House, standing: Callable[..., StandIn]
) -> None:
    standing(takedowns=HANG)
    words = [sys.executable, "-m", "guardian", "freeze", "--state-dir", house.state_dir]
    words += ["--runtime-dir", house.runtime_dir, "--takedown", URL, "--delete", "--wait", "1.5"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        confirmed_at = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(30) == command.TAKEDOWN_INCOMPLETE
    assert first.startswith("FROZEN  CONFIRMED  all  in ")
    assert time.monotonic() - confirmed_at > 1, "CONFIRMED came only when the takedown was given up"
    assert f"{URL}: NOT KNOWN whether it is gone, because the daemon gave no answer" in rest
    assert f"    by hand   {URL}\n" in rest
    (order,) = orders_in(house)
    assert (order["refs"], order["decision"]) == ([URL], "delete")


def test_a_daemon_killed_by_the_stop_leaves_the_order_and_the_end_is_14(house: House) -> None:
    process = hung_daemon(house)
    try:
        done = freeze(house, "why", "--drain", "0.2", "--takedown", URL, "--delete", "--native", "--json")
        assert process.wait(20) == -9
    finally:
        process.kill()
        process.wait(20)
    document = document_of(done)
    assert (done.returncode, document["confirmed"], document["daemon_killed"]) == (14, True, True)
    (row,) = document["takedown"]
    assert (row["ref"], row["state"], row["evidence"]) == (URL, "not_attempted", None)
    (order,) = orders_in(house)
    assert (order["refs"], order["decision"], order["native"]) == ([URL], "delete", "hold")
    assert (order["scopes"], order["reason"], len(order["key"])) == (["all"], "why", 32)
    assert any(f"orders/{order['key']}.json; to withdraw it: rm " in note for note in document["notes"])


def test_a_daemon_that_is_absent_finds_the_order_when_it_starts(house: House) -> None:
    done = freeze(house, "--takedown", "p-abc", "--hide")
    assert done.returncode == command.TAKEDOWN_INCOMPLETE
    assert "  takedown    p-abc: NOT ATTEMPTED, because the daemon does not run\n" in done.stdout
    assert "    by hand   look up its address: guardian queue show p-abc\n" in done.stdout
    assert orders_in(house)[0]["decision"] == "hide"


def test_an_order_that_cannot_be_left_is_said_to_be_lost(house: House) -> None:
    with open(f"{house.permits}/orders", "w"):
        pass  # a file where the directory should be
    done = freeze(house, "--takedown", URL, "--delete")
    assert done.returncode == command.TAKEDOWN_INCOMPLETE
    assert "CONFIRMED" in done.stdout
    assert "the order could not be left for the daemon, because " in done.stdout


def test_a_refusal_of_the_daemon_is_final_and_leaves_no_order(house: House, standing: Callable[..., StandIn]) -> None:
    no = {"error": {"code": "bad_input", "message": "cannot take that down, because it is not ours", "fix": "look"}}
    standing(takedowns=(422, no))
    done = freeze(house, "--json", "--takedown", URL, "--delete")
    assert done.returncode == command.TAKEDOWN_INCOMPLETE
    (row,) = document_of(done)["takedown"]
    assert row["state"] == "not_attempted"
    assert row["why"] == "cannot take that down, because it is not ours, do look"
    assert orders_in(house) == []


def test_a_daemon_in_doubt_gets_the_order_once_more_from_the_disk(
    house: House, standing: Callable[..., StandIn]
) -> None:
    daemon = standing(takedowns=(503, {"error": {"message": "the store is locked", "fix": "wait"}}))
    assert freeze(house, "--takedown", URL, "--delete").returncode == command.TAKEDOWN_INCOMPLETE
    (order,) = orders_in(house)
    assert order["key"] == daemon.bodies(TAKEDOWNS)[0]["key"], "one order would be carried out twice"


def test_whoever_may_not_take_down_has_frozen_and_is_told_so(house: House, standing: Callable[..., StandIn]) -> None:
    standing(takedowns=(403, {"error": {"message": "cannot do that as kim", "fix": "ask one of: guardian-takedown"}}))
    done = freeze(house, "--takedown", URL, "--delete")
    assert done.returncode == command.NOT_ALLOWED
    assert done.stdout.startswith("FROZEN  CONFIRMED")
    assert "NOT ATTEMPTED, because cannot do that as kim, do ask one of: guardian-takedown" in done.stdout


def test_a_hostile_answer_never_steers_the_terminal(house: House, standing: Callable[..., StandIn]) -> None:
    evil = "\x1b[2J\u202egone\x07"
    row = target(state=evil, why=evil, url=evil, evidence=evil, grade=evil)
    native = [{"account": evil, "id": evil, "due": evil, "state": evil, "text": evil + "\n" * 500, "why": evil}]
    told = {**TOLD, "native": native, "not_covered": [evil], "in_flight": [target(post=evil, account=evil)]}
    standing(takedowns=(200, {"id": evil, "state": evil, "targets": [row, "no row"]}), freeze=(200, told))
    done = freeze(house, "--takedown", URL, "--delete")
    assert done.returncode == command.TAKEDOWN_INCOMPLETE
    assert "\\u001b[2J\\u202egone\\u0007" in done.stdout
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout), done.stdout


@pytest.mark.parametrize(
    ("reply", "states"),
    [
        (Reply(200, taken(target(state="still_visible")), "", reached=True), ["still_visible"]),
        (Reply(200, taken(target(state="ordered", due="2026-12-01T00:00:00Z")), "", reached=True), ["not_attempted"]),
        (Reply(202, taken(target(state="acting")), "", reached=True), ["unknown"]),
        (Reply(200, taken(target(state="invented")), "", reached=True), ["unknown"]),
        (Reply(200, taken() | {"lost": [{"ref": URL, "why": "not ours"}]}, "", reached=True), ["not_attempted"]),
        (Reply(200, taken(target()) | {"lost": [{"ref": "p-9"}]}, "", reached=True), ["gone", "not_attempted"]),
        (Reply(200, taken(), "", reached=True), ["not_attempted"]),
        (Reply(200, taken(target(), target(state="unknown")), "", reached=True), ["gone", "unknown"]),
        (Reply(200, taken({"ref": ["p-9"], "state": ["gone"]}), "", reached=True), ["unknown"]),
        (Reply(200, {"targets": "none"}, "", reached=True), ["not_attempted"]),
        (Reply(200, [1], "", reached=True), ["not_attempted"]),
        (Reply(500, None, "", reached=True), ["not_attempted"]),
        (Reply(0, None, "nobody", reached=False), ["not_attempted"]),
        (Reply(0, None, "late", reached=True), ["unknown"]),
    ],
)
def test_nothing_but_the_daemons_plain_word_counts_as_done(reply: Reply, states: list[str]) -> None:
    rows = aftermath.rows_of(reply, (URL,), killed=False)
    assert [row["state"] for row in rows] == states
    assert aftermath.is_complete({"takedown": rows}, "list") is (states == ["gone"])


def test_a_post_is_called_what_the_person_called_it() -> None:
    found = {"account": "acme-m", "platform_id": "113"}
    one, two = target(ref="p-1", **found), target(ref="p-2", url="https://social.example/@acme/114")
    rows = aftermath.rows_of(Reply(200, taken(one, two), "", reached=True), ("acme-m/113", "p-2"), killed=False)
    assert [row["ref"] for row in rows] == ["acme-m/113", "p-2"]
    (row,) = aftermath.rows_of(Reply(200, taken(one), "", reached=True), ("https://else.example/113",), killed=False)
    assert row["ref"] == "https://else.example/113"
    rows = aftermath.rows_of(Reply(200, taken(one, two), "", reached=True), ("https://else.example/113",), killed=False)
    assert [row["ref"] for row in rows] == ["p-1", "p-2"]


def test_what_belongs_to_it_is_offered_with_why_and_a_command_that_does_it(
    house: House, standing: Callable[..., StandIn]
) -> None:
    more = [
        {"ref": "beta-m/9", "url": "https://social.example/@beta/9", "why": "says the same"},
        {"ref": "acme-m/114", "url": "https://social.example/@acme/114", "why": "part 2 of the same thread"},
    ]
    standing(takedowns=(200, taken(target()) | {"siblings": more}))
    done = freeze(house, "--takedown", URL, "--delete")
    where = "still live, says the same: https://social.example/@beta/9; "
    assert where + "to take it down: guardian takedown beta-m/9 --delete" in done.stdout
    assert "still live, part 2 of the same thread: https://social.example/@acme/114; " in done.stdout


def test_a_daemon_that_was_ended_before_it_answered_has_not_done_it() -> None:
    (row,) = aftermath.rows_of(Reply(0, None, "late", reached=True), (URL,), killed=True)
    assert (row["state"], row["why"]) == ("not_attempted", "the daemon was ended before it answered")


def test_a_takedown_without_a_free_process_is_said_and_the_stop_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe", full)
    reply = Beside(house, understand(["--takedown", URL])).collect()
    assert (reply.status, reply.reached) == (0, False)
    assert "Too many open files" in reply.why


def test_the_takedown_is_on_its_way_while_the_stop_still_waits_for_a_send(
    house: House, sender: Callable[..., subprocess.Popen[str]], standing: Callable[..., StandIn]
) -> None:
    daemon = standing(takedowns=(200, taken(target())))
    sender(seconds=1.5)
    words = [sys.executable, "-m", "guardian", "freeze", "--state-dir", house.state_dir]
    words += ["--runtime-dir", house.runtime_dir, "--takedown", URL, "--delete"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 20
        while not daemon.bodies(TAKEDOWNS) and time.monotonic() < until:
            time.sleep(0.002)
        assert daemon.bodies(FREEZE) == [], "the takedown waited for the drain"
        assert process.wait(30) == command.OK


def test_at_another_door_the_person_asks_for_the_takedown_with_rights_of_their_own(
    house: House, standing: Callable[..., StandIn], capfd: pytest.CaptureFixture[str]
) -> None:
    verdict = {
        **TOLD, "state": "frozen", "confirmed": True, "durable": True, "scopes": ["all"], "elapsed_ms": None,
        "door": "control", "daemon_killed": False, "unconfirmed": [],
    }  # fmt: skip
    daemon = standing(takedowns=(200, taken(target(state="still_visible"))), freeze=(200, verdict))
    wish = understand(["why", "--wait", "1", "--takedown", URL, "--delete", "--native=delete", "--json"])
    assert asking.carry_out(house, wish, Order(wish.scopes, "why", "kim")) == command.TAKEDOWN_INCOMPLETE
    document = json.loads(capfd.readouterr().out)
    assert (document["confirmed"], document["takedown"][0]["state"]) == (True, "still_visible")
    assert daemon.bodies(FREEZE)[0]["native"] == "delete"
    assert orders_in(house) == []


def test_at_another_door_an_order_that_nobody_heard_is_not_said_to_be_left(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    wish = understand(["why", "--wait", "0", "--takedown", URL, "--delete"])
    assert asking.carry_out(house, wish, Order(wish.scopes, "why", "kim")) == command.NOT_ALLOWED
    said = capfd.readouterr()
    assert said.out == ""
    assert f"takedown {URL}: not_attempted the daemon does not run" in said.err
    assert orders_in(house) == []


def test_a_slip_of_the_pen_in_the_scope_takes_no_post_down(
    house: House, standing: Callable[..., StandIn], door: Callable[..., Any]
) -> None:
    known = json.dumps({"scopes": [{"scope": "all"}, {"scope": "brand:acme"}]}).encode()
    no = json.dumps({"error": {"message": "no such scope", "fix": "choose"}}).encode()
    answers = [
        b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (code, len(raw), raw) for code, raw in ((200, known),)
    ]
    daemon = standing(takedowns=(200, taken(target())))
    door(house.fence_socket, *answers)
    wish = understand(["--scope", "brand:acmee", "--takedown", URL, "--delete"])
    from guardian.fence.beside import Beside

    reply = Beside(house, wish, ask_for_scopes=True).collect()
    assert (reply.status, daemon.bodies(TAKEDOWNS)) == (422, [])
    assert no


def test_what_waits_on_the_platform_is_listed_with_what_became_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"account": "acme-m", "id": "7", "due": "2026-11-26T09:00:00Z", "state": "deferred", "text": "Sale\nnow"},
        {"account": "acme-m", "id": "8", "due": "soon", "state": "listed", "text": "x" * 400, "why": "no answer"},
    ]  # fmt: skip
    aftermath.say({"takedown": [], "native": rows})
    said = capfd.readouterr().out.splitlines()
    assert said[0] == "  scheduled   2 on the platform itself:"
    assert said[1].startswith("    acme-m/7  2026-11-26 ")
    assert said[1].endswith("  deferred  Sale now")
    assert said[2] == "    acme-m/8  soon  listed, no answer  " + "x" * 60
    aftermath.say({"takedown": [], "native": []})
    assert "nothing waits on the platforms that could be asked" in capfd.readouterr().out
    aftermath.say({"takedown": [], "native": None})
    assert capfd.readouterr().out == ""
    assert report.rows("rubbish") == []
