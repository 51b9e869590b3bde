"""A whole Debian of its own: a tree made by debootstrap, in which systemd runs as process 1, and nothing of the host.

Its root, /dev, /run, /tmp, processes, network, users, groups are its own: systemd empties its /tmp at the boot.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.install.private_host import SCRIPT, SCRIPTS, build
from tests.torture.daemon import NotInTimeError
from tests.torture.results import NotRunError

INCLUDED = "systemd,systemd-sysv,dbus,python3,iproute2"
MADE_WITHIN, BOOTED_WITHIN, DONE_WITHIN = 900.0, 60.0, 200.0
PROGRAM = "/opt/guardian"
BOOT = """
set -e
echo $$ > "$GROUP/cgroup.procs"
exec unshare --mount --pid --fork --cgroup --uts --ipc --net --propagation private --kill-child sh -e -c '
    mount --bind "$TREE" "$TREE"
    cd "$TREE"
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 none sys/fs/cgroup
    for place in run tmp dev; do mount -t tmpfs -o mode=0755 none $place; done
    set -- null 3 zero 5 full 7 random 8 urandom 9
    while [ $# -gt 0 ]; do mknod -m 0666 dev/$1 c 1 $2; shift 2; done
    mknod -m 0666 dev/tty c 5 0
    ln -s pts/ptmx dev/ptmx
    mkdir -m 1777 dev/shm dev/mqueue dev/hugepages dev/pts
    mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
    mount -t mqueue mqueue dev/mqueue
    mount --bind -o ro "$PACKAGES" opt/packages
    before=$(stat -c %d:%i /tmp)
    mkdir -p before
    pivot_root . before
    umount -l /before
    mount --make-rshared /  # within this tree; systemd does it itself where no container is: credentials are moved so
    test "$(stat -c %d:%i /tmp)" != "$before"  # what is emptied at the boot is never the host of this tree
    exec env -i container=private PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null
'
"""


def missing() -> str:
    """What this machine or this user lacks; empty when nothing."""
    if os.geteuid() != 0:
        return "needs root, to boot a tree"
    if shutil.which("debootstrap") is None:
        return "needs debootstrap, and a mirror of Debian"
    if _groups() is None:
        return "needs control groups of version 2"
    return "" if sys.version_info[:2] == (3, 11) else "needs Python 3.11, as Debian 12 has it"


class Booted:
    """Use it in a `with`: the tree is made, the program installed, systemd started; all of it goes at the end."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="torture-booted-", dir="/var/tmp"))
        self.tree = self.directory / "tree"
        self._log = self.directory / "boot.log"
        self._process: subprocess.Popen[bytes] | None = None
        groups = _groups()
        assert groups is not None
        self._group = groups / self.directory.name

    def __enter__(self) -> Self:
        try:
            self._make()
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()  # its child, which is process 1 in there, goes with it, and so does everything inside
            self._process.wait(DONE_WITHIN)
        for group in sorted(self._group.rglob("*"), reverse=True):
            if group.is_dir():
                _remove_when_empty(group)
        _remove_when_empty(self._group)
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command inside, by root."""
        inside = ["nsenter", "--target", str(self._pid()), "--all", "--root", "--wdns=/"]
        return subprocess.run(
            [*inside, *words],
            capture_output=True,
            text=True,
            timeout=DONE_WITHIN,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def paths(self) -> set[str]:
        """Everything in the tree that has to do with us, and all that an administrator may have."""
        found = [path for part in ("etc", "usr/local", "var/lib") for path in (self.tree / part).rglob("*")]
        return {str(path.relative_to(self.tree)) for path in found}

    def _make(self) -> None:
        words = ["debootstrap", "--variant=minbase", f"--include={INCLUDED}", "bookworm", str(self.tree)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=MADE_WITHIN, check=False)
        except subprocess.TimeoutExpired:
            raise NotRunError("needs a mirror of Debian that answers") from None
        if done.returncode:
            raise NotRunError(f"needs a mirror of Debian: {(done.stdout + done.stderr)[-200:].strip()}")
        (self.tree / "opt/packages").mkdir(parents=True)
        built = build(self.directory / "built")
        subprocess.run(["chroot", str(self.tree), "python3", "-m", "venv", "--without-pip", PROGRAM], check=True)
        program = self.tree / PROGRAM.strip("/")
        packages = next((program / "lib").glob("python*/site-packages"))
        shutil.copytree(built, packages, dirs_exist_ok=True)
        (packages / "dependencies.pth").write_text("/opt/packages\n", "utf-8")
        for name, module in SCRIPTS.items():
            script = program / "bin" / name
            script.write_text(SCRIPT.format(python=f"{PROGRAM}/bin/python", module=module), "utf-8")
            script.chmod(0o755)

    def _boot(self) -> None:
        self._group.mkdir()
        given = {"TREE": self.tree, "GROUP": self._group, "PACKAGES": sysconfig.get_path("purelib")}
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                ["sh", "-c", BOOT], stdout=out, stderr=out, env={**os.environ, **{k: str(v) for k, v in given.items()}}
            )
        until = time.monotonic() + BOOTED_WITHIN
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError, subprocess.SubprocessError, IndexError):
                if self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                    return
            time.sleep(0.2)
        raise NotInTimeError(f"the tree did not boot: {self._log.read_text('utf-8', 'replace')[-500:]}")

    def _pid(self) -> int:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii")
        return int(children.split()[0])


def _groups() -> Path | None:
    """Where control groups of version 2 are mounted."""
    rows = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    return next((Path(row[1]) for row in rows if row[2] == "cgroup2"), None)


def _remove_when_empty(group: Path) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
