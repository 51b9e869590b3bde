"""A short slice of the torture: the same rows as `make torture` runs, with fewer trials."""

from __future__ import annotations

import shutil

import pytest

from tests.torture.catalogue import ROWS
from tests.torture.people import missing
from tests.torture.results import Options

pytestmark = pytest.mark.outsider

OPTIONS = Options(seed=1, freezes=300, short=True)
NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


def _holds(name: str) -> None:
    result = ROWS[name](OPTIONS)
    assert result.holds, result.line()


def test_three_hundred_random_freezes_let_nothing_late_through_and_lose_nothing() -> None:
    _holds("random")


@pytest.mark.parametrize("name", ["stopped-cont", "stopped-kill", "stopped-term-cont"])
def test_a_daemon_stopped_in_the_middle_of_a_send_sends_nothing_after_confirmed(name: str) -> None:
    _holds(name)


@pytest.mark.parametrize("name", ["dead", "never-started"])
def test_a_freeze_needs_no_daemon(name: str) -> None:
    _holds(name)


def test_five_freezes_at_once_are_all_confirmed() -> None:
    _holds("five-at-once")


def test_a_thaw_never_undoes_a_freeze_that_came_after_it_was_asked_for() -> None:
    _holds("freeze-during-thaw")


def test_a_frozen_house_stays_frozen_over_restarts() -> None:
    _holds("fifty-restarts")


def test_a_crash_at_any_place_loses_no_post_and_doubles_none() -> None:
    _holds("kill-at-failpoints")


def test_a_crash_at_any_place_of_a_takedown_loses_no_proof_and_deletes_nothing_twice() -> None:
    _holds("takedown")


def test_a_lost_answer_never_makes_a_second_post() -> None:
    _holds("lost-answers")


def test_what_fell_due_while_the_daemon_was_away_is_missed_and_not_sent() -> None:
    _holds("down-three-hours")


@pytest.mark.parametrize("name", ["check-before-lock", "check-before-publish", "no-linger", "no-wait"])
def test_a_fence_that_is_broken_on_purpose_is_caught(name: str) -> None:
    _holds(f"broken-{name}")


def test_a_platform_that_does_not_read_delays_a_freeze_no_longer_than_the_drain() -> None:
    _holds("unacknowledged")


@pytest.mark.root
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("name", ["agent-stopped", "agent-attacked"])
def test_a_person_who_is_not_root_stops_a_daemon_that_hangs_even_when_the_door_is_attacked(name: str) -> None:
    _holds(name)


@NEEDS_OPENSSL
def test_the_gate_may_be_unlocked_at_an_empty_send_queue_over_tls_too() -> None:
    _holds("tls")


def test_hours_of_freezes_faults_and_restarts_lose_nothing_and_leave_nothing_open() -> None:
    _holds("soak")
