"""The fence agent as systemd starts it: `systemd-socket-activate` accepts on fence.sock, without network."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.torture.daemon import NotInTimeError
from tests.torture.people import interpreter_for_all, ours

if TYPE_CHECKING:
    from guardian.fence.house import House

LISTENS_WITHIN = 20.0
END_WITHIN = 10.0
HAS_SYSTEMD = shutil.which("systemd-socket-activate") is not None


class AgentSocket:
    """Used in a `with`. `uid` is the service user's; with it (as root) the network is taken away, too."""

    def __init__(self, house: House, config: Path, log: Path, *, uid: int | None = None, group: int = -1) -> None:
        self.path = Path(house.fence_socket)
        words = ["systemd-socket-activate", "--accept", "--listen", str(self.path)]
        python = ours() if uid is None else interpreter_for_all()
        assert python is not None, "no interpreter that the service user could execute"
        words += [python.path, "-m", "guardian.fence.agent", "--config", str(config)]
        if uid is not None:
            as_them = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs"]
            words = ["unshare", "--net", *as_them, *words]
        with log.open("ab") as out:
            self._process = subprocess.Popen(words, stdout=out, stderr=out, cwd=python.tree)
        self._wait_until_it_listens(log)
        os.chown(self.path, -1, group)
        self.path.chmod(0o660)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(END_WITHIN)
        self.path.unlink(missing_ok=True)

    @property
    def pid(self) -> int:
        """The process that listens."""
        return self._process.pid

    def _wait_until_it_listens(self, log: Path) -> None:
        until = time.monotonic() + LISTENS_WITHIN
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if self.path.exists() and _listens(self.path):
                return
            time.sleep(0.01)
        raise NotInTimeError(f"the agent's socket did not come: {log.read_text('utf-8', 'replace')[-500:]}")


def _listens(path: Path) -> bool:
    """Whether a connection is taken; the agent started for it sees its caller leave."""
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True
