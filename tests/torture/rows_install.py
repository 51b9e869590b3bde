"""Row `installed-booted`: on a Debian of its own that systemd runs, installed, started, used and taken off again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.torture import booted
from tests.torture.booted import Booted
from tests.torture.credentials import handed_over
from tests.torture.oracle import Findings
from tests.torture.results import NotRunError, Result

if TYPE_CHECKING:
    import subprocess

    from tests.torture.results import Options

GUARDIAN = "/opt/guardian/bin/guardian"
ALL = ("guardian-fence.socket", "guardian.service", "guardian-doctor.timer")
FROZEN, FED_WITHIN = 20, 60.0
AS_ANNA = ("setpriv", "--reuid=anna", "--regid=anna", "--init-groups", "guardian")
NAMED = ("var/lib/guardian", "etc/guardian")
TOOLS = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/subuid", "etc/subgid", "etc/.pwd.lock")
HOST_KEY = "var/lib/systemd/credential.secret"  # systemd-creds makes it once for a machine


def installed_booted(options: Options) -> Result:
    """A member of the group freezes through the units as they are, also a daemon that hangs; and nothing is left.

    Once, systemd hands the tokens over to daemon and doctor, sealed and not, and keeps the daemon from link-local ones.
    """
    why = booted.missing()
    if why:
        raise NotRunError(why)
    trials, wrong = options.times(3, 1), ""
    with Booted() as machine:
        before = machine.paths()
        for trial in range(trials):
            wrong = wrong or _one(machine, first=trial == 0)
            left = machine.paths() - before
            strange = {path for path in left if not path.startswith((*NAMED, *TOOLS, HOST_KEY))}
            wrong = wrong or ("" if not strange else f"left behind: {sorted(strange)[:5]}")
            options.progress("installed-booted", trial + 1, trials)
    return Result.of("installed-booted", trials, Findings(), wrong=wrong)


def _one(machine: Booted, *, first: bool) -> str:
    """What is wrong with one life of an installation; empty when nothing is."""
    done = machine.run(GUARDIAN, "init", "--system", "--start")
    if done.returncode:
        return f"not installed: {_said(done)}"
    if first:
        machine.run("useradd", "--groups", "guardian", "anna")
    running = machine.run("systemctl", "is-active", *ALL).stdout.split()
    if running != ["active"] * len(ALL):
        return f"not running: {running}"
    again = machine.run(GUARDIAN, "init", "--system", "--json")
    if json.loads(again.stdout)["steps"]:
        return f"a second time it did something: {_said(again)}"
    wrong = _stopped_by_anna(machine) or (handed_over(machine) if first else "")
    undone = machine.run("guardian", "init", "--system", "--undo")
    known = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "guardian*").stdout
    if undone.returncode or known:
        wrong = wrong or f"not undone: {_said(undone)}; systemd knows {known}"
    return wrong


def _stopped_by_anna(machine: Booted) -> str:
    """Somebody on call stops a daemon that runs, then one that hangs; that one is started again, and is frozen."""
    for hangs in (False, True):
        machine.run("guardian", "thaw", "--reason", "torture", "--yes")
        if hangs:
            machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "guardian.service")
        done = machine.run(*AS_ANNA, "freeze", "--json", "--drain", "0.5", "a", "bad", "joke")
        document = json.loads(done.stdout or "{}")
        if (document.get("confirmed"), document.get("door"), done.returncode) != (True, "agent", 0):
            return f"anna's freeze (the daemon hangs: {hangs}) was not confirmed: {_said(done)}"
        seen = machine.run("guardian", "status")
        if seen.returncode != FROZEN:
            return f"it does not look frozen: {_said(seen)}"
    until = time.monotonic() + FED_WITHIN  # the supervisor finds that nobody feeds its watchdog, and starts it again
    while (seen := machine.run(*AS_ANNA, "status")).returncode != FROZEN:
        if time.monotonic() > until:
            return f"the daemon that hung was not started again: {_said(seen)}"
        time.sleep(0.5)
    refused = machine.run(*AS_ANNA, "thaw", "--reason", "torture", "--yes")
    return "" if refused.returncode else f"anna could thaw: {_said(refused)}"


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.returncode}: {(done.stdout + done.stderr)[-400:]}"
