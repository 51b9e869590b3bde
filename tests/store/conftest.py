"""A database of its own for every test of the store, and a few posts to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.model import Account, Part
from guardian.store import freezes, posts
from guardian.store.database import Database
from guardian.store.posts import Draft, Entered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guardian.model import Post
    from guardian.store.database import Tx

    Enter = Callable[..., Post]

ACME = Account(name="acme-m", platform="mastodon", brand="acme", base_url="", identity="")
BETA = Account(name="beta-m", platform="mastodon", brand="beta", base_url="", identity="")
ACCOUNTS = (ACME, BETA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "guardian.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    found = Database(path)
    with found.transaction() as tx:
        freezes.set_covers(tx, ACCOUNTS)
    yield found
    found.close()


@pytest.fixture
def enter(database: Database) -> Enter:
    """Puts a post into the queue, in the transaction `tx` or in one of its own."""

    def one(text: str = "hello", *, tx: Tx | None = None, now: int = 0, **more: object) -> Post:
        if tx is None:
            with database.transaction() as own:
                return one(text, tx=own, now=now, **more)
        words: dict[str, object] = {"account": "acme-m", "at": 0, "zone": None, **more}
        draft = Draft(at_text=str(words["at"]), part=Part(text=text), **words)  # type: ignore[arg-type]
        found = posts.enter(tx, draft, now=now, who="a test")
        assert isinstance(found, Entered)
        return found.post

    return one
