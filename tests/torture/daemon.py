"""The guardian's daemon as a process: started with failpoints, waited for, stopped and killed by its pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.client import Client
from guardian.errors import GuardianError
from tests.torture.people import interpreter_for_all, ours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.fence.house import House

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30.0
END_WITHIN = 25.0
GLANCE = 0.01
RUN = ("-m", "guardian")


class NotInTimeError(AssertionError):
    """The torture waited for something that did not come: the row does not hold."""


class DaemonProcess:
    """One life of the daemon."""

    def __init__(
        self,
        house: House,
        config: Path,
        log: Path,
        *,
        failpoints: str = "",
        program: Sequence[str] = RUN,
        environment: Mapping[str, str] | None = None,
        uid: int | None = None,
        groups: Sequence[int] = (),
    ) -> None:
        self.house = house
        self.log = log
        settled = {key: value for key, value in os.environ.items() if key != "GUARDIAN_FAILPOINTS"}
        settled |= {"GUARDIAN_FAILPOINTS": failpoints} if failpoints else {}
        python = ours() if uid is None else interpreter_for_all()
        assert python is not None, "no interpreter that the service user could execute"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [python.path, *program, "--config", str(config), "run"],
                stdout=out,
                stderr=out,
                cwd=python.tree,
                env={**settled, **(environment or {}), **python.environment},
                user=uid,
                group=uid,
                extra_groups=None if uid is None else list(groups),
            )

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def wait_ready(self) -> None:
        """Until it answers on its socket."""
        until = time.monotonic() + READY_WITHIN
        client = Client(self.house, within=READY_WITHIN)
        while time.monotonic() < until:
            try:
                client.get("/v1/status")
            except (GuardianError, OSError):
                if self.process.poll() is not None:
                    raise NotInTimeError(f"the daemon ended with {self.process.returncode}: {self.tail()}") from None
                time.sleep(GLANCE)
            else:
                return
        raise NotInTimeError(f"the daemon did not become ready: {self.tail()}")

    def state(self) -> str:
        """The letter of the kernel: T is stopped; empty when it is gone."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        except OSError:
            return ""
        return stat.rpartition(b")")[2].split()[0].decode()

    def wait_stopped(self, within: float = 20.0) -> None:
        """Until it is stopped at its failpoint."""
        self._until(lambda: self.state() == "T", within, "was not stopped")

    def wait_dead(self, within: float = END_WITHIN) -> int:
        """Until it has ended; how."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise NotInTimeError(f"the daemon did not end: {self.tail()}") from None

    def send(self, *signals: signal.Signals) -> None:
        """Signals, in order; to a daemon that is gone already, none."""
        for one in signals:
            self.process.send_signal(one)

    def resume(self) -> None:
        """Let a stopped one go on, if it is still there."""
        self.send(signal.SIGCONT)

    def terminate(self) -> int:
        """A clean stop, as systemd does it; its exit code."""
        self.send(signal.SIGTERM, signal.SIGCONT)
        return self.wait_dead()

    def kill(self) -> int:
        """The end, at once."""
        self.send(signal.SIGKILL)
        return self.wait_dead()

    def tail(self) -> str:
        """The last words of its log."""
        return self.log.read_text("utf-8", "replace")[-1500:] if self.log.exists() else ""

    def _until(self, come: object, within: float, complaint: str) -> None:
        until = time.monotonic() + within
        while not come():  # type: ignore[operator]
            if time.monotonic() > until:
                raise NotInTimeError(f"the daemon {complaint} (state {self.state()!r}): {self.tail()}")
            time.sleep(GLANCE)
