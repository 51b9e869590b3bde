"""A whole house in a temporary directory, a platform on loopback, and a clock that a test can set."""

from __future__ import annotations

import io
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from guardian.config import Settings
from guardian.config.in_force import InForce
from guardian.config.tables import Evidence, Fence, Gate, Metrics, Reconcile, Rights, Store
from guardian.config.tables import Queue as Waiting
from guardian.duties.books import Books
from guardian.duties.deciding import Deciding
from guardian.duties.holding import Keeping
from guardian.duties.lane import Lane
from guardian.duties.publish import Publishing
from guardian.duties.queue import Queue
from guardian.duties.reconcile import Reconciling
from guardian.duties.uploading import Uploading
from guardian.fence import limited
from guardian.fence.house import House
from guardian.fence.scopes import make_private
from guardian.fence.stopping import Order, Stopping
from guardian.gate.accounts import connect, makers
from guardian.model import Account, Media, Part, Secret
from guardian.rehearsal import RehearsalPlatform
from guardian.store import attempts, freezes, journal, posts
from guardian.store.database import Database
from guardian.store.posts import Draft
from guardian.store.spool import SPOOL, Spool
from tests.duties.urgent import Urgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.model import Attempt, Entry, Freeze, Post
    from guardian.rehearsal.log import Entry as Request

LATE = 900_000
GAP = 30_000


@dataclass
class Clock:
    """The wall clock, as far off as a test wants it."""

    off: int = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.off


@dataclass
class Scene:
    """The parts of a daemon, wired but not running, and short ways to look at what became of things."""

    house: House
    accounts: tuple[Account, ...]
    database: Database
    clock: Clock = field(default_factory=Clock)
    late_after: int = LATE
    looks: int = 3
    over: int = 120_000

    def __post_init__(self) -> None:
        self.halt = threading.Event()
        self.spool = Spool(self.database.path.parent / SPOOL)
        self.held: list[int] = []
        self.in_force = InForce(settings_of(self.house, self.accounts, late_after=self.late_after))
        self.queue = Queue(database=self.database, in_force=self.in_force, clock=self.clock)
        self.deciding = Deciding(database=self.database, in_force=self.in_force, clock=self.clock)
        self.keeping = Keeping(database=self.database, in_force=self.in_force, clock=self.clock)
        self.books = self.open_books()

    def open_books(self, clock: Callable[[], int] | None = None) -> Books:
        """The books as a daemon opens them at its start."""
        books = Books(
            database=self.database,
            house=self.house,
            in_force=self.in_force,
            clock=clock or self.clock,
        )
        books.open_the_house()
        return books

    def lane(self, *, account: Account | None = None, answer_within: float = 3.0, gap: int = 0) -> Lane:
        """The lane of an account, with its own connection."""
        account = account or self.accounts[0]
        adapter = connect(account, makers(), answer_within=answer_within)
        shared: dict[str, Any] = {"account": account, "adapter": adapter, "database": self.database}
        uploading = Uploading(account=account, adapter=adapter, spool=self.spool, house=self.house, clock=self.clock)
        publishing = Publishing(
            **shared, house=self.house, uploading=uploading, late_after=self.late_after, clock=self.clock
        )
        reconciling = Reconciling(**shared, looks=self.looks, over=self.over, clock=self.clock)
        return Lane(publishing, reconciling, gap=gap, halt=self.halt, on_held=lambda: self.held.append(1))

    def enter(self, text: str = "hello", **more: object) -> Post:
        """A post that is due now, unless `at` says otherwise."""
        found, _ = self.queue.add({"account": "acme", "at": "now", "text": text, **more}, who="a test")
        return found.post

    def enter_parts(self, *parts: Part, account: str = "acme", tags: tuple[str, ...] = ()) -> Post:
        """A post that is due now and says these parts: a thread, if there are several."""
        now = self.clock()
        draft = Draft(account=account, at=now, at_text="now", zone=None, part=parts[0], tail=parts[1:], tags=tags)
        with self.database.transaction() as tx:
            return posts.enter(tx, draft, now=now, who="a test").post

    def picture(self, alt: str | None = None, *, size: int = 8) -> Media:
        """A picture that lies in the spool."""
        data = io.BytesIO()
        Image.new("RGB", (size, size), f"#{os.urandom(3).hex()}").save(data, "PNG")
        kept = self.spool.take_in([data.getvalue()])
        return Media(sha256=kept.sha256, type="image/png", size=kept.size, width=size, height=size, alt=alt)

    def post(self, post: Post) -> Post:
        """The post as it is now."""
        with self.database.reading() as tx:
            return posts.get(tx, post.id)

    def attempts(self, post: Post) -> list[Attempt]:
        with self.database.reading() as tx:
            return attempts.of_post(tx, post.id)

    def journal(self, kind: str) -> list[Entry]:
        with self.database.reading() as tx:
            return [entry for entry in journal.after(tx, 0) if entry.kind == kind]

    def freezes(self) -> list[Freeze]:
        with self.database.reading() as tx:
            return freezes.in_force(tx)

    def stop(self, *scopes: str, reason: str = "a bad joke is live", by: str = "the night shift") -> str:
        """A freeze from outside, that goes past the daemon; the mark of its marker."""
        with Stopping(self.house, Order(scopes or ("all",), reason, by), may_kill=False) as stop:
            assert stop.confirm()
            assert stop.settle(limited.in_a_thread)
            return stop.marker.mark

    @staticmethod
    def wait(done: Callable[[], bool], *, within: float = 5.0) -> None:
        """Wait for something that another thread does."""
        until = time.monotonic() + within
        while not done():
            assert time.monotonic() < until, "it did not come about in time"
            time.sleep(0.005)

    def poll_until(self, lane: Lane, done: Callable[[], bool], *, within: float = 5.0) -> None:
        """Poll a lane as its loop would, until something is so."""
        until = time.monotonic() + within
        while not done():
            assert time.monotonic() < until, "it did not come about in time"
            following = lane.poll(self.clock())
            time.sleep(0.0 if following is None else min(max(following - self.clock(), 0) / 1000, 0.05))


def settings_of(house: House, accounts: tuple[Account, ...], *, late_after: int = LATE) -> Settings:
    """What a configuration with these accounts, and the defaults for the rest, would be read as."""
    return Settings(
        path=Path("/nowhere/guardian.toml"),
        state_dir=Path(house.state_dir),
        runtime_dir=Path(house.runtime_dir),
        store=Store(),
        queue=Waiting.model_validate({"late_after": f"{late_after}ms", "release_gap": f"{GAP}ms"}),
        fence=Fence(),
        gate=Gate(),
        reconcile=Reconcile(),
        metrics=Metrics(),
        evidence=Evidence(),
        rights=Rights(),
        accounts=accounts,
    )


def account_on(platform: RehearsalPlatform, name: str = "acme", *, token_of: str | None = None) -> Account:
    """The account of that name on the platform, as a configuration would have it."""
    return Account(
        name=name,
        platform="mastodon",
        brand=name,
        base_url=platform.url,
        identity=platform.handle(name),
        secrets={"token": Secret(platform.token(token_of or name))},
    )


@pytest.fixture
def platform() -> Iterator[RehearsalPlatform]:
    with RehearsalPlatform() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(str(tmp_path / "state"), str(tmp_path / "run"))
    for directory in (found.state_dir, found.permits, found.runtime_dir, found.gates):
        make_private(directory)
    return found


@pytest.fixture
def database(tmp_path: Path, house: House) -> Iterator[Database]:
    found = Database(tmp_path / "state" / "guardian.db")
    assert house.state_dir == str(tmp_path / "state")
    yield found
    found.close()


@pytest.fixture
def scene(house: House, database: Database, platform: RehearsalPlatform) -> Scene:
    return Scene(house=house, accounts=(account_on(platform), account_on(platform, "beta")), database=database)


@pytest.fixture
def urgent(scene: Scene, platform: RehearsalPlatform) -> Iterator[Urgent]:
    """What takes posts down, driven by hand."""
    found = Urgent(scene, platform)
    yield found
    found.close()


@pytest.fixture
def sent(platform: RehearsalPlatform) -> Callable[[], list[Request]]:
    """Every request so far that would have made a post, whether it did or not."""
    return lambda: [entry for entry in platform.log() if entry["method"] == "POST"]


@pytest.fixture
def account_of(platform: RehearsalPlatform) -> Callable[..., Account]:
    """An account as a configuration would name it, right or wrong."""

    def of(name: str = "acme", *, token_of: str | None = None) -> Account:
        return account_on(platform, name, token_of=token_of)

    return of
