"""Rows about the fence's own files: taken away, given away, replaced, linked, overwritten, while the daemon runs.

Whatever is not exactly right means hold; and a freeze says CONFIRMED only if nobody can be inside any more.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from guardian.fence import permits
from tests.torture.house import SCOPES, TorturedHouse, soon
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House
    from tests.torture.results import Options

DRAIN = 0.5
STRANGER = 12345
OVER = 2.0
EVERYBODY = "all"


class Deed(NamedTuple):
    """Something done to the files; what a freeze may answer, and what it says of it when it is not confirmed."""

    name: str
    do: Callable[[House], None]
    codes: tuple[int, ...] = (0,)
    says: str = ""


def _replace(path: str, raw: bytes) -> None:
    beside = Path(f"{path}.other")
    beside.write_bytes(raw)
    beside.chmod(0o600)
    beside.rename(path)


def _link(house: House) -> None:
    gate = Path(house.gate(EVERYBODY))
    gate.rename(house.runtime_dir + "/elsewhere")
    gate.symlink_to(house.runtime_dir + "/elsewhere")


def _second_name(house: House) -> None:
    Path(house.runtime_dir + "/second").hardlink_to(house.gate(EVERYBODY))


def _pipe(house: House) -> None:
    Path(house.gate(EVERYBODY)).unlink()
    os.mkfifo(house.gate(EVERYBODY))


def _other_boot(house: House) -> None:
    text = Path(house.permit(EVERYBODY)).read_text("ascii")
    _replace(house.permit(EVERYBODY), text.replace(permits.boot_id(), "0" * 36).encode())


def _epoch_back(house: House) -> None:
    """An old permit put back: right in everything but the epoch, which the books know to be over."""
    found = permits.read_volatile(house, EVERYBODY)
    assert isinstance(found, permits.Permit)
    permits.write_volatile(house, EVERYBODY, epoch=found.epoch - 1, gate=found.gate)


def _away_with_memory(house: House) -> None:
    """The directory is taken away under the daemon, as a clumsy clean-up of /run does."""
    shutil.rmtree(house.gates)


DEEDS = (
    Deed("gate replaced", lambda house: _replace(house.gate(EVERYBODY), b"")),
    Deed("memory gone", _away_with_memory),
    Deed("epoch backwards", _epoch_back),
    Deed("gate replaced by another gate", lambda house: _replace(house.gate(EVERYBODY), b"0123456789abcdef")),
    Deed("permit garbage", lambda house: _replace(house.permit(EVERYBODY), os.urandom(200))),
    Deed("gate a symbolic link", _link, (10,), "do remove"),
    Deed("gate a pipe", _pipe, (10,), "it is no plain file"),
    Deed("gate with a second name", _second_name),
    Deed("gate of another", lambda house: os.chown(house.gate(EVERYBODY), STRANGER, STRANGER)),
    Deed("permit of another boot", _other_boot),
    Deed("permit of another", lambda house: os.chown(house.permit(EVERYBODY), STRANGER, STRANGER)),
    Deed("permit for everybody", lambda house: Path(house.permit(EVERYBODY)).chmod(0o666)),
    Deed("directory for everybody", lambda house: Path(house.gates).chmod(0o777)),
    Deed("directory of another", lambda house: os.chown(house.gates, STRANGER, STRANGER)),
)
STILL_RIGHT = ("directory of another",)  # a daemon of root's own believes whom the directory is given to


def tampered(options: Options) -> Result:
    """Each deed while posts fall due: nothing leaves any more, by nobody's freeze; then a freeze, and its answer."""
    deeds = DEEDS[: options.times(len(DEEDS), 3)]
    wrong = ""
    with TorturedHouse() as house:
        for trial, deed in enumerate(deeds):
            house.start()
            house.thaw(*SCOPES)
            house.feed(16, at=datetime.now(UTC) + timedelta(seconds=0.5), over=OVER)
            time.sleep(0.7)
            deed.do(house.house)
            wrong = wrong or _unless_held(house, deed) or _unless_answered(house, deed)
            _put_right(house)
            options.progress("files-tampered", trial + 1, len(deeds))
        _publish_all(house)
        return Result.of("files-tampered", len(deeds), house.judge(), worst=house.history.worst, wrong=wrong)


def replaced_inside(options: Options) -> Result:
    """The gate is replaced while a stopped daemon is inside the old one: the lock on the new one proves nothing."""
    dice, trials, wrong = options.dice("gate-replaced-inside"), options.times(8, 1), ""
    with TorturedHouse() as house:
        for trial in range(trials):
            point = ("gate.checked", "gate.written")[trial % 2]
            daemon = house.start(failpoints=f"{point}=stop@{dice.randint(1, 6)}")
            house.thaw(*SCOPES)
            house.feed(12, at=soon())
            daemon.wait_stopped()
            _replace(house.house.gate(EVERYBODY), (b"", b"0123456789abcdef")[trial // 2 % 2])
            for _ in range(2):  # and the second one knows no less than the first
                stop = house.freeze(drain=DRAIN)
                if stop.confirmed_at is None:
                    wrong = wrong or f"{point}: {stop.said[:400]}"
            daemon.send(signal.SIGCONT)
            time.sleep(0.3)
            _put_right(house)
            options.progress("gate-replaced-inside", trial + 1, trials)
        _publish_all(house)
        return Result.of("gate-replaced-inside", trials, house.judge(), worst=house.history.worst, wrong=wrong)


def _unless_held(house: TorturedHouse, deed: Deed) -> str:
    if deed.name in STILL_RIGHT:
        return ""
    time.sleep(0.4)  # for what was inside already
    before = len(house.arrivals())
    time.sleep(0.6)
    return f"{deed.name}: a post left all the same" if len(house.arrivals()) != before else ""


def _unless_answered(house: TorturedHouse, deed: Deed) -> str:
    stop = house.freeze(drain=DRAIN)
    if stop.code not in deed.codes or (stop.confirmed_at is None) != (stop.code == 10) or deed.says not in stop.said:
        return f"{deed.name}: {stop.code} {stop.said[:600]}"
    return ""


def _put_right(house: TorturedHouse) -> None:
    """Give the daemon clean files, as a reboot does."""
    assert house.daemon is not None
    house.daemon.kill()
    shutil.rmtree(house.house.runtime_dir)


def _publish_all(house: TorturedHouse) -> None:
    """Nothing was lost by all that."""
    house.start()
    house.thaw(*SCOPES)
    publish_all(house)
