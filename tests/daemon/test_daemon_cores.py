"""A daemon that dies of anything leaves no memory on the disk; the fence still finds it and ends it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from guardian.daemon import cores
from tests.torture.people import interpreter_for_all

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
DIE = "import os, signal, resource\nresource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\n{off}\nos.kill(os.getpid(), 6)"
OFF = "from guardian.daemon import cores\ncores.off()"
WAIT = f"import sys\n{OFF}\nprint('ready', flush=True)\nsys.stdin.read()"
LOOK = """
import os, signal, sys
from guardian.fence.processes import Watch, is_dying, is_stopped
pid = int(sys.argv[1])
closed = []
for name in ("mem", "environ", "maps", "fd/0"):
    try:
        os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except PermissionError:
        closed.append(name)
print(" ".join(closed))
os.kill(pid, signal.SIGSTOP)
watch = Watch()
watch.add(pid)
print(is_dying(pid), watch.dying() == [], is_stopped(pid) in (True, False))
print(repr(watch.kill(pid)), watch.wait_gone(pid, __import__("time").monotonic() + 10))
"""


def test_an_abort_leaves_no_core(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY and os.geteuid() != 0:
        pytest.skip("this user may have no cores at all")

    def dies(off: str) -> int:
        program = [sys.executable, "-c", DIE.format(off=off)]
        with subprocess.Popen(program, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}) as child:
            return os.waitpid(child.pid, 0)[1]

    without = dies("pass")
    left = list(tmp_path.iterdir())
    for core in left:
        core.unlink()
    if not os.WCOREDUMP(without) and not left:
        pytest.skip("this machine leaves no cores anyway")
    ended = dies(OFF)
    assert os.WTERMSIG(ended) == 6
    assert not os.WCOREDUMP(ended)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_nobody_of_the_same_user_reads_its_memory_and_the_fence_still_ends_it() -> None:
    python = interpreter_for_all()
    assert python is not None
    with subprocess.Popen(
        [python.path, "-c", WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=python.tree, user=NOBODY,
        group=NOBODY, extra_groups=[], env={**os.environ, **python.environment},
    ) as daemon:  # fmt: skip
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"ready\n"
        done = subprocess.run(
            [python.path, "-c", LOOK, str(daemon.pid)], capture_output=True, text=True, check=False, timeout=30,
            cwd=python.tree, user=NOBODY, group=NOBODY, extra_groups=[], env={**os.environ, **python.environment},
        )  # fmt: skip
        daemon.kill()
    assert done.stdout.splitlines() == ["mem environ maps fd/0", "False True True", "'' True"], done.stderr


@pytest.mark.parametrize(
    ("options", "hides"),
    [("rw", False), ("rw,hidepid=invisible", True), ("rw,hidepid=2,gid=5", True), ("rw,hidepid=off", False)],
)
def test_where_proc_hides_what_nobody_may_trace_the_fence_must_see_it_all_the_same(
    tmp_path: Path, options: str, hides: bool
) -> None:
    """The agent runs under ProtectProc=invisible: a daemon that it cannot see it would call dying for ever."""
    mounts = tmp_path / "mountinfo"
    lines = (
        "21 1 0:19 / /proc rw - proc proc rw",
        f"30 1 0:33 / /proc rw - proc proc {options}",
        "9 1 0:2 / /x rw - x x rw",
    )
    mounts.write_text("\n".join(lines))
    assert cores.proc_hides(str(mounts)) is hides
    assert cores.proc_hides(str(tmp_path / "nothing"))


def test_the_daemon_turns_them_off_before_it_reads_a_secret() -> None:
    """In its own words: the first line of its life."""
    source = (ROOT / "guardian/daemon/program.py").read_text("utf-8")
    begin = source.index("def main(")
    assert source.index("cores.off()", begin) < source.index("_settings(words", begin)
