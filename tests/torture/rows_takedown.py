"""Row `takedown`: SIGKILL at each place of a takedown, from the order to the last seal.

After the restart nobody helps: the order comes to its end by itself, the platform has said yes to one deletion at the
most, another request left only after a look that showed the post, every bundle opens, and what was sealed is whole.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardian.errors import GuardianError
from guardian.evidence import Bundle, Seal
from guardian.evidence import verify as verifying
from guardian.rules import chain
from guardian.store import bundles
from guardian.store.database import STORE, Database
from tests.torture.daemon import NotInTimeError
from tests.torture.house import GREETINGS, TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.torture.results import Options

CONFIG = '[evidence]\nrender = false\nwithin = "5s"\n'
STATUSES = "/api/v1/statuses/"
OF_A_TAKEDOWN = (
    "ordered", "bundle", "captured", "sealing", "sealed", "noted", "intended", "acted", "looked", "ended", "finishing",
    "finished",
)  # fmt: skip
OF_FILES = {
    "opened": (1, 6, 14), "written": (2, 9, 16), "renamed": (3, 11, 18), "appending": (1, 8, 20), "appended": (4, 12),
    "sealing": (1, 2),
}  # fmt: skip
POINTS = (
    *(f"takedown.{name}=crash@1" for name in OF_A_TAKEDOWN),
    *(f"evidence.{name}=crash@{nth}" for name, places in OF_FILES.items() for nth in places),
    *(f"gate.{name}=crash@{GREETINGS + nth}" for name in ("connected", "sent", "answered") for nth in (1, 5, 7, 8)),
)
LEAST = 30  # points at which it was killed, in the whole row
KILLED = -9
DIES_WITHIN, ENDS_WITHIN = 6.0, 60.0
ENDED = {"delete": "gone", "hide": "hidden"}


def takedown(options: Options) -> Result:
    """One post for each point, every third one hidden instead of deleted."""
    dice = options.dice("takedown")
    points = dice.sample(POINTS, options.times(len(POINTS), 5))
    wrong: list[str] = []
    killed = 0
    with TorturedHouse(config=CONFIG) as house:
        urls = _publish(house, len(points))
        for trial, (point, ref) in enumerate(zip(points, urls, strict=True)):
            decision = "hide" if trial % 3 == 2 else "delete"
            killed += _killed_at(house, point, ref, decision)
            wrong += [f"{point}: {one}" for one in _after_all(house, decision)]
            options.progress("takedown", trial + 1, len(points))
        wrong += _bundles(house)
        wrong += _twice(house.witness.log())
        least = min(LEAST, len(points) - 1)
        if killed < least:
            wrong.append(f"killed at {killed} of {len(points)} points only: the row proves nothing")
    said = "; ".join(wrong[:3])
    return Result.of("takedown", len(points), Findings(), wrong=said, note=f"killed at {killed} points")


def _publish(house: TorturedHouse, count: int) -> list[str]:
    """So many live posts; the daemon that made them has ended."""
    daemon = house.start()
    ids = house.feed(count)
    house.wait_all()
    daemon.terminate()
    return ids


def _killed_at(house: TorturedHouse, point: str, ref: str, decision: str) -> bool:
    """Order it in a life that ends at that point; whether it did. A lost answer is asked for by the key."""
    daemon = house.start(failpoints=point, ready=False)
    with suppress(NotInTimeError):  # it may die of what an earlier order still wants: the look a minute later
        daemon.wait_ready()
    body = {"refs": [ref], "decision": decision, "reason": "torture", "key": uuid.uuid4().hex, "wait": 0}
    _order(house, body)
    until = time.monotonic() + DIES_WITHIN
    while daemon.process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    died = daemon.process.poll() == KILLED
    if not died:
        daemon.kill()
    house.start()
    _order(house, body)
    return died


def _order(house: TorturedHouse, body: Mapping[str, object]) -> None:
    try:
        house.client.post("/v1/takedowns", dict(body))
    except (GuardianError, OSError):
        return  # the daemon died before it answered


def _after_all(house: TorturedHouse, decision: str) -> list[str]:
    """What is wrong with the latest order once it is over; the life ends then."""
    assert house.daemon is not None
    found: dict[str, Any] = {}

    def over() -> bool:
        (newest,) = house.client.get("/v1/takedowns", limit=1)["takedowns"]
        found.update(newest)
        return bool(newest["state"] == "done" and _seals(house, newest) >= 2)

    wrong = [] if _until(over) else [f"it did not come to its end: {found}"]
    (target,) = found["targets"]
    if target["state"] != ENDED[decision] or not found["complete"]:
        wrong.append(f"it ended {target['state']}: {target['why']}")
    if target["grade"] != "complete":
        wrong.append(f"the proof is {target['grade']}")
    house.daemon.kill()
    return wrong + _journal(Path(house.house.state_dir) / STORE)


def _seals(house: TorturedHouse, order: Mapping[str, Any]) -> int:
    """How many seals its bundle has, as the books know them."""
    name = order["targets"][0]["evidence"]
    return int(house.client.get(f"/v1/evidence/{name}")["seals"]) if name else 0


def _until(come: Callable[[], bool]) -> bool:
    until = time.monotonic() + ENDS_WITHIN
    while not come():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _journal(path: Path) -> list[str]:
    """Whether every line follows the one before it."""
    prev, seq = chain.START, 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for number, hash_, before in connection.execute("select seq, hash, prev from journal order by seq"):
            if (number, before) != (seq + 1, prev):
                return [f"the journal is torn at line {number}"]
            prev, seq = hash_, number
    return []


def _bundles(house: TorturedHouse) -> list[str]:
    """Every bundle opens, and is what was sealed."""
    database = Database(Path(house.house.state_dir) / STORE)
    wrong = []
    try:
        for place in sorted((Path(house.house.state_dir) / "evidence").glob("ev-*")):
            Bundle.open(place)
            with database.reading() as tx:
                known = [Seal(n, sha256) for n, sha256 in sorted(bundles.seals(tx, place.name).items())]
            if known or (place / "SHA256SUMS").exists():
                wrong += [f"{place.name}: {one}" for one in verifying.verify(place, sealed=known)]
    finally:
        database.close()
    return wrong


def _twice(log: Sequence[Mapping[str, Any]]) -> list[str]:
    """Deletions of one post that were both answered with yes, and acts that no look came between."""
    wrong, yes = [], set()
    latest: dict[str, str] = {}
    for one in log:
        path = str(one["path"])
        if not path.startswith(STATUSES):
            continue
        post = path.removeprefix(STATUSES).partition("?")[0]
        if one["method"] in ("DELETE", "PUT"):
            if latest.get(post) == "acted":
                wrong.append(f"{post} was acted on twice without a look in between")
            if one["method"] == "DELETE" and one["status"] == 200:
                if post in yes:
                    wrong.append(f"{post} was deleted twice")
                yes.add(post)
            latest[post] = "acted"
        elif one["method"] == "GET" and one["status"] == 200:
            latest[post] = "seen"
    return wrong
