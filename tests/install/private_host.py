"""One process's own host: this kernel and its programs, with private /etc, /var, /opt, /usr/local, /run and /tmp.

Run as root under `unshare --mount`: what is written there goes into memory and ends with the process. So the program
is installed where people install it, and systemd-sysusers, useradd and the sockets work in the places they always do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = ("/etc", "/var", "/opt", "/usr/local")
PROGRAM = Path("/opt/guardian")
SCRIPT = "#!{python}\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
SCRIPTS = {"guardian": "guardian.__main__", "guardian-fence-agent": "guardian.fence.agent"}
LONGEST = 60.0
TEMPORARY = Path("/tmp")  # noqa: S108 (to be covered)


class PrivateHost:
    """The private places, and what was written into them."""

    def __init__(self) -> None:
        self.memory = Path("/mnt")  # covered for this process alone
        mount("-t", "tmpfs", "-o", "mode=0755", "none", str(self.memory))
        _let_others_reach([Path(sys.base_prefix), Path(sys.prefix), ROOT], self.memory / "kept")
        self.written = {place: self._cover(place) for place in PRIVATE}
        mount("-t", "tmpfs", "-o", "mode=0755", "none", "/run")
        for place in ("/etc/guardian", "/var/lib/guardian", str(PROGRAM)):
            shutil.rmtree(place, ignore_errors=True)  # of this machine's own guardian, if it has one: only hidden

    def _cover(self, place: str) -> Path:
        upper, work = (self.memory / kind / place.strip("/").replace("/", "-") for kind in ("upper", "work"))
        for path in (upper, work):
            path.mkdir(parents=True)
        upper.chmod(Path(place).stat().st_mode & 0o7777)
        mount("-t", "overlay", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", place)
        return upper

    def snapshot(self) -> dict[str, str]:
        """Every path that was written, made or changed in the private places, and what it is."""
        found: dict[str, str] = {}
        for place, upper in {**self.written, "/run": Path("/run")}.items():
            for path in sorted(upper.rglob("*")):
                inside = f"{place}/{path.relative_to(upper)}"
                if not inside.startswith(f"{PROGRAM}"):
                    found[inside] = what_it_is(path)
        return found


def what_it_is(path: Path) -> str:
    """Kind, mode, owner, content and time of change: equal only if nothing touched it."""
    seen = path.lstat()
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if stat.S_ISREG(seen.st_mode) else ""
    when = 0 if stat.S_ISDIR(seen.st_mode) else seen.st_mtime_ns
    return f"{stat.filemode(seen.st_mode)} {seen.st_uid}:{seen.st_gid} {content} {when}"


def mount(*words: str) -> None:
    """One mount, in this process's own namespace."""
    subprocess.run(["mount", *words], check=True, capture_output=True, timeout=LONGEST)


def _let_others_reach(needed: list[Path], stash: Path) -> None:
    """Lay an open directory over each closed one on the way, with the needed ones in it: an interpreter in /root.

    So it is done with /tmp in any case: what is thrown away or cleaned there must never be another's.
    """
    behind: dict[Path, list[Path]] = {TEMPORARY: []}
    found = {one.resolve() for one in needed}
    for path in (one for one in found if not found & set(one.parents)):  # an environment in the tree comes with it
        closed = next((one for one in reversed(path.parents) if one == TEMPORARY or not is_open(one)), None)
        if closed is not None:
            behind.setdefault(closed, []).append(path)
    for place, closed in enumerate(behind):
        for number, path in enumerate(behind[closed]):
            kept = stash / f"{place}-{number}"
            kept.mkdir(parents=True)
            mount("--bind", str(path), str(kept))
        mount("-t", "tmpfs", "-o", "mode=0755", "none", str(closed))
        for number, path in enumerate(behind[closed]):
            path.mkdir(parents=True)
            mount("--bind", str(stash / f"{place}-{number}"), str(path))


def is_open(path: Path) -> bool:
    """Whether others may pass through."""
    return bool(path.stat().st_mode & stat.S_IXOTH)


def install_the_program(memory: Path) -> Path:
    """Lay what a wheel of this tree holds into /opt/guardian, as `python3 -m venv` and pip would; its bin directory."""
    built = build(memory / "built")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(PROGRAM)], check=True, timeout=LONGEST)
    python = PROGRAM / "bin" / "python"
    packages = next((PROGRAM / "lib").glob("python*/site-packages"))
    shutil.copytree(built, packages, dirs_exist_ok=True)
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    for name, module in SCRIPTS.items():
        script = PROGRAM / "bin" / name
        script.write_text(SCRIPT.format(python=python, module=module), "utf-8")
        script.chmod(0o755)
    return PROGRAM / "bin"


def build(place: Path) -> Path:
    """What setuptools puts into a wheel: the packages with their data, built from a copy of this tree."""
    source, lib = place / "source", place / "lib"
    source.mkdir(parents=True)
    for name in ("guardian", "adapters", "systemd", "config"):
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", source)
    (source / "README.md").write_text("Guardian\n", "utf-8")  # ours shows a token, as nothing that tests write may
    program = "import setuptools; setuptools.setup()"
    words = ["-q", "egg_info", "--egg-base", str(place), "build_py", "--build-lib", str(lib)]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *words],
        cwd=source, check=True, timeout=LONGEST, capture_output=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    return lib
