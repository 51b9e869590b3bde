"""Rows about the disk under the house: full, read-only, failing, hanging. For root, who may mount.

The fence lies in memory, so each freeze is CONFIRMED; what differs is whether it survives a reboot, and that the
command says so. A directory that holds the *configuration* must answer: the house is found in it.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.fence import telling
from guardian.fence.limited import TOO_LONG
from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.mounts import Passthrough, SmallDisk, fill, in_memory
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from tests.torture.history import Stop
    from tests.torture.results import Options

DRAIN = 1.0
LONGEST = (DRAIN + 2.0) * 1000
RETURNS = (DRAIN + 2.0 + 2.0 + doors.WAIT + 3.0) * 1000  # confirmed, not durable, the daemon asked for its word, ended
MOST_TAKEN = 400
DURABLE, LOST = "yes, it survives a reboot", "NO: it is lost at a reboot"


def full(options: Options) -> Result:
    """No byte fits any more, on the disk or in memory: CONFIRMED and durable; nothing is entered by half."""
    wrong, trials = "", options.times(4, 1)
    with TorturedHouse() as house:
        for trial in range(trials):
            with _small(house, trial), in_memory(house.house.runtime_dir, "1m"):
                wrong = wrong or _fill_up(house, doors.by_json if trial % 4 >= 2 else doors.by_command)
                found = house.judge()
                assert house.daemon is not None
                house.daemon.terminate()
            house.imported.clear()  # each trial has a store of its own
            if found:
                break
            options.progress("disk-full", trial + 1, trials)
        return Result.of("disk-full", trials, found, worst=house.history.worst, wrong=wrong)


def _small(house: TorturedHouse, trial: int) -> AbstractContextManager[object]:
    place = house.house.state_dir
    return in_memory(place, "4m") if trial % 2 else SmallDisk(place)


def _fill_up(house: TorturedHouse, door: doors.Door) -> str:
    house.more = f" of {time.monotonic_ns()}"
    daemon = house.start()
    house.feed(8)
    house.wait_all()
    house.feed(16, at=_soon(0.5), over=3.0)
    before = len(house.rows())
    stuff = [fill(house.house.state_dir), fill(house.house.runtime_dir)]
    wrong, taken = _refused(house, 507, "because the disk is full")
    stop = house.freeze(door=door, drain=DRAIN)
    time.sleep(0.5)
    wrong = wrong or _unless(stop, codes=(0,), says='"durable": true' if door is doors.by_json else DURABLE)
    if daemon.process.poll() is not None:
        wrong = wrong or f"the daemon ended: {daemon.tail()}"
    for one in stuff:
        one.unlink()
    if len(house.rows()) != before + taken:
        wrong = wrong or "something was entered by half"
    house.feed(4)
    house.thaw(*SCOPES)
    publish_all(house)
    return wrong


def read_only(options: Options) -> Result:
    """The disk has turned read-only: exit 11, the words say what is lost at a reboot, and nothing is sent."""
    wrong, trials = "", options.times(3, 1)
    with TorturedHouse() as house, SmallDisk(house.house.state_dir) as disk:
        for trial in range(trials):
            daemon = house.start()
            house.thaw(*SCOPES)
            house.feed(16, at=_soon(1.0), over=3.0)
            disk.fail()
            wrong = wrong or _refused(house, 503, "disk I/O error")[0]  # and from then on the daemon is in hold
            stop = house.freeze(drain=DRAIN)
            wrong = wrong or _unless(stop, codes=(11,), says=LOST, also="Read-only file system")
            time.sleep(1.0)
            daemon.kill()
            disk.mend()
            _put_right(house)
            options.progress("disk-read-only", trial + 1, trials)
        house.start()
        return Result.of("disk-read-only", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def no_sync(options: Options) -> Result:
    """The disk takes what is written and fails to keep it (EIO on fsync): not durable, and no post leaves on such."""
    wrong, trials = "", options.times(3, 1)
    with TorturedHouse() as house, Passthrough(house.house.state_dir) as disk:
        for trial in range(trials):
            daemon = house.start()
            house.thaw(*SCOPES)
            house.feed(16, over=3.0)
            disk.fail_to_sync()
            wrong = wrong or _refused(house, 503, "disk I/O error")[0]  # and from then on the daemon is in hold
            time.sleep(0.5)  # for what had its intent on the disk before
            made = len(house.arrivals())
            time.sleep(1.0)
            stop = house.freeze(drain=DRAIN)
            wrong = wrong or _unless(stop, codes=(11,), says=LOST, also="Input/output error")
            if len(house.arrivals()) != made:
                wrong = wrong or "a post left although its intent was on no disk"
            daemon.kill()
            disk.recover()
            _put_right(house)
            options.progress("disk-no-sync", trial + 1, trials)
        house.start()
        return Result.of("disk-no-sync", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def hangs(options: Options) -> Result:
    """No call to the disk comes back: CONFIRMED within drain + 2 s, exit 11, and the command ends."""
    wrong, trials = "", options.times(8, 1)
    ways: Sequence[doors.Door] = (doors.by_command, doors.by_json)
    with TorturedHouse() as house, Passthrough(house.house.state_dir) as disk:
        for trial in range(trials):
            daemon = house.start()
            house.thaw(*SCOPES)
            house.feed(24, over=2.0)
            time.sleep(0.3)
            disk.hang()
            stop = house.freeze(*((), ("brand:north",))[trial // 2 % 2], door=ways[trial % 2], drain=DRAIN)
            wrong = wrong or _unless(stop, codes=(11,), says=TOO_LONG if not trial % 2 else "")
            if (stop.elapsed or 0) > LONGEST or (stop.returned - stop.began) / 1e6 > RETURNS:
                wrong = (
                    wrong or f"confirmed after {stop.elapsed} ms, back after {(stop.returned - stop.began) / 1e6} ms"
                )
            wrong = wrong or _unless_unknown_scope_returns(house)
            disk.recover()
            daemon.kill()
            wrong = wrong or _left_behind(house)
            _put_right(house)
            options.progress("disk-hangs", trial + 1, trials)
        house.start()
        return Result.of("disk-hangs", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def _unless_unknown_scope_returns(house: TorturedHouse) -> str:
    """A scope that only the disk could tell of is refused, within its limit."""
    stop = doors.by_command(house.house, house.config, ("brand:nobody",), drain=DRAIN)
    if stop.code != 10 or "do stop everything" not in stop.said:
        return f"an unknown scope on a hanging disk: {stop.code} {stop.said[:200]}"
    return ""


def _left_behind(house: TorturedHouse) -> str:
    """Processes of this house that are still there: a killed child of the command may take a moment."""
    until = time.monotonic() + 5
    while found := [one for one in Path("/proc").glob("[0-9]*/cmdline") if _is_of(one, house)]:
        if time.monotonic() > until:
            return f"left behind: {[(one.parent / 'stat').read_text('ascii', 'replace') for one in found]}"
        time.sleep(0.05)
    return ""


def _is_of(place: Path, house: TorturedHouse) -> bool:
    try:
        return str(house.config).encode() in place.read_bytes()
    except OSError:
        return False


def _unless(stop: Stop, *, codes: Sequence[int], says: str, also: str = "") -> str:
    """What is wrong with the answer of a freeze, if something is."""
    if stop.confirmed_at is None or stop.code not in codes or says not in stop.said or also not in stop.said:
        return f"{stop.door}: {stop.code}, {stop.said[:600]}"
    return ""


def _refused(house: TorturedHouse, status: int, why: str) -> tuple[str, int]:
    """A post that cannot be written down is refused with the reason, in the project's form; how many were taken."""
    record = {"account": "north-a", "at": _soon(7200).isoformat(timespec="milliseconds"), "text": "x" * 400}
    taken = 0
    while taken < MOST_TAKEN:  # what is left of the log's last block may still take one or the other
        got, document = _enqueue(house, record)
        if got != 200:
            break
        taken += 1
    said = json.dumps(document)
    right = got == status and why in said and "cannot" in said and '"fix": ""' not in said
    return "" if right else f"enqueue: {got} {said[:300]}", taken


def _enqueue(house: TorturedHouse, record: dict[str, str]) -> tuple[int, object]:
    """What the socket answers; asked again where it was cut by a daemon that is just becoming one in hold."""
    until = time.monotonic() + 20.0
    while True:
        try:
            return telling.ask(house.house.socket, "POST", "/v1/posts", record, within=20.0)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _put_right(house: TorturedHouse) -> None:
    """The next daemon, open, until all is published; then its end."""
    daemon = house.start()
    house.thaw(*SCOPES)
    publish_all(house)
    daemon.terminate()


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
