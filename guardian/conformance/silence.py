"""Secrets: the platform may say them back to us, and they stand nowhere all the same. `check` looks after each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.conformance.case import Cases
from guardian.conformance.doubt import NO_ANSWERS
from guardian.conformance.front import answer
from guardian.conformance.stage import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.conformance.front import Act, Visit
    from guardian.conformance.stage import Stage

CASES = Cases()
MOST = 3000


def _echoes(status: int) -> Act:
    def act(visit: Visit) -> None:
        visit.say(answer(status, body=visit.letter[:MOST], media_type="text/plain"))

    return act


@CASES.add()
def a_platform_that_says_our_token_back_puts_it_into_no_log_and_no_error(stage: Stage) -> None:
    ref, door = stage.published(), stage.door
    door.adapter.whoami()  # logged in: what the platform has given can be said back, too
    for status in (200, 400, 401, 403, 422, 500):
        with stage.front.always(_echoes(status)):
            for ask in (door.adapter.whoami, door.adapter.limits, lambda: door.adapter.recent(since=0)):
                _tried(stage, ask)
            door.send(stage.part())
            door.take_down(ref)
    expect(stage.front.arrived(), "nobody was asked")


@CASES.add()
def a_platform_that_fails_makes_nobody_say_a_secret(stage: Stage) -> None:
    data, media = stage.bench.picture()
    door = stage.door
    for act in NO_ANSWERS.values():
        with stage.front.always(act):
            _tried(stage, door.adapter.whoami)
            door.upload(data, media)
            door.send(stage.part())
    expect("Secret(***)" in repr(next(iter(door.account.secrets.values()))), "a secret shows itself")


def _tried(stage: Stage, ask: Callable[[], object]) -> None:
    try:
        ask()
    except Exception as error:  # noqa: BLE001 (what it says is looked at)
        stage.heard(error)
