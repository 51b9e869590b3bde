"""The row of backups: made at random instants under load, killed, restored, killed again; nothing is sent twice."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.torture.daemon import ROOT, NotInTimeError
from tests.torture.house import TorturedHouse
from tests.torture.oracle import UNDECIDED, Findings, find_double
from tests.torture.results import Result

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from guardian.client import Client
    from tests.torture.results import Options

LONGEST = 60.0
TRIES = 8
LATER = timedelta(hours=2)
BACKUP, RESTORE = "backup", "restore"


def restored(options: Options) -> Result:
    """Whatever was killed when: frozen, all that the horizon says, and after thaw and unhold no post is there twice."""
    name = "restore"
    dice, found, wrong = options.dice(name), Findings(), ""
    trials, killed = options.times(20, 1), 0
    for trial in range(trials):
        with TorturedHouse() as house:
            complaint, kills = _trial(house, dice, found)
            wrong, killed = wrong or complaint, killed + kills
        options.progress(name, trial + 1, trials)
    return Result.of(name, trials, found, wrong=wrong, note=f"{killed} backups and restores were killed")


def _trial(house: TorturedHouse, dice: random.Random, found: Findings) -> tuple[str, int]:
    house.start()
    house.witness.fault("delay", times=None, seconds=dice.choice((0.0, 0.05, 0.3)))
    known = house.feed(24, over=2.0)
    moved = house.feed(4, at=datetime.now(UTC) + LATER)
    time.sleep(dice.uniform(0, 1.5))
    backup = house.directory / "backup.tar"
    killed = _until_done(house, dice, BACKUP, str(backup))
    since = house.feed(8)
    house.client.post(
        "/v1/posts/reschedule", {"ids": moved, "at": "now"}
    )  # sent before its time: the backup cannot know
    time.sleep(dice.uniform(0, 1.0))
    assert house.daemon is not None
    (house.daemon.terminate if dice.random() < 0.3 else house.daemon.kill)()
    killed += _until_done(house, dice, RESTORE, str(backup), "--replace")
    stood = time.monotonic_ns()
    house.witness.clear_faults()
    house.start()
    complaint = _is_frozen(house)
    house.wait(lambda counts: not any(counts[state] for state in UNDECIDED), 30, "what was in flight is known")
    lifted = time.monotonic_ns()
    house.thaw()
    house.client.post("/v1/posts/unhold", {"restored": True})
    time.sleep(0.5)
    found.add(_judge(house, [*known, *moved], since, stood, lifted))
    return complaint, killed


def _until_done(house: TorturedHouse, dice: random.Random, *words: str) -> int:
    """Run the command, killed at random instants, until it was left alone; how often it was killed."""
    killed = 0
    for _ in range(TRIES):
        process = subprocess.Popen(
            [sys.executable, "-m", "guardian", *words, "--json", "--config", str(house.config)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        if killed < TRIES - 1 and dice.random() < 0.6:
            try:
                process.wait(dice.uniform(0.3, 1.2))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        _, said = process.communicate(timeout=LONGEST)
        if process.returncode == 0 or _is_done(house, words):
            return killed
        if process.returncode > 0:
            raise NotInTimeError(f"{words} failed: {said.decode()}")
    raise NotInTimeError(f"{words} was never left alone")


def _is_done(house: TorturedHouse, words: tuple[str, ...]) -> bool:
    """Whether what was killed had done its work already: a backup that has its name must be whole."""
    if words[0] != BACKUP:
        return False
    path = house.directory / "backup.tar"
    if not path.exists():
        return False
    return _check(path, house) or _fail(f"{path} has its name and is not whole")


def _check(path: Path, house: TorturedHouse) -> bool:
    words = [sys.executable, "-m", "guardian", "restore", "--check", str(path), "--config", str(house.config)]
    return subprocess.run(words, check=False, capture_output=True, timeout=LONGEST, cwd=ROOT).returncode == 0


def _fail(why: str) -> bool:
    raise NotInTimeError(why)


def _is_frozen(house: TorturedHouse) -> str:
    status = house.client.get("/v1/status")
    reasons = [str(one["reason"]) for one in status["freezes"] if one["scope"] == "all"]
    if status["state"] != "frozen" or not any(reason.startswith("restored from a backup") for reason in reasons):
        return f"it came up {status['state']}, because {reasons}"
    kinds = [line["kind"] for line in _journal(house.client)]
    return "" if "restored" in kinds else "the journal does not say that it was restored"


def _journal(client: Client) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get("/v1/journal", limit=1000)["entries"]
    return entries


def _judge(house: TorturedHouse, known: list[str], since: list[str], stood: int, lifted: int) -> Findings:
    """Of the platform's own log and the restored queue. What was entered after the backup is lost, as was printed."""
    made = [str(post["text"]) for post in house.witness.posts()]
    rows = {row["id"]: row for row in house.rows()}
    found = Findings(double=find_double({text: made.count(text) for text in made}))
    found.late = [
        f"late: {entry['text']} left between the restore and the thaw"
        for entry in house.arrivals()
        if stood < entry["first_byte"] < lifted
    ]
    for post in known:
        state = rows[post]["state"] if post in rows else "gone"
        if post not in rows or state in UNDECIDED or (state == "published" and house.imported[post] not in made):
            found.lost.append(f"lost: {post} is {state}")
    found.lost += [f"lost: {post} is there, though the backup is older" for post in since if post in rows]
    return found
