"""Rows about the store: locked by a stopped program, damaged in every way that we know, damaged by chance.

The saved copy that a damaged store is restored from is taken a moment before the damage, so that nothing at all may be
lost; what an older backup costs is said in docs/damaged-store.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.fence.telling import ask
from tests.torture import doors
from tests.torture.history import Stop
from tests.torture.house import TorturedHouse
from tests.torture.intruder import Intruder
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.torture.results import Options

    Damage = Callable[["random.Random", Path], None]

DOORS = (doors.by_command, doors.by_socket, doors.by_json, doors.in_process)
PAGE, FRAME, HEADER = 4096, 4120, 32
LATEST = (
    25_000.0  # ms, on a loaded machine; the control socket waits for the books twice two seconds, for answers three
)
ENTERED_WITHIN = 20.0
WRITTEN_DOWN_WITHIN = 20.0


def locked(options: Options) -> Result:
    """A stopped program holds the store's lock: every door confirms, who enters is told, and then all goes on."""
    name = "store-locked"
    dice, trials, wrong = options.dice(name), options.times(20, 2), ""
    with TorturedHouse() as house:
        house.start()
        for trial in range(trials):
            house.feed(8, over=1.0)
            time.sleep(dice.uniform(0, 0.6))
            with Intruder(_store(house)):
                time.sleep(dice.uniform(0, 0.5))
                stop = house.freeze(door=DOORS[trial % len(DOORS)])
                stop.in_flight = None  # the books stand still, and say *awaiting* of what has been answered
                wrong = wrong or _not_stopped(stop) or _not_told(house)
            wrong = wrong or _not_written_down(house)
            house.thaw()
            publish_all(house)
            options.progress(name, trial + 1, trials)
        return Result.of(name, trials, house.judge(), worst=house.history.worst, wrong=wrong)


def damaged(options: Options) -> Result:
    """Every known kind of damage: the daemon holds, freezes, keeps the files, and goes on from the saved copy."""
    name = "store-damaged"
    dice, trials, wrong = options.dice(name), options.times(3 * len(KINDS), 3), ""
    kinds = list(KINDS) * 3 if not options.short else dice.sample(list(KINDS), trials)
    with TorturedHouse() as house:
        for trial, kind in enumerate(kinds[:trials]):
            copy = _live_and_end(house, dice, crash=kind.startswith("log"))
            KINDS[kind](dice, _store(house))
            before = _prints(house)
            house.start()
            wrong = wrong or _not_on_hold(house, DOORS[trial % len(DOORS)])
            assert house.daemon is not None
            code = house.daemon.terminate()
            wrong = wrong or ("" if code == 0 else f"a hold ended with {code}")
            wrong = wrong or ("" if _prints(house) == before else "a file of the damaged store was changed")
            wrong = f"{kind}: {wrong}" if wrong and ":" not in wrong else wrong
            _restore(house, copy)
            options.progress(name, trial + 1, trials)
        return Result.of(name, trials, house.judge(), worst=house.history.worst, wrong=wrong)


def flipped(options: Options) -> Result:
    """Random bytes of the file or of its log are others: either the daemon holds, or everything comes out right."""
    name = "store-flipped"
    dice, trials, held, wrong = options.dice(name), options.times(60, 4), 0, ""
    with TorturedHouse() as house:
        for trial in range(trials):
            copy = _live_and_end(house, dice, crash=trial % 2 == 0)
            _flip(dice, dice.choice(_contents(house)))
            house.start()
            if _on_hold(house):
                held += 1
                house.history.stops.append(_by_itself())
                time.sleep(0.2)
            elif _goes_on(house):
                continue
            assert house.daemon is not None
            house.daemon.terminate()
            _restore(house, copy)
            options.progress(name, trial + 1, trials)
        wrong = "" if held else "no flip was noticed: the row proves nothing"
        return Result.of(name, trials, house.judge(), wrong=wrong, note=f"{held} of {trials} put the house on hold")


def _store(house: TorturedHouse) -> Path:
    return Path(house.house.state_dir) / "guardian.db"


def _files(house: TorturedHouse) -> list[Path]:
    return sorted(file for file in _store(house).parent.iterdir() if file.name.startswith("guardian.db"))


def _contents(house: TorturedHouse) -> list[Path]:
    """The file and its log; the index beside them holds nothing that cannot be made anew."""
    return [file for file in _files(house) if not file.name.endswith("-shm") and file.stat().st_size]


def _prints(house: TorturedHouse) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in _files(house)}


def _live_and_end(house: TorturedHouse, dice: random.Random, *, crash: bool) -> Path:
    """Publish for a moment, end in the middle, and save a copy of the store; where it is."""
    if house.daemon is None or house.daemon.process.poll() is not None:
        house.start()
    assert house.daemon is not None
    house.feed(12, over=1.0)
    time.sleep(dice.uniform(0.1, 0.9))
    house.daemon.kill() if crash else house.daemon.terminate()
    copy = house.directory / "saved"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in _files(house):
        shutil.copy2(file, copy)
    return copy


def _restore(house: TorturedHouse, copy: Path) -> None:
    """As docs/damaged-store.md says it: all files aside, the copy in, start, thaw."""
    for file in _files(house):
        file.unlink()
    for file in copy.iterdir():
        if not file.name.endswith("-shm"):
            shutil.copy2(file, _store(house).parent)
    house.start()
    house.thaw()
    publish_all(house)


def _on_hold(house: TorturedHouse) -> bool:
    return "store" in house.client.get("/v1/status")


def _by_itself() -> Stop:
    """The freeze that the daemon made when it found the store damaged: in force once it answers."""
    now = time.monotonic_ns()
    return Stop("hold", ("all",), now, confirmed_at=now, returned=now)


def _goes_on(house: TorturedHouse) -> bool:
    """Whether everything was published; False when the damage was found while the daemon ran."""
    try:
        house.thaw()  # a frozen house was left so by an earlier trial's restore only if that went wrong
        publish_all(house)
    except GuardianError:
        if not _on_hold(house):
            raise
        return False
    return True


def _not_stopped(stop: Stop) -> str:
    if stop.confirmed_at is None or stop.code not in (0, 200, None):
        return f"not confirmed by {stop.door} ({stop.code}): {stop.said[:300]}"
    if stop.killed:
        return f"{stop.door} ended the daemon"
    took = (stop.returned - stop.began) / 1e6
    return f"{stop.door} came back after {took:.0f} ms" if took > LATEST else ""


def _not_told(house: TorturedHouse) -> str:
    began = time.monotonic()
    record = {"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "never entered"}
    status, document = ask(house.house.socket, "POST", "/v1/posts", record, within=30)
    code = document["error"]["code"] if isinstance(document, dict) and "error" in document else ""
    if (status, code) != (503, "store_busy"):
        return f"entering was answered with {status} {document}"
    took = time.monotonic() - began
    return f"entering was answered after {took:.1f} s" if took > ENTERED_WITHIN else ""


def _not_written_down(house: TorturedHouse) -> str:
    until = time.monotonic() + WRITTEN_DOWN_WITHIN
    while not house.standing():
        if time.monotonic() > until:
            return "the freeze was never written down"
        time.sleep(0.02)
    return ""


def _not_on_hold(house: TorturedHouse, door: doors.Door) -> str:
    told = house.client.get("/v1/status")
    if "store" not in told or told["state"] != "frozen":
        return f"it did not hold, but is {told['state']}"
    house.history.stops.append(_by_itself())
    stop = house.freeze(door=door)
    if stop.confirmed_at is None:
        return f"in hold, {stop.door} did not confirm ({stop.code}): {stop.said[:300]}"
    time.sleep(0.2)
    return ""


def _flip(dice: random.Random, path: Path) -> None:
    """From one bit to a run of sixty-four bytes."""
    content = bytearray(path.read_bytes())
    place = dice.randrange(len(content))
    if dice.random() < 0.5:
        content[place] ^= 1 << dice.randrange(8)
    else:
        content[place : place + dice.randint(1, 64)] = dice.randbytes(min(dice.randint(1, 64), len(content) - place))
    path.write_bytes(content)


def _flip_a_page(dice: random.Random, path: Path) -> None:
    """The head of a page that is in use, whichever."""
    pages = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        file.seek(PAGE * dice.randrange(1, pages))
        file.write(b"\xff" * 64)


def _cut(dice: random.Random, path: Path) -> None:
    os.truncate(path, dice.randrange(PAGE, path.stat().st_size))


def _empty(_: random.Random, path: Path) -> None:
    os.truncate(path, 0)


def _no_database(dice: random.Random, path: Path) -> None:
    path.write_bytes(dice.randbytes(path.stat().st_size))


def _edit_the_journal(dice: random.Random, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("drop trigger journal_never_changed")
    lines = connection.execute("select max(seq) from journal").fetchone()[0]
    connection.execute("update journal set who = 'nobody' where seq = ?", (dice.randint(1, lines),))
    connection.close()


def _edit_a_post(_: random.Random, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("update posts set text = 'something tasteless' where seq = (select max(seq) from posts)")
    connection.close()


def _log(path: Path) -> Path:
    return path.with_name("guardian.db-wal")


def _cut_the_log(dice: random.Random, path: Path) -> None:
    os.truncate(_log(path), dice.randrange(HEADER + FRAME))


def _garbage_in_the_log(_: random.Random, path: Path) -> None:
    with _log(path).open("r+b") as file:
        file.seek(HEADER + 300)
        file.write(b"\xa5" * 64)


def _no_log(_: random.Random, path: Path) -> None:
    _log(path).unlink()


KINDS: dict[str, Damage] = {
    "page": _flip_a_page,
    "cut": _cut,
    "empty": _empty,
    "no database": _no_database,
    "journal": _edit_the_journal,
    "post": _edit_a_post,
    "log cut": _cut_the_log,
    "log garbage": _garbage_in_the_log,
    "log gone": _no_log,
}
