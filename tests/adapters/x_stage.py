"""An account on the double of X, behind the real gate and the real library, in a house with open gates."""

from __future__ import annotations

import contextlib
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from adapters.x import MAKER, XAdapter
from guardian.adapter import Kind
from guardian.fence import arming, passage
from guardian.fence.house import House
from guardian.gate.accounts import connect
from guardian.gate.intents import Intent, Receipt, declare, managing, retracting
from guardian.gate.verdicts import verdict
from guardian.model import Account, Decision, Media, Part, PostRef, Secret
from tests.doubles.x import XDouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from guardian.adapter import Answer
    from guardian.gate.verdicts import Verdict

PNG = b"\x89PNG\r\n\x1a\n"
NOBODY: frozenset[str] = frozenset()


@dataclass
class Stage:
    """Everything that a test of X needs."""

    x: XDouble
    house: House
    account: Account
    adapter: XAdapter

    def publish(self, text: str, **more: object) -> tuple[PostRef | None, Verdict]:
        """One publishing call; whatever it raises, the receipt says what happened."""
        return self._publish_by(self.adapter, text, **more)

    def _publish_by(self, adapter: XAdapter, text: str, **more: object) -> tuple[PostRef | None, Verdict]:
        reply_to, uploads = more.pop("reply_to", None), more.pop("uploads", ())
        ref = None
        part = Part(text=text, **more)  # type: ignore[arg-type]  # given by name, as a test has it
        with declare(self.intent()) as receipt, contextlib.suppress(Exception):
            ref = adapter.publish(part, "key", uploads=uploads, reply_to=reply_to)  # type: ignore[arg-type]
        return ref, verdict(receipt)

    def published(self, text: str, **more: object) -> PostRef:
        """A post that is live, however busy this machine is."""
        ref, found = self._publish_by(self.adapter_for(self.account, answer_within=30.0), text, **more)
        assert ref is not None, found
        return ref

    def intent(self, kind: Kind = Kind.PUBLISH) -> Intent:
        """A fresh intent."""
        return Intent(kind, self.account.name, passage.look(self.house, self.account.scopes))

    def upload(self, data: bytes = PNG, alt: str | None = "A loaf") -> str:
        """A picture at X."""
        with declare(self.intent(Kind.UPLOAD)):
            return self.adapter.upload(data, picture(data, alt))

    def take_down(self, ref: PostRef, decision: Decision = Decision.DELETE, *, look: bool = False) -> Receipt:
        """One act; whatever it raises, the receipt comes back. `look`: what X shows of it is known."""
        undoing = self.adapter.prepare(decision, ref, self.looked(ref) if look else {})
        with declare(retracting(self.account, ref.id, undoing.says)) as receipt, contextlib.suppress(OSError):
            self.adapter.retract(decision, ref, undoing)
        return receipt

    def looked(self, ref: PostRef) -> dict[str, Answer]:
        """What X shows before an act."""
        return {one.name: self.adapter.fetch(one) for one in self.adapter.looks(ref) if one.essential}

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> Verdict:
        """Reverse an act; whatever it raises, the receipt says what happened."""
        intent = managing(self.account, passage.look(self.house, self.account.scopes))
        with declare(intent) as receipt, contextlib.suppress(Exception):
            self.adapter.undo(ref, undo)
        return verdict(receipt)

    def adapter_for(self, account: Account, *, answer_within: float = 2.0) -> XAdapter:
        """Another adapter, behind the gate."""
        found = connect(account, {"x": MAKER}, answer_within=answer_within)
        assert isinstance(found, XAdapter)
        return found


def picture(data: bytes = PNG, alt: str | None = "A loaf", kind: str = "image/png") -> Media:
    """A file of the spool."""
    return Media(sha256=hashlib.sha256(data).hexdigest(), type=kind, size=len(data), width=10, height=10, alt=alt)


def account_of(x: XDouble, name: str = "acme", **keys: str) -> Account:
    """An account of the configuration, with the keys that X has for it."""
    return Account(
        name="acme-x",
        platform="x",
        brand="acme",
        base_url=x.url,
        identity=f"@{name}",
        secrets={key: Secret(value) for key, value in {**x.accounts[name].keys, **keys}.items()},
    )


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def x() -> Iterator[XDouble]:
    with XDouble("acme", "other") as found:
        yield found


@pytest.fixture
def stage(x: XDouble, tmp_path: Path) -> Stage:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "run").mkdir()
    house = House(str(tmp_path / "state"), str(tmp_path / "run"))
    for scope in ("all", "platform:x", "brand:acme", "account:acme-x"):
        assert isinstance(arming.arm_new(house, scope), arming.Armed)
    account = account_of(x)
    found = connect(account, {"x": MAKER}, answer_within=1.0)
    assert isinstance(found, XAdapter)
    return Stage(x=x, house=house, account=account, adapter=found)
