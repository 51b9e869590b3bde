"""What the daemon finds out of its readiness: asked seldom, for a limited time, and without a change anywhere."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from guardian.beyond import Entitlement
from guardian.duties import examining
from guardian.duties.examining import Examining
from guardian.gate.accounts import emergency, makers

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.duties.examining import Heard
    from guardian.gate.accounts import Emergency
    from guardian.model import Account
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene


def beside(name: str, work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def asking(scene: Scene) -> Examining:
    def connect(account: Account, heard: Heard) -> Emergency:
        return emergency(account, makers(), answer_within=3.0, on_answer=heard)

    return Examining(database=scene.database, in_force=scene.in_force, connect=connect, begin=beside, clock=scene.clock)


def test_a_platform_is_asked_whose_the_token_is_and_what_it_may_and_nothing_is_changed(
    platform: RehearsalPlatform, asking: Examining
) -> None:
    (said,) = [one for one in asking.ask() if one.account.name == "acme"]
    assert (said.token, said.handle) == ("right", platform.handle("acme"))
    assert said.delete == Entitlement(may=True, why="the token has write:statuses")
    assert said.skew is not None
    assert abs(said.skew) < 30_000
    assert {entry["method"] for entry in platform.log()} == {"GET"}


def test_it_is_not_asked_again_for_some_minutes(scene: Scene, platform: RehearsalPlatform, asking: Examining) -> None:
    asking.ask()
    known = len(platform.log())
    platform.limit_token("acme")
    assert asking.ask()[0].token == "right"
    assert len(platform.log()) == known
    scene.clock.off += examining.AGAIN_AFTER
    assert {one.token for one in asking.ask() if one.account.name == "acme"} == {"refused"}
    assert len(platform.log()) > known


def test_a_platform_that_is_silent_holds_nobody_up_and_is_not_asked_twice_at_a_time(
    platform: RehearsalPlatform, asking: Examining
) -> None:
    platform.fault("delay", seconds=1.5, times=None, path="/api/v1/accounts/verify_credentials", method="GET")
    began = time.monotonic()
    first = asking.ask(within=0.1)
    second = asking.ask(within=0.1)
    assert time.monotonic() - began < 1.4
    assert {one.token for one in (*first, *second)} == {"silent"}
    assert len([one for one in threading.enumerate() if one.name == "examine acme"]) == 1
    assert asking.ask(within=20)[0].token == "right"


def test_the_token_of_somebody_else_is_told_by_name_and_another_account_is_asked_at_once(
    scene: Scene, platform: RehearsalPlatform, asking: Examining
) -> None:
    asking.ask()
    settings = scene.in_force.settings
    wrong = replace(settings.accounts[0], identity="@other@127.0.0.1")
    scene.in_force.swap(replace(settings, accounts=(wrong,)), at=0)
    (said,) = asking.ask()
    assert (said.token, said.handle) == ("other", platform.handle("acme"))


def test_a_store_is_looked_at_without_a_change_and_once_in_ten_seconds(scene: Scene, asking: Examining) -> None:
    scene.enter()
    assert asking.store().state == "whole"
    path = scene.database.path
    connection = sqlite3.connect(path, isolation_level=None)
    for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        connection.execute(f'drop trigger "{name}"')
    connection.execute("update posts set text = 'another'")
    connection.close()
    assert asking.store().state == "whole"
    asking._store = None
    found = asking.store()
    assert found.state == "damaged"
    assert "is not what was entered" in found.why


def test_a_store_that_is_too_large_for_the_time_is_called_unseen_and_not_whole(
    asking: Examining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian.store.inspection.STEPS", 1)
    assert asking.store(within=0).state == "unseen"
