"""Lives of the guardian with OAuth 2 on the double of X: what a process knows in memory, and what the disk knows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from adapters.x import MAKER, XAdapter
from adapters.x_login import Shared, XLogin
from adapters.x_session import XSession
from guardian.gate.accounts import GuardedNetwork
from guardian.gate.keeping import SealedKeeping
from guardian.gate.transport import guarded_session
from guardian.model import Account, Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.doubles.x import XDouble

HOUR = 3600.0


@dataclass
class Clock:
    """The wall clock of a process, in seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.now


class Life:
    """One process of the guardian: what it knows in memory, and the adapters of one account in it."""

    def __init__(self, x: XDouble, place: Path, keys: dict[str, str], name: str = "acme") -> None:
        self.x = x
        self.place = place
        self.keys = keys
        self.name = name
        self.clock = Clock()
        self.shared = Shared()

    def account(self) -> Account:
        secrets = {key: Secret(value) for key, value in self.keys.items()}
        name, identity = f"{self.name}-x", f"@{self.name}"
        return Account(name=name, platform="x", brand="acme", base_url=self.x.url, identity=identity, secrets=secrets)

    def adapter(self) -> XAdapter:
        """Another adapter of the account: its lane's, an incident's."""
        account = self.account()
        session = guarded_session(account, MAKER.routes, answer_within=2.0, hosts=MAKER.hosts, reads=MAKER.reads)
        network = GuardedNetwork(session, SealedKeeping(account, self.place))
        login = XLogin(account, network, self.x.url, clock=self.clock, shared=self.shared)
        return XAdapter(account, network, XSession(account, network, login))

    def again(self, **keys: str) -> Life:
        """The next process, perhaps with other secrets in its files; the clock of the machine goes on."""
        life = Life(self.x, self.place, {**self.keys, **keys}, self.name)
        life.clock.now = self.clock.now
        return life


@pytest.fixture
def life(x: XDouble, tmp_path: Path) -> Life:
    return Life(x, tmp_path / "sessions", x.tokens.authorise("acme"))


def suppressed(call: Callable[[], object]) -> object:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (what it says is looked at)
        return error
