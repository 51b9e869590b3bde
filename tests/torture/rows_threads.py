"""Row `threads`: freezes, kills and lost answers in the middle of threads with pictures.

Whatever happens between two parts, or between a picture and the post that shows it: nothing of a thread leaves after
CONFIRMED, every part ends up on the platform exactly once, in order, each under the one before it, with its pictures.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.torture import doors, oracle
from tests.torture.house import ACCOUNTS, SCOPES, SCOPES_OF, TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.results import Result

if TYPE_CHECKING:
    import random

    from tests.torture.results import Options

PARTS = 4
THREADS = 8  # a round
DOORS = (doors.in_process, doors.in_process, doors.by_socket, doors.by_command)
SETTLED_WITHIN = 90.0
STATUSES = "/api/v1/statuses"


def threads(options: Options) -> Result:
    """0 parts after CONFIRMED, 0 lost, 0 twice, 0 under another parent than the one before."""
    dice = options.dice("threads")
    rounds = options.times(30, 3)
    wrong, half = "", 0
    with TorturedHouse() as house:
        house.start()
        for trial in range(rounds):
            _upset(house, dice, trial)
            picture = _hand_over(house, dice)
            _feed(house, picture)
            time.sleep(dice.uniform(0, 0.5))
            stop = house.freeze(dice.choice(SCOPES), door=dice.choice(DOORS))
            wrong = wrong or ("" if stop.confirmed_at is not None else f"{stop.door} was not confirmed")
            half += _half_sent(house)
            if trial % 3 == 2 and house.daemon is not None:
                house.daemon.kill()
                house.start()
            time.sleep(dice.uniform(0, 0.1))
            house.thaw(*SCOPES)
            house.release()
            house.witness.clear_faults()
            _settle(house)
            options.progress("threads", trial + 1, rounds)
        found = _judge(house)
        wrong = wrong or ("" if half else "no freeze came between two parts: the row proves nothing")
        return Result.of("threads", rounds, found, wrong=wrong, note=f"{half} threads were live by half under a freeze")


def _upset(house: TorturedHouse, dice: random.Random, trial: int) -> None:
    """A slow platform that works on pictures for a while, and in every second round loses an answer."""
    house.witness.fault("delay", times=None, seconds=round(dice.uniform(0, 0.02), 4), method="POST", path=STATUSES)
    house.witness.fault("processing", times=4, seconds=round(dice.uniform(0, 0.3), 3))
    if trial % 2:
        kind = dice.choice(("lose", "lose_before"))
        house.witness.fault(kind, times=1, skip=dice.randint(0, PARTS * THREADS // 2), method="POST", path=STATUSES)


def _hand_over(house: TorturedHouse, dice: random.Random) -> str:
    """A picture of its own for every round; its hash."""
    path = house.directory / "picture.png"
    data = io.BytesIO()
    Image.new("RGB", (16, 16), f"#{dice.randrange(1 << 24):06x}").save(data, "PNG")
    path.write_bytes(data.getvalue())
    return str(house.client.upload(str(path))["sha256"])


def _feed(house: TorturedHouse, picture: str) -> None:
    """Threads of every account; every second part shows the picture."""
    names = sorted(ACCOUNTS)
    first = len(house.imported)
    records = []
    for place in range(first, first + THREADS):
        parts: list[dict[str, Any]] = [{"text": f"post {place} part {part}"} for part in range(PARTS)]
        for part in parts[1::2]:
            part["media"] = [{"sha256": picture, "alt": "a square"}]
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        records.append({"account": names[place % len(names)], "at": at, "parts": parts})
    answer = house.client.post("/v1/posts/import", {"text": "\n".join(map(json.dumps, records))})
    assert not answer["errors"], answer
    house.imported.update({post: f"post {first + nr} part 0" for nr, post in enumerate(answer["ids"])})


def _half_sent(house: TorturedHouse) -> int:
    return sum(0 < row["live"] < row["parts"] for row in house.rows())


def _settle(house: TorturedHouse) -> None:
    """What a freeze or a restart made of threads is released, until all of them are out."""
    until = time.monotonic() + SETTLED_WITHIN
    while house.counts()["published"] < len(house.imported):
        assert time.monotonic() < until, f"not all published: {dict(house.counts())}; {house.directory}"
        if house.counts()["missed"]:
            house.release()
        time.sleep(0.05)


def _judge(house: TorturedHouse) -> Findings:
    made = house.witness.posts()
    times = Counter(str(post["text"]) for post in made)
    creates = [entry for entry in house.witness.creates() if entry["path"] == STATUSES]
    by_text = {str(post["text"]): post for post in made}
    lost, mismatched = [], []
    for head in house.imported.values():
        parent = None
        for part in range(PARTS):
            there = by_text.get(f"{head[:-1]}{part}")
            if there is None:
                lost.append(f"lost: part {part} of {head}")
                break
            if there["reply_to"] != parent:
                mismatched.append(f"mismatch: part {part} of {head} hangs under {there['reply_to']}, not {parent}")
            if there["media"] != part % 2:
                mismatched.append(f"mismatch: part {part} of {head} shows {there['media']} pictures")
            parent = there["id"]
    return Findings(
        late=oracle.find_late(creates, house.history.closed(), SCOPES_OF),
        lost=lost,
        double=oracle.find_double(times),
        mismatched=mismatched,
    )
