"""Whether systemd runs this host, and what belongs to it there."""

from __future__ import annotations

from pathlib import Path

from guardian.install.tree import program

RUNNING = Path("/run/systemd/system")  # as sd_booted(3) has it
UNIT = "/guardian.service"


def manages() -> bool:
    """Whether systemd is the init of this host, and can be told something."""
    return RUNNING.is_dir() and program("systemctl") is not None


def is_started_by_it(pid: int | None) -> bool:
    """Whether this process is that of guardian.service; so is no process at all."""
    if pid is None:
        return True
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text("utf-8")
    except OSError:
        return False
    return any(line.endswith(UNIT) for line in groups.splitlines())
