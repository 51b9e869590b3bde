"""Row `control-attacked`: everything that peers can do to the control socket, and freezes through it all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from guardian.errors import Doubt
from tests.torture import doors
from tests.torture.daemon import NotInTimeError
from tests.torture.house import SCOPES, TorturedHouse
from tests.torture.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.torture.results import Options

ATTACKERS = Path(__file__).with_name("attackers.py")
GROUP = 60  # "games" on Debian: a group of which attackers are members, and which may read and freeze
RIGHTS = '[rights]\nread = ["games"]\nfreeze = ["games"]\noperate = []\ntakedown = []\n'
USERS = (12345, 12346)
ANSWERED_WITHIN = 10_000.0  # ms: the drain, and a machine that is busy with attackers
MOST_MEMORY = 400 << 20
PATIENCE = 60.0


class Attack:
    """Two attackers for so many seconds, as users of their own where that can be. Use it in a `with`."""

    def __init__(self, house: TorturedHouse, seconds: float, seed: int) -> None:
        words = [sys.executable, str(ATTACKERS), house.house.socket, str(seconds), str(seed)]
        self.words = [[*words, str(uid), str(GROUP)] if os.geteuid() == 0 else words for uid in USERS]
        self.calls = 0
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        self._running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for words in self.words]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            try:
                said, _rest = process.communicate(timeout=PATIENCE)
                self.calls += int(said.split()[0]) if said else 0
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def control_attacked(options: Options) -> Result:
    """Freezes by the socket and by the command are CONFIRMED in time, memory stays bounded, 0 late."""
    trials, wrong = options.times(40, 6), ""
    with TorturedHouse(config=RIGHTS) as house:
        daemon = house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        house.feed(options.times(400, 120), over=options.times(60, 10))
        slowest, attack = 0.0, Attack(house, options.times(60, 10), options.seed)
        with attack:
            time.sleep(0.5)
            for trial in range(trials):
                stop = house.freeze(SCOPES[trial % len(SCOPES)], door=(doors.by_socket, doors.by_command)[trial % 2])
                slowest = max(slowest, stop.milliseconds)
                if stop.confirmed_at is None or stop.killed or stop.milliseconds > ANSWERED_WITHIN:
                    wrong = wrong or f"{stop.door}, {stop.milliseconds:.0f} ms: {stop.code} {stop.said[:300]}"
                time.sleep(0.1)
                patiently(lambda: house.thaw(*SCOPES))
        memory = _most_memory(daemon.pid)
        wrong = wrong or ("" if memory < MOST_MEMORY else f"the daemon took {memory >> 20} MiB")
        log = daemon.log.read_text("utf-8", "replace")
        wrong = wrong or ("" if "Traceback" not in log else log[log.index("Traceback") - 300 :][:1500])
        patiently(lambda: house.thaw(*SCOPES))
        patiently(house.release)
        house.wait_all(within=120)
        note = f"{attack.calls} attacks, {memory >> 20} MiB, answered within {slowest:.0f} ms"
        worst = house.history.worst
        return Result.of("control-attacked", trials, house.judge(), worst=worst, wrong=wrong, note=note)


def patiently(ask: Callable[[], object]) -> None:
    """Ask again while the socket is too busy for anything but freezes."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            ask()
        except Doubt:
            time.sleep(0.05)
        else:
            return
    raise NotInTimeError("nothing but freezes was answered for a minute")


def _most_memory(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024
