"""What the person at 3 a.m. reads: every line of it true, none of it able to steer the terminal."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from guardian.fence import report
from guardian.fence.stopping import Order, Stopping

if TYPE_CHECKING:
    import pytest

    from guardian.fence.house import House

ORDER = Order(("all",), "", "kim", 5.0)


def result(**changed: object) -> dict[str, object]:
    """A confirmed, durable freeze as the contract has it, with these changes."""
    found: dict[str, object] = {
        "state": "frozen", "confirmed": True, "durable": True, "scopes": ["all"], "elapsed_ms": 4.25, "door": "direct",
        "daemon_killed": False, "epoch": None, "incident": None, "held": None, "in_flight": None,
        "not_covered": list(report.NOT_COVERED), "unconfirmed": [], "takedown": [],
    }  # fmt: skip
    return {**found, **changed}


def test_a_freeze_that_is_not_confirmed_says_so_first_and_who_is_in_the_way(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"scope": "all", "pid": 4711, "why": "somebody still holds its gate", "fix": "end it"},
        {"scope": "brand:acme", "pid": None, "why": "the disk", "fix": "mend it"},
        "no row at all",
    ]
    bad = result(confirmed=False, durable=False, unconfirmed=rows)
    report.print_verdict(house, bad, ORDER)
    report.print_rest(house, bad)
    said = capfd.readouterr().out
    assert said.startswith("NOT CONFIRMED  all: something may still leave the house\n")
    assert "  all: cannot confirm, because somebody still holds its gate (pid 4711), do end it\n" in said
    assert "  brand:acme: cannot confirm, because the disk, do mend it\n" in said
    for reassuring in ("FROZEN", "durable", "to lift it", "reason", "door"):
        assert reassuring not in said


def test_who_was_ended_and_which_door_stopped_it_is_no_secret(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    report.print_verdict(house, result(daemon_killed=True), ORDER, (17, 18))
    assert "  ended       process 17, 18, which did not let go; systemd starts it frozen" in capfd.readouterr().out
    report.print_verdict(house, result(daemon_killed=True, door="agent", elapsed_ms=None), ORDER)
    said = capfd.readouterr().out
    assert said.startswith("FROZEN  CONFIRMED  all\n")
    assert "  ended       the daemon, which did not let go" in said
    assert "  door        agent\n" in said


def test_a_freeze_that_a_reboot_undoes_never_reads_as_durable(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    undone = f"{report.A_REBOOT}it undoes this freeze, because the disk is read-only"
    report.print_rest(house, result(durable=False, not_covered=[*report.NOT_COVERED, undone]))
    said = capfd.readouterr().out
    assert "NO: it is lost at a reboot, after which posts go out again, because the disk is read-only, do" in said
    assert undone not in said
    report.print_rest(house, result(durable=False, not_covered=None))
    assert "because it is not on disk, do freeze again" in capfd.readouterr().out
    report.print_rest(house, result())
    assert "  durable     yes, it survives a reboot\n" in capfd.readouterr().out


def test_posts_that_had_left_already_are_named_one_by_one(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    flight = [
        {"post": "p-1", "account": "acme-m", "state": "published", "url": "https://m.example/1\x1b[2J"},
        {"post": "p-2", "account": "acme-m", "state": "awaiting", "url": None},
    ]
    report.print_rest(house, result(held=1, in_flight=flight))
    said = capfd.readouterr().out
    assert "  held        1 post waits behind it; what falls due meanwhile is missed, never sent late\n" in said
    assert "  in flight   2 had left already:\n" in said
    assert "    p-1  acme-m  published  https://m.example/1\\u001b[2J\n" in said
    assert "      to take it down: guardian takedown p-1 --delete\n" in said
    assert said.count("to take it down") == 1
    assert "    p-2  acme-m  awaiting\n" in said
    report.print_rest(house, result(held=2, in_flight=[]))
    said = capfd.readouterr().out
    assert "  held        2 posts wait behind it" in said
    assert "  in flight   nothing was on the wire\n" in said


def test_a_thread_that_is_live_by_half_is_named_with_how_much_of_it(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    half = {"post": "p-1", "account": "acme", "state": "published", "url": "https://x/1", "live": 2, "parts": 5}
    report.print_rest(house, result(held=3, in_flight=[half]))
    assert "p-1  acme  published  2 of 5 parts live  https://x/1" in capfd.readouterr().out


def test_with_the_daemon_gone_what_is_held_is_not_known_and_not_zero(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    report.print_rest(house, result())
    assert "  held        not known: the daemon is absent; the queue is left as it is\n" in capfd.readouterr().out


def test_a_reason_with_control_signs_never_steers_the_terminal(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    report.print_verdict(house, result(), Order(("all",), "bad\x1b]0;joke\ud800", "kim", 5.0))
    assert "  reason      bad\\u001b]0;joke\\ud800\n" in capfd.readouterr().out


def test_the_daemon_is_not_told_of_a_freeze_that_is_not_confirmed(house: House) -> None:
    os.mkdir(house.gate("brand:acme") + ".away")
    os.unlink(house.gate("brand:acme"))
    os.rename(house.gate("brand:acme") + ".away", house.gate("brand:acme"))  # a directory where the gate was
    order = Order(("brand:acme",), "why", "kim", 0.0)
    with Stopping(house, order) as stop:
        stop.confirm()
        found = report.document(stop, "direct", report.NOT_COVERED)
    report.complete(found, house, order, wait=500)
    assert (found["confirmed"], found["durable"], found["state"]) == (False, False, "unknown")
    assert (found["epoch"], found["held"]) == (None, None)


def test_the_document_for_a_program_is_json_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    report.print_json(result(scopes=["brand:Müller"]))
    said = capfd.readouterr().out
    assert json.loads(said) == result(scopes=["brand:Müller"])
    assert "Müller" in said


def test_a_reader_that_went_away_never_makes_the_report_fall_over(house: House) -> None:
    reader, writer = os.pipe()
    kept = os.dup(1)
    os.close(reader)
    try:
        os.dup2(writer, 1)
        report.print_verdict(house, result(), ORDER)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(writer)
