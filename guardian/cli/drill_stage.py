"""The drill's stage: a house of its own beside the real one, with its own daemon, accounts and platform.

On the same file systems, under the same user, with the same programs as the real house, and with none of its accounts:
the only ones that its configuration names are those of the rehearsal platform. Everything dies with the drill.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from guardian.cli import drill_tidying
from guardian.cli.demo_stage import ACCOUNT, Platform, Stage
from guardian.fence.house import House
from guardian.fence.scopes import make_passable, make_private

NAMES = ("drill-news", "drill-shop")
CONFIG = """\
state_dir   = "{state}/state"
runtime_dir = "{run}"

[rights]
{rights}
[reconcile]
looks = 3
over = "2s"
"""
PR_SET_PDEATHSIG = 1


class DrillStage(Stage):
    """Use it in a `with`, under the lock of the drills."""

    def __init__(self, real: House, lock: int, rights: Sequence[tuple[str, Sequence[str]]]) -> None:
        state, run = drill_tidying.places(real)
        super().__init__(Path(state))
        self.real = real
        self.run = Path(run)
        self.house = House(f"{state}/state", run)
        self.config = self.run / "guardian.toml"  # where everybody who may stop can read it
        self._lock = lock
        self._rights = rights
        owner = os.stat(real.state_dir)  # noqa: PTH116 (the fence speaks in plain paths)
        self.starting = {"preexec_fn": _die_with_the_drill}
        if os.geteuid() == 0 and owner.st_uid != 0:
            self.starting |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}

    def __enter__(self) -> Self:
        self._tidier = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-m", "guardian.cli.drill_tidying", *self.real],
            stdin=subprocess.PIPE,
            pass_fds=(self._lock,),
            start_new_session=True,
        )
        make_private(str(self.directory))
        make_passable(str(self.run))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        super().__exit__(kind, error, at)
        self._tidier.communicate(drill_tidying.DONE, timeout=10)

    def clear(self) -> None:
        """Take both directories away."""
        drill_tidying.tidy(self.real)

    def platform(self) -> Platform:
        """Start the rehearsal platform with the drill's accounts."""
        return self._platform(NAMES)

    def write(self, platform: Platform) -> None:
        """The configuration, and a token for each account."""
        names = {"directory": self.directory, "url": platform.url, "place": platform.place}
        for name in NAMES:
            token = self.directory / f"{name}.token"
            token.touch(0o600)
            token.write_text(f"rehearsal-{name}\n")
            self._give(token)
        lines = "".join(f"{right} = [{', '.join(map(_quoted, groups))}]\n" for right, groups in self._rights)
        text = CONFIG.format(state=self.directory, run=self.run, rights=lines)
        self.config.write_text(text + "".join(ACCOUNT.format(name=name, **names) for name in NAMES))
        self.config.chmod(0o644)
        self._give(self.config)

    def _give(self, path: Path) -> None:
        """What root writes is the service user's."""
        if "user" in self.starting:
            os.chown(path, self.starting["user"], self.starting["group"])


def _quoted(group: str) -> str:
    return '"' + group.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _die_with_the_drill() -> None:
    """In the child: the kernel ends it when the drill ends, however that comes."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
