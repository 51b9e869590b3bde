"""A house with open gates, a platform, and the real client library behind the real transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from guardian.adapter import Kind
from guardian.fence import arming, passage
from guardian.fence.house import House
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Intent
from guardian.gate.transport import guarded_session
from guardian.model import Account, Secret
from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from guardian.adapter import Adapter


@dataclass
class Door:
    """Everything that a test of the gate needs."""

    house: House
    platform: RehearsalPlatform
    account: Account
    adapter: Adapter
    session: requests.Session

    def intent(self) -> Intent:
        """A fresh intent to publish."""
        return Intent(Kind.PUBLISH, self.account.name, passage.look(self.house, self.account.scopes))

    def creates(self) -> list[str | None]:
        """The texts of every create that the platform has seen, however it ended."""
        return [entry["text"] for entry in self.platform.log() if entry["path"] == "/api/v1/statuses"]


@pytest.fixture
def platform() -> Iterator[RehearsalPlatform]:
    with RehearsalPlatform(("acme",)) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "run").mkdir()
    found = House(str(tmp_path / "state"), str(tmp_path / "run"))
    for scope in ("all", "platform:mastodon", "brand:acme", "account:acme"):
        assert isinstance(arming.arm_new(found, scope), arming.Armed)
    return found


def account_at(url: str) -> Account:
    """The account of these tests, on a platform at this address."""
    return Account(
        name="acme",
        platform="mastodon",
        brand="acme",
        base_url=url,
        identity="@acme",
        secrets={"token": Secret("rehearsal-acme")},
    )


@pytest.fixture
def door(house: House, platform: RehearsalPlatform) -> Door:
    account = account_at(platform.url)
    routes = makers()["mastodon"].routes
    return Door(
        house=house,
        platform=platform,
        account=account,
        adapter=connect(account, makers(), answer_within=1.0),
        session=guarded_session(account, routes, answer_within=1.0),
    )
