"""A house with open gates and an account on the double of Reddit, used as the duties use one."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from adapters.reddit import MAKER
from guardian.adapter import Kind
from guardian.fence import arming, passage
from guardian.fence.house import House
from guardian.gate.accounts import connect
from guardian.gate.intents import Intent, Receipt, declare, managing, retracting
from guardian.gate.verdicts import verdict, verdict_of_upload
from guardian.model import Account, Decision, Media, Secret
from tests.adapters.reddit_double import RedditDouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.reddit_account import RedditAdapter
    from guardian.adapter import Answer, Undoing
    from guardian.gate.verdicts import Verdict
    from guardian.model import Part, PostRef

MAKERS = {"reddit": MAKER}
SECRETS = {"client_id": "cid-4711", "client_secret": "hush-secret-4711", "refresh_token": "hush-refresh-4711"}
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
WITHIN = 1.0


class Outcome(NamedTuple):
    """What a publish came to."""

    verdict: Verdict
    ref: PostRef | None
    error: Exception | None


def account_at(url: str, secrets: dict[str, str] = SECRETS, identity: str = "u/acme_brand") -> Account:
    """The account of these tests, on a Reddit at this address."""
    hidden = {name: Secret(value) for name, value in secrets.items()}
    return Account(name="acme", platform="reddit", brand="acme", base_url=url, identity=identity, secrets=hidden)


def adapter_at(account: Account, *, within: float = WITHIN, keep_in: Path | None = None) -> RedditAdapter:
    """The real adapter behind the real gate; `keep_in`: where its login outlives it."""
    found: Any = connect(account, MAKERS, answer_within=within, keep_in=keep_in)
    return found  # type: ignore[no-any-return]


def opened(at: Path) -> House:
    """A house whose gates are open for this account."""
    (at / "state").mkdir(mode=0o700)
    (at / "run").mkdir()
    house = House(str(at / "state"), str(at / "run"))
    for scope in ("all", "platform:reddit", "brand:acme", "account:acme"):
        assert isinstance(arming.arm_new(house, scope), arming.Armed)
    return house


@dataclass
class Room:
    """Everything that a test needs."""

    house: House
    double: RedditDouble
    account: Account
    adapter: RedditAdapter

    def intent(self, kind: Kind = Kind.PUBLISH) -> Intent:
        """A fresh one."""
        return Intent(kind, "acme", passage.look(self.house, self.account.scopes))

    def freeze(self) -> None:
        """What a freeze does first."""
        Path(self.house.permit("all")).unlink()

    def publish(self, part: Part, intent: Intent | None = None, **more: Any) -> Outcome:  # noqa: ANN401 (uploads, reply_to)
        """As `duties/publish.py` does it: whatever is raised, the receipt decides."""
        with declare(intent or self.intent()) as receipt:
            try:
                ref, error = self.adapter.publish(part, uuid.uuid4().hex, **more), None
            except Exception as raised:  # noqa: BLE001 (libraries disguise)
                ref, error = None, raised
        return Outcome(verdict(receipt), ref, error)

    def made(self, part: Part, **more: Any) -> PostRef:  # noqa: ANN401 (the same)
        """A post that is there."""
        ref = self.publish(part, **more).ref
        assert ref is not None
        return ref

    def upload(self, media: Media | None = None) -> tuple[str | None, Verdict]:
        """As `duties/uploading.py` does it."""
        with declare(self.intent(Kind.UPLOAD)) as receipt:
            try:
                found = self.adapter.upload(GIF, media or picture())
            except Exception:  # noqa: BLE001 (the same)
                found = None
        return found, verdict_of_upload(receipt)

    def looked(self, ref: PostRef) -> dict[str, Answer]:
        """Every look, all at once, as the capture makes them."""
        looks = self.adapter.looks(ref)
        with ThreadPoolExecutor(len(looks)) as pool:
            return dict(zip((look.name for look in looks), pool.map(self.adapter.fetch, looks), strict=True))

    def take_down(self, ref: PostRef, decision: Decision) -> tuple[Undoing, Receipt]:
        """Look, and act."""
        undoing = self.adapter.prepare(decision, ref, self.looked(ref))
        with declare(retracting(self.account, ref.id, undoing.says)) as receipt:
            self.adapter.retract(decision, ref, undoing)
        return undoing, receipt

    def undo(self, ref: PostRef, how: dict[str, object]) -> Receipt:
        """Under the fence, as any post."""
        with declare(managing(self.account, passage.look(self.house, self.account.scopes))) as receipt:
            self.adapter.undo(ref, how)
        return receipt


@pytest.fixture
def double() -> Iterator[RedditDouble]:
    with RedditDouble() as found:
        yield found


@pytest.fixture
def room(tmp_path: Path, double: RedditDouble) -> Room:
    account = account_at(double.url)
    found = Room(opened(tmp_path), double, account, adapter_at(account))
    found.adapter.whoami()
    return found


def picture(alt: str | None = None, *, mark: str = "0") -> Media:
    """What the queue knows of a file."""
    return Media(sha256=mark * 64, type="image/gif", size=len(GIF), alt=alt)


def now() -> int:
    """The wall clock in ms."""
    return time.time_ns() // 1_000_000
