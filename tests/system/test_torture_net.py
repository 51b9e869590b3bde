"""A short slice of the rows about the network: cut links that heal, connections cut at any byte, mad answers."""

from __future__ import annotations

import shutil

import pytest

from tests.torture.catalogue import ROWS
from tests.torture.link import why_not
from tests.torture.results import Options

pytestmark = pytest.mark.outsider

OPTIONS = Options(seed=1, short=True)
NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
NEEDS_A_LINK = pytest.mark.skipif(bool(why_not()), reason=why_not() or "can be run here")


def _holds(name: str) -> None:
    result = ROWS[name](OPTIONS)
    assert result.holds, result.line()


@pytest.mark.root
@NEEDS_A_LINK
def test_a_link_that_heals_after_confirmed_delivers_nothing() -> None:
    _holds("net-cut")


@pytest.mark.root
@NEEDS_A_LINK
@NEEDS_OPENSSL
def test_a_gate_unlocked_at_an_empty_send_queue_has_nothing_to_send_again_over_tls_on_a_cut_link() -> None:
    _holds("net-cut-tls")


@pytest.mark.root
@NEEDS_A_LINK
def test_an_attempt_that_timed_out_on_a_cut_link_is_not_delivered_when_it_heals() -> None:
    _holds("net-timed-out")


@pytest.mark.root
@NEEDS_A_LINK
@pytest.mark.parametrize("name", ["broken-net-no-linger", "broken-net-no-wait"])
def test_a_fence_that_is_broken_on_purpose_is_caught_on_a_cut_link(name: str) -> None:
    _holds(name)


def test_a_connection_cut_after_any_byte_makes_no_post_twice_and_loses_none() -> None:
    _holds("cut-at-every-byte")


def test_mad_answers_to_one_account_are_taken_for_nothing_and_delay_nobody_else() -> None:
    _holds("mad-answers")


def test_a_platform_that_says_to_wait_for_ever_is_waited_for_a_quarter_of_an_hour_at_the_most() -> None:
    _holds("absurd-waits")


def test_a_storm_of_5xx_never_makes_an_unknown_post_be_sent_again_unasked() -> None:
    _holds("storm-of-5xx")
