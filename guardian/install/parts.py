"""The files that an installation lays down: units, and what systemd-sysusers and systemd-tmpfiles read.

They go below /usr/local/lib, where systemd looks for what the administrator installs: /etc/systemd/system stays the
person's own, for drop-ins (`systemctl edit`), for a whole unit in place of ours, and for masks.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import NamedTuple

from guardian.install import sealed

UNITS = "/usr/local/lib/systemd/system"
SYSUSERS = "/usr/local/lib/sysusers.d/guardian.conf"
TMPFILES = "/usr/local/lib/tmpfiles.d/guardian.conf"
THEIR_UNITS = "/etc/systemd/system"
COMMAND = "/usr/local/bin/guardian"  # what people type, also after sudo
CONFIG = "/etc/guardian/guardian.toml"
TO_ENABLE = ("guardian-fence.socket", "guardian.service", "guardian-doctor.timer")
ON_THE_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
STARTS = re.compile(r"^ExecStart=(\S+)/guardian", re.MULTILINE)
PROGRAM = re.compile(r"^(Exec\w+=[-@:+!|]*)/usr/local/bin/(?=guardian)", re.MULTILINE)


class Part(NamedTuple):
    """One file: where it belongs, and what stands in it, our last line included."""

    path: str
    text: str


def units(programs: str) -> tuple[Part, ...]:
    """The units, which start the programs that lie in the directory `programs`."""
    found = sorted(_carried("systemd").iterdir(), key=lambda one: one.name)
    return tuple(
        Part(f"{UNITS}/{one.name}", sealed.seal(PROGRAM.sub(rf"\1{programs}/", one.read_text("utf-8"))))
        for one in found
        if one.name.startswith("guardian") and one.is_file()
    )


def sysusers() -> Part:
    """Who runs it, and who may do what."""
    return Part(SYSUSERS, sealed.seal(_carried("config").joinpath("guardian.sysusers").read_text("utf-8")))


def tmpfiles() -> Part:
    """Where it lives, made anew at every boot as far as it is memory."""
    return Part(TMPFILES, sealed.seal(_carried("config").joinpath("guardian.tmpfiles").read_text("utf-8")))


def names() -> tuple[str, ...]:
    """The names of the units."""
    return tuple(part.path.rpartition("/")[2] for part in units(""))


def command_of(unit: str) -> str | None:
    """The command that lies beside the program which this text of a unit starts."""
    found = STARTS.search(unit)
    return f"{found[1]}/guardian" if found else None


def _carried(folder: str) -> resources.abc.Traversable:
    return resources.files("guardian").joinpath("install", folder)
