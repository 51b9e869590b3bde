"""A house with something in it and no daemon, and the two programs as functions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.backup import making, restoring
from guardian.backup.progress import Progress
from guardian.evidence.keyring import Keyring
from guardian.fence import arming
from guardian.fence.house import House
from guardian.model import Account, Part
from guardian.store import freezes, journal, posts
from guardian.store.database import STORE, Database
from guardian.store.posts import Draft, Entered

if TYPE_CHECKING:
    from guardian.backup.making import Made
    from guardian.backup.restoring import Restored

ACME = Account(name="acme-m", platform="mastodon", brand="acme", base_url="", identity="")
FAR = 4_000_000_000_000  # ms: in a hundred years
BUNDLE = "ev-20261120T114501Z-mastodon-1145-abcd"


@dataclass(frozen=True)
class Standing:
    """A house of files, as a daemon leaves it."""

    house: House

    @property
    def state(self) -> Path:
        return Path(self.house.state_dir)

    def fill(self, *texts: str, at: int = FAR) -> list[str]:
        """Posts that wait, and whatever else a house has."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(self.state / STORE)
        with database.transaction() as tx:
            freezes.set_covers(tx, [ACME])
            found = [self._enter(tx, text, at) for text in texts]
            journal.append(tx, "filled", who="a test", now=1, count=len(texts))
        database.close()
        return found

    def _enter(self, tx: Any, text: str, at: int) -> str:  # noqa: ANN401 (the store's own)
        draft = Draft(account=ACME.name, at=at, at_text=str(at), zone=None, part=Part(text=text))
        entered = posts.enter(tx, draft, now=1, who="a test")
        assert isinstance(entered, Entered)
        return entered.post.id

    def put(self, name: str, content: bytes) -> Path:
        path = self.state / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def picture(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        self.put(f"spool/{name[:2]}/{name}", content)
        return name

    def arm(self, *scopes: str) -> None:
        for scope in scopes or ("all", *[one for one in ACME.scopes if one != "all"]):
            arming.arm_new(self.house, scope)

    def backup(self, to: Path | None = None, *, keep: int | None = None) -> Made:
        return making.make(self.house, to, keep=keep, progress=Progress(print))

    def restore(self, file: Path, *, replace: bool = False, holds: bool = True) -> Restored:
        return restoring.restore(self.house, file, replace=replace, holds=holds, by="a test", progress=Progress(print))

    def prints(self) -> dict[str, str]:
        """What of the house a restore may move, by its content."""
        return {
            str(path.relative_to(self.state)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.state.rglob("*"))
            if path.is_file() and path.relative_to(self.state).parts[0] not in ("fence", "guardian.lock")
        }

    def open(self) -> Database:
        return Database(self.state / STORE)


def standing(base: Path) -> Standing:
    base.mkdir(exist_ok=True)
    return Standing(House(f"{base}/state", f"{base}/run"))


@pytest.fixture
def full(tmp_path: Path) -> Standing:
    """Two posts, a picture, evidence with its key, what was put off, a login, a record."""
    found = standing(tmp_path / "full")
    found.fill("one", "two")
    found.picture(b"a picture")
    found.put(f"evidence/{BUNDLE}/SHA256SUMS-1", b"sums")
    Keyring(found.state).have(now=1)
    found.put("natives/n-1.json", b"{}")
    found.put("sessions/acme-m.sealed", b"sealed")
    found.put("last-drill.json", b"{}")
    found.arm()
    return found


@pytest.fixture
def other(tmp_path: Path) -> Standing:
    """A machine on which nothing stands yet."""
    found = standing(tmp_path / "other")
    found.state.mkdir(mode=0o700)
    return found
