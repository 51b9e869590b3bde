"""How fast a post is off its platform, with its proof sealed before, and how long a journal takes to be verified."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from bench import page
from bench.goals import Goal, lines
from bench.timing import Taken, whole
from guardian.store import journal
from guardian.store.audit import Audit
from guardian.store.database import STORE, Database
from tests.torture.house import ACCOUNTS, TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS = 12
DELAYS = (0, 120, 500)  # ms, for each request
LINES = 100_000
CONFIG = "[evidence]\nrender = false\n"
NAMES = sorted(ACCOUNTS)  # in turn: none has more than 30 deletions in 30 minutes
STATUSES = "/api/v1/statuses/"
ANY_REQUEST = r"/(?!rehearsal).*"
WITHIN = 60.0
BUNDLE, LIGHT = "bundle with one picture of 40 kB (kB)", "bundle of words alone (kB)"
FOLLOWED, VERIFIED = f"the daemon follows {LINES:,} lines", f"guardian journal verify, {LINES:,} lines"


def first_byte(delay: int) -> str:
    """The name of a figure."""
    return f"order to the deletion's first byte, {delay} ms a request"


def over(delay: int) -> str:
    """The name of a figure."""
    return f"order to *gone*, read back, {delay} ms a request"


def sealed(delay: int) -> str:
    """The name of a figure."""
    return f"snapshot alone, {delay} ms a request"


GOALS = (
    Goal("proof sealed and deletion on its way, p50, 120 ms a request", first_byte(120), most=500.0),
    Goal("proof sealed and deletion on its way, p50, 500 ms a request", first_byte(500)),
    Goal("read back as gone, p50, 120 ms a request", over(120)),
    Goal(f"verify {LINES:,} lines with the command", VERIFIED, most=2_000.0),
)
ABOUT = """\
* One post with one picture of 40 kB is live on the rehearsal platform, which takes 0, 120 or 500 ms over every request
  of the guardian. *Order* is when POST /v1/takedowns begins at the control socket. By the time of the *first byte* of
  the deletion (the platform's own log) the post, its source, its history, the picture and our own copy lie sealed on
  the disk. *Gone*: the answer of the same call, after reading back.
* *Snapshot alone*: the same proof without an act, until its seal is in the journal.
* The bundle is measured whole, after its second seal, without a rendered page.
* The journal's lines are of the kind that a takedown writes; they are followed by the daemon's own code from the first
  to the last, and by the command `guardian journal verify`, which asks the daemon page by page and trusts no word.
"""


def run() -> None:
    """Measure, print, and write the page's section."""
    before, taken = os.getloadavg(), Taken()
    with TorturedHouse(config=CONFIG) as house:
        house.start()
        for delay in DELAYS:
            _round(house, delay, {})  # not kept: connections, keys and pages are warm after it
            for _ in range(ROUNDS):
                sample: dict[str, float] = {}
                _round(house, delay, sample)
                taken.add(sample)
            print(f"  {delay} ms a request", flush=True)
        daemon = house.daemon
        assert daemon is not None
        daemon.terminate()
        _journal(house, taken)
    page.publish(
        page.Section("takedown", "Takedown: from the order to the deletion", ABOUT),
        lines(GOALS, taken),
        taken,
        [],
        before,
    )


def _round(house: TorturedHouse, delay: int, sample: dict[str, float]) -> None:
    """One snapshot and one takedown of a fresh post."""
    house.witness.clear_faults()
    with_picture = _publish(house, _picture(house))
    house.witness.fault("delay_before", path=ANY_REQUEST, method="*", times=None, seconds=delay / 1000)
    began = time.monotonic_ns()
    kept = _order(house, {"refs": [with_picture], "decision": "keep", "evidence_only": True})
    sample[sealed(delay)] = (time.monotonic_ns() - began) / 1e6
    began = time.monotonic_ns()
    gone = _order(house, {"refs": [with_picture], "decision": "delete", "reason": "bench"})
    ended = time.monotonic_ns()
    target = gone["targets"][0]
    if (target["state"], target["grade"], kept["complete"]) != ("gone", "complete", True):
        raise AssertionError(f"it was not taken down with its whole proof: {gone}")
    sample[first_byte(delay)] = (_deleted(house, target["platform_id"]) - began) / 1e6
    sample[over(delay)] = (ended - began) / 1e6
    house.witness.clear_faults()
    if delay == 0:
        words = _order(house, {"refs": [_publish(house, None)], "decision": "delete", "reason": "bench"})
        sample[BUNDLE] = _size(house, target["evidence"])
        sample[LIGHT] = _size(house, words["targets"][0]["evidence"])


def _order(house: TorturedHouse, body: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = house.client.post("/v1/takedowns", {**body, "wait": 20})
    return found


def _picture(house: TorturedHouse) -> str:
    """A picture of noise, about 40 kB of it; its hash."""
    data = io.BytesIO()
    Image.frombytes("RGB", (116, 116), os.urandom(116 * 116 * 3)).save(data, "PNG")
    path = house.directory / "picture.png"
    path.write_bytes(data.getvalue())
    return str(house.client.upload(str(path))["sha256"])


def _publish(house: TorturedHouse, picture: str | None) -> str:
    """A live post, alone; its id."""
    text = f"post {len(house.imported)}"
    media = {} if picture is None else {"media": [{"sha256": picture, "alt": "noise"}]}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"account": NAMES[len(house.imported) % len(NAMES)], "at": at, "text": text, **media}
    (name,) = house.client.post("/v1/posts/import", {"text": json.dumps(record)})["ids"]
    house.imported[name] = text
    until = time.monotonic() + WITHIN
    while house.client.get(f"/v1/posts/{name}")["state"] != "published":
        if time.monotonic() > until:
            raise TimeoutError(f"{name} was not published")
        time.sleep(0.01)
    return str(name)


def _deleted(house: TorturedHouse, platform_id: str) -> int:
    """When the deletion's first byte reached the platform (monotonic, ns)."""
    paths = [one for one in house.witness.creates() if str(one["path"]).startswith(f"{STATUSES}{platform_id}")]
    return next(int(one["first_byte"]) for one in paths if one["method"] == "DELETE")


def _size(house: TorturedHouse, name: str) -> float:
    """How many kB a bundle has, once it has its second seal."""
    until = time.monotonic() + WITHIN
    while int(house.client.get(f"/v1/evidence/{name}")["seals"]) < 2:
        if time.monotonic() > until:
            raise TimeoutError(f"{name} was not sealed")
        time.sleep(0.02)
    place = Path(house.house.state_dir) / "evidence" / name
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1000


def _journal(house: TorturedHouse, taken: Taken) -> None:
    """Make it as long as that, then verify it in both ways."""
    database = Database(Path(house.house.state_dir) / STORE)
    about = {"takedown": "t-abcdefghijklmnop", "target": "g-abcdefghijklmnop", "account": NAMES[0], "state": "gone"}
    with database.transaction() as tx:
        head = journal.head(tx)
        for place in range(LINES - (head.seq if head else 0)):
            journal.append(tx, "looked again", who="bench", now=time.time_ns() // 1_000_000, check=place, **about)
    for _ in range(3):
        audit = Audit()
        began = time.perf_counter()
        with database.reading() as tx:
            audit.follow(tx, within=WITHIN)
        taken.add({FOLLOWED: (time.perf_counter() - began) * 1000})
    database.close()
    house.start()
    words = [sys.executable, "-m", "guardian", "journal", "verify", "--config", str(house.config)]
    for _ in range(3):
        taken.add({VERIFIED: whole(VERIFIED, words)[VERIFIED]})
