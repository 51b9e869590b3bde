"""A daemon and a fence agent as the installed units start them, and people with logins who ask them for everything."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = Path("/usr/local/lib/systemd/system")
CONTROL, FENCE = "/run/guardian/control.sock", "/run/guardian/fence.sock"
PYTHON = "/opt/guardian/bin/python"
WITHIN, LONGEST, GLANCE = 30.0, 120.0, 0.02
ASK = """
import json, socket, sys
path, calls = json.load(sys.stdin)
found = []
for method, target, body in calls:
    lines = (f"{method} {target} HTTP/1.1", "Host: g", "Connection: close", f"Content-Length: {len(body)}", "", body)
    answer = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        try:
            sock.connect(path)
        except OSError as error:
            found.append([0 if isinstance(error, PermissionError) else -1, ""])
            continue
        try:
            sock.sendall("\\r\\n".join(lines).encode())
            while chunk := sock.recv(65536):
                answer += chunk
        except ConnectionError:
            pass
    found.append([int(answer[9:12] or b"-1"), answer.partition(b"\\r\\n\\r\\n")[2].decode("utf-8", "replace")])
print(json.dumps(found))
"""


class Household:
    """Use it in a `with`, on a private host on which everything is installed."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._start(as_them("guardian", *started_by("guardian.service")))
        self._wait(lambda: as_root("GET", "/v1/status")[0] == 200)
        words = ["systemd-socket-activate", "--accept", "--listen", FENCE, *started_by("guardian-fence@.service")]
        self._start(["unshare", "--net", *as_them("guardian", *words)])
        self._wait(Path(FENCE).is_socket)
        wanted = settings("guardian-fence.socket")
        shutil.chown(FENCE, wanted["SocketUser"], wanted["SocketGroup"])
        Path(FENCE).chmod(int(wanted["SocketMode"], 8))
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(WITHIN)
            finally:
                process.kill()

    @property
    def pid(self) -> int:
        """The daemon's."""
        return self._running[0].pid

    def reload(self) -> None:
        """Have the daemon read its configuration again; returns when it has."""
        before = len(reloads())
        os.kill(self.pid, signal.SIGHUP)
        self._wait(lambda: len(reloads()) > before)

    def _start(self, words: Sequence[str]) -> None:
        with self.log.open("ab") as out:
            self._running.append(subprocess.Popen(words, stdout=out, stderr=out, cwd="/"))

    def _wait(self, come: Any) -> None:  # noqa: ANN401 (any question)
        until = time.monotonic() + WITHIN
        while True:
            try:
                if come():
                    return
            except OSError:
                pass
            if time.monotonic() > until or self._running[-1].poll() is not None:
                raise AssertionError(f"it did not come: {self.log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(GLANCE)


def settings(unit: str) -> dict[str, str]:
    """What an installed unit says."""
    return dict(re.findall(r"^([A-Z]\w+)=(.*)$", (UNITS / unit).read_text("utf-8"), re.MULTILINE))


def started_by(unit: str) -> list[str]:
    """The command of an installed unit."""
    return settings(unit)["ExecStart"].split()


def as_them(name: str, *words: str) -> list[str]:
    """A command run as a user with a login, in the groups that the system says."""
    login = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={login.pw_uid}", f"--regid={login.pw_gid}", "--init-groups", "--no-new-privs", *words]


def as_number(uid: int, groups: Sequence[int], *words: str) -> list[str]:
    """A command run as a number that no login has."""
    listed = ",".join(map(str, groups))
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", f"--groups={listed}", "--no-new-privs", *words]


def asked(become: Sequence[str], path: str, calls: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """What each call is answered with to this person; 0 where there was not even a connection."""
    done = subprocess.run(
        [*become, PYTHON, "-I", "-c", ASK],
        input=json.dumps([path, calls]), capture_output=True, text=True, timeout=LONGEST, check=True, cwd="/",
    )  # fmt: skip
    return [(status, body) for status, body in json.loads(done.stdout)]


def as_root(method: str, target: str, body: str = "") -> tuple[int, Any]:
    """One request by root, and the document."""
    ((status, answer),) = asked([], CONTROL, [(method, target, body)])
    return status, json.loads(answer) if answer else None


def reloads() -> list[Any]:
    """The reloads that the journal knows."""
    found = as_root("GET", "/v1/journal?limit=1000")[1]
    return [one for one in found["entries"] if one["kind"] == "reloaded"]
