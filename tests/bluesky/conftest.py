"""A real PDS for all of these tests, a house with open gates, and an account with both of its adapters."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from adapters.bluesky import MAKER
from guardian.adapter import Kind
from guardian.fence import arming, passage
from guardian.fence.house import House
from guardian.gate import accounts, intents
from guardian.gate.intents import Intent, declare
from tests.bluesky import pds as servers
from tests.bluesky.installing import NotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.bluesky_publishing import BlueskyAdapter
    from guardian.gate.intents import Receipt
    from guardian.model import Account, Decision, Media, Part, PostRef
    from tests.bluesky.pds import Brand, Pds

WITHIN = 10.0


@pytest.fixture(scope="session")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pds]:
    try:
        with servers.running(tmp_path_factory.mktemp("pds")) as found:
            yield found
    except NotInstalled as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "run").mkdir()
    found = House(str(tmp_path / "state"), str(tmp_path / "run"))
    for scope in ("all", "platform:bluesky", "brand:acme", "account:acme"):
        assert isinstance(arming.arm_new(found, scope), arming.Armed)
    return found


@dataclass
class Desk:
    """One account: its owner, what the house has of it, and its two adapters."""

    pds: Pds
    house: House
    brand: Brand
    account: Account
    adapter: BlueskyAdapter
    emergency: BlueskyAdapter

    def intent(self, kind: Kind = Kind.PUBLISH) -> Intent:
        return Intent(kind, self.account.name, passage.look(self.house, self.account.scopes))

    def publish(self, part: Part, key: str, *, uploads: tuple[str, ...] = (), reply_to: str | None = None) -> PostRef:
        with declare(self.intent()):
            return self.adapter.publish(part, key, uploads=uploads, reply_to=reply_to)

    def upload(self, data: bytes, media: Media) -> str:
        with declare(self.intent(Kind.UPLOAD)):
            return self.adapter.upload(data, media)

    def take_down(self, decision: Decision, ref: PostRef) -> Receipt:
        undoing = self.emergency.prepare(decision, ref, {})
        with declare(intents.retracting(self.account, ref.id, undoing.says)) as receipt:
            self.emergency.retract(decision, ref, undoing)
        return receipt


def desk_at(pds: Pds, house: House, brand: Brand, url: str, *, within: float = WITHIN) -> Desk:
    """The account, reached at `url`: the PDS's own, or that of a front before it. `within` is for an answer, in s."""
    account = servers.account_of(url, brand)
    makers = {"bluesky": MAKER}
    adapter = accounts.connect(account, makers, answer_within=within)
    emergency = accounts.emergency(account, makers, answer_within=within).adapter
    return Desk(pds, house, brand, account, adapter, emergency)  # type: ignore[arg-type]


@pytest.fixture
def desk(pds: Pds, house: House) -> Desk:
    return desk_at(pds, house, pds.brand(), pds.url)
