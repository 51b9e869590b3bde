"""A house as packaging makes it, whose daemon and agent run in the cages of their own unit files."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from guardian.client import Client
from guardian.fence.house import House
from tests.torture.people import interpreter_for_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
MEMORY = "/dev/shm"  # noqa: S108 (a fresh directory is made in it)
WITHIN = 30.0
LISTS = frozenset({"SystemCallFilter", "ReadWritePaths", "LoadCredential"})
ALWAYS = "@default"  # systemd lets every list begin with it
CAGE = ("unshare", "--mount", "--ipc", "--propagation", "private")


def settings(unit: Path) -> dict[str, str]:
    """What stands under [Service]; lists in one line, with their tildes."""
    found: dict[str, str] = {}
    section = ""
    for line in unit.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif section == "Service" and (match := re.fullmatch(r"([A-Z]\w+)=(.*)", line)):
            before = f"{found[match[1]]}\n" if match[1] in LISTS and match[1] in found else ""
            found[match[1]] = before + match[2]
    return found


@functools.cache
def calls_of(name: str) -> frozenset[str]:
    """The system calls of one of systemd's sets, by systemd's own word."""
    words = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout
    found: set[str] = set()
    for line in map(str.strip, said.splitlines()[1:]):
        if line and not line.startswith("#"):
            found |= calls_of(line) if line.startswith("@") else {line}
    return frozenset(found)


def allowed(filters: str) -> list[str]:
    """The calls that SystemCallFilter= lets through; the first line says that it is a list of those allowed."""
    assert not filters.startswith("~")
    found = set(calls_of(ALWAYS))
    for line in filters.splitlines():
        named = frozenset[str]().union(
            *(calls_of(name) if name.startswith("@") else {name} for name in line.lstrip("~").split())
        )
        found = found - named if line.startswith("~") else found | named
    return sorted(found)


class Caged:
    """Use it in a `with`: what it started is ended, and its directory removed."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="caged-", dir=MEMORY))
        self.top.chmod(0o755)
        self.tree = self.top / "root"
        self._furnish()
        self.house = House(str(self.tree / "var/lib/guardian"), str(self.tree / "run/guardian"))
        self.log = self.top / "log"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(WITHIN)
        shutil.rmtree(self.top, ignore_errors=True)

    def _furnish(self) -> None:
        """User, groups and directories, by the files that packaging installs."""
        (self.tree / "etc").mkdir(parents=True)
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", self.tree / "etc" / name)
        for program, name in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles --create", "tmpfiles")):
            words = [*shlex.split(program), f"--root={self.tree}", str(ROOT / "config" / f"guardian.{name}")]
            subprocess.run(words, check=True, capture_output=True, timeout=30)
        for path in (self.tree, self.tree / "run", self.tree / "var", self.tree / "var/lib"):
            path.chmod(0o755)

    def id_of(self, name: str, kind: str = "group") -> int:
        """The number of a group, or of a user, of this house."""
        lines = (self.tree / "etc" / kind).read_text("utf-8").splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split(":")[2])

    def secret(self, name: str, value: str) -> str:
        """A secret as the manual has it stored; the path as the daemon sees it."""
        path = self.tree / "etc/guardian/secrets" / name
        path.write_text(value + "\n", "utf-8")
        path.chmod(0o600)
        os.chown(path, self.id_of("guardian", "passwd"), -1)
        return f"/etc/guardian/secrets/{name}"

    def configure(self, text: str) -> None:
        """Write the configuration, which names the directories by their usual names, as it does nowhere else."""
        (self.tree / "etc/guardian/guardian.toml").write_text(text, "utf-8")

    def words(self, unit: str, program: Sequence[str] | None = None) -> list[str]:
        """The command line that runs a unit's program, or another one, in the unit's cage."""
        found = settings(ROOT / "systemd" / unit)
        return [*CAGE, *(["--net"] if found.get("PrivateNetwork") == "yes" else []),
                sys.executable, "-m", "tests.system.cage", str(self._orders(unit, found, program))]  # fmt: skip

    def start(self, unit: str, *, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Begin a unit's program."""
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                self.words(unit), stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **(environment or {})}
            )
        self._processes.append(process)
        return process

    def listen(self, unit: str, *, group: int) -> None:
        """Have fence.sock answered by a unit's program, one process for each connection, as systemd does it."""
        path = Path(self.house.fence_socket)
        words = ["systemd-socket-activate", "--accept", "--listen", str(path), *self.words(unit)]
        with self.log.open("ab") as out:
            self._processes.append(subprocess.Popen(words, stdout=out, stderr=out, cwd=ROOT))
        until = time.monotonic() + WITHIN
        while not _listens(path):
            assert time.monotonic() < until, self.tail()
            time.sleep(0.02)
        os.chown(path, self.id_of("guardian", "passwd"), group)
        path.chmod(0o660)

    def run(self, unit: str, program: str) -> dict[str, Any]:
        """What a program of a few lines, which prints a document, finds in the unit's cage."""
        done = subprocess.run(
            self.words(unit, ["-c", program]), capture_output=True, text=True, cwd=ROOT, check=False, timeout=WITHIN
        )
        assert done.returncode == 0, done
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def client(self) -> Client:
        """Speaks to the daemon, from outside."""
        return Client(self.house, within=WITHIN)

    def tail(self) -> str:
        """The last words of all that ran here."""
        return self.log.read_text("utf-8", "replace")[-4000:] if self.log.exists() else ""

    def _orders(self, unit: str, found: dict[str, str], program: Sequence[str] | None) -> Path:
        python = interpreter_for_all()
        assert python is not None, "no interpreter that the service user could execute"
        packages = python.environment.get("PYTHONPATH") or sysconfig.get_paths()["purelib"]
        started = found["ExecStart"].split()
        module = {"guardian": "guardian", "guardian-fence-agent": "guardian.fence.agent"}[Path(started[0]).name]
        place = self.top / f"{unit}{'' if program is None else '.other'}.json"
        orders = {
            "unit": found,
            "calls": allowed(found["SystemCallFilter"]),
            "python": str(Path(python.path).resolve()),
            "words": list(program) if program is not None else ["-m", module, *started[1:]],
            "environment": {
                "PYTHONPATH": "/opt/tree:/opt/packages",
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                "LANG": "C.UTF-8",
            },
            "etc": str(self.tree / "etc"),
            "binds": {"/run/guardian": self.house.runtime_dir, "/var/lib/guardian": self.house.state_dir},
            "installed": {"/opt/tree": str(python.tree), "/opt/packages": packages},
            "uid": self.id_of(found["User"], "passwd"),
            "gid": self.id_of(found["Group"]),
            "groups": [],
        }
        place.write_text(json.dumps(orders), "utf-8")
        return place


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(str(path))
        except OSError:
            return False
        return True
