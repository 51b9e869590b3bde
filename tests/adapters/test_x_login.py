"""OAuth 2 at X, against its double: a refresh token is good for one use, and all adapters share what it gives."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.gate.intents import declare
from guardian.gate.keeping import SealedKeeping
from guardian.gate.verdicts import Accepted, Rejected, verdict, verdict_of_retract
from guardian.model import Part
from tests.adapters.x_life import HOUR, Life, life, suppressed
from tests.adapters.x_stage import Stage, stage, x

if TYPE_CHECKING:
    from tests.doubles.x import XDouble

__all__ = ["life", "stage", "x"]


def test_the_first_token_comes_for_the_configured_one_and_is_used_for_two_hours(life: Life) -> None:
    adapter = life.adapter()
    assert [adapter.whoami().handle for _ in range(3)] == ["@acme"] * 3
    life.clock.now = HOUR
    adapter.whoami()
    assert life.x.tokens.renewals == [life.keys["refresh_token"]]


def test_a_public_client_has_no_secret_and_says_none(x: XDouble, tmp_path: Path) -> None:
    life = Life(x, tmp_path / "sessions", x.tokens.authorise("acme", confidential=False))
    assert life.adapter().whoami().handle == "@acme"
    (asked,) = [one for one in x.asked if one.path == "/2/oauth2/token"]
    assert asked.authorization == ""


def test_all_adapters_of_an_account_share_one_token_and_renew_it_once(life: Life) -> None:
    adapters = [life.adapter() for _ in range(6)]
    for hours in (0.0, 2.0, 4.0):
        life.clock.now = hours * HOUR
        life.x.tokens.end_access()
        threads = [threading.Thread(target=adapter.whoami) for adapter in adapters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(life.x.tokens.renewals) == 3
    assert len(set(life.x.tokens.renewals)) == 3


def test_the_rotated_token_outlives_the_process(life: Life) -> None:
    life.adapter().whoami()
    following = life.again()
    following.clock.now = 3 * HOUR
    assert following.adapter().whoami().handle == "@acme"
    third = following.again()
    assert third.adapter().whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 2
    assert life.keys["refresh_token"] not in life.x.tokens.renewals[1:]


def test_another_process_that_has_renewed_it_is_believed(life: Life) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.clock.now = 1.8 * HOUR
    other = life.again()
    other.adapter().whoami()
    assert adapter.whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 2


def test_processes_that_renew_at_the_same_instant_use_no_token_twice_and_lose_none(life: Life) -> None:
    life.adapter().whoami()
    lives = [life.again() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for round_nr in range(1, 4):
            for one in lives:
                one.clock.now = round_nr * 2 * HOUR
            came = [pool.submit(one.adapter().whoami) for one in lives]
            assert [one.result(30).handle for one in came] == ["@acme"] * 4
    assert len(life.x.tokens.renewals) == len(set(life.x.tokens.renewals)) == 4


def test_a_token_that_x_takes_no_more_before_its_time_is_renewed_and_the_look_is_made_again(life: Life) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.x.tokens.end_access()
    assert adapter.whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 2


def test_a_post_is_not_made_again_when_x_takes_the_token_no_more(life: Life, stage: Stage) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.x.tokens.end_access()
    for found in (Rejected, Accepted):  # the next one has a new token
        with declare(stage.intent()) as receipt:
            suppressed(lambda: adapter.publish(Part(text="Fresh bread"), "key"))
        assert isinstance(verdict(receipt), found)
    assert len(life.x.creates()) == 2
    assert life.x.live() == ["Fresh bread"]


def test_a_renewal_passes_while_everything_is_frozen_and_a_deletion_after_it(life: Life, stage: Stage) -> None:
    ref = stage.published("A bad joke")
    for scope in ("all", "account:acme-x"):
        Path(stage.house.permit(scope)).unlink()
    stage.adapter = life.adapter()
    assert verdict_of_retract(stage.take_down(ref)) == Accepted(200)
    assert life.x.live() == []
    assert len(life.x.tokens.renewals) == 1


def test_a_token_that_is_still_good_is_used_while_no_other_can_be_had(life: Life) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.clock.now = 1.8 * HOUR
    life.x.fault("answer", path="/2/oauth2/token", status=503, body="busy")
    assert adapter.whoami().handle == "@acme"
    life.clock.now = 2 * HOUR
    assert adapter.whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 2


def test_whoever_has_the_turn_for_long_holds_up_nobody_whose_token_is_good(life: Life) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.clock.now = 1.8 * HOUR
    with SealedKeeping(life.account(), life.place).turn():
        assert adapter.whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 1


def test_a_clock_that_goes_back_makes_no_token_good_for_ever(life: Life) -> None:
    adapter = life.adapter()
    adapter.whoami()
    life.clock.now = -24 * HOUR
    assert adapter.whoami().handle == "@acme"
    assert len(life.x.tokens.renewals) == 2


def test_the_token_is_sent_to_x_alone(life: Life, stage: Stage) -> None:
    ref = stage.published("Fresh bread")
    adapter = life.adapter()
    for look in adapter.looks(ref):
        adapter.fetch(look)
    (seen,) = [one for one in life.x.asked if one.path == "/oembed"]
    assert (seen.signed, seen.authorization) == (False, "")
