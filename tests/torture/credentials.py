"""What only a systemd that is process 1 does for the units: it hands secrets over, and filters addresses.

In the tree of `booted.py`, with the rehearsal platform on its loopback: one token lies in a file of root's, one is
sealed to the machine. Then the daemon publishes at both accounts and the doctor finds both well; nobody on call reads
either token; and from the unit's control group, where all that it starts lives, nobody on the same wire is reached.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from tests.torture.booted import Booted

GUARDIAN, PYTHON = "/opt/guardian/bin/guardian", "/opt/guardian/bin/python"
UNITS = ("guardian.service", "guardian-doctor.service")
SECRETS, CONFIG = "etc/guardian/secrets", "etc/guardian/guardian.toml"
DROP_IN = f"""[Service]
LoadCredential=acme.token:/{SECRETS}/acme.token
LoadCredentialEncrypted=beta.token:/{SECRETS}/beta.token.cred
"""
ACCOUNT = """
[accounts.{name}]
platform = "mastodon"
brand    = "{name}"
base_url = "http://127.0.0.1:8473"
identity = "@{name}@127.0.0.1:8473"
secrets.token = "credential:{name}.token"
"""
NAMES = ("acme", "beta")
WELL = "accounts  secret, token, identity, delete: well\n"
WITHIN = 30.0
NEAR, HERE = "169.254.169.254", "127.0.0.1"  # where clouds keep their metadata; this machine
GROUP = "/sys/fs/cgroup/system.slice/guardian.service/cgroup.procs"
REACH = """
import socket, sys
with socket.create_server((sys.argv[1], 0)) as listens:
    if sys.argv[2]:
        open(sys.argv[2], "w").write("0")
    try:
        socket.create_connection(listens.getsockname(), timeout=2).close()
    except OSError as error:
        sys.exit(f"not reached: {error}")
"""


def handed_over(machine: Booted) -> str:
    """What is wrong with secrets and addresses under a systemd of their own; empty when nothing is."""
    config = (machine.tree / CONFIG).read_text("utf-8")
    try:
        wrong = _set_up(machine, config) or _published(machine) or _examined(machine)
        return wrong or _kept_to_itself(machine) or _walled(machine)
    finally:
        machine.run("systemctl", "stop", "rehearsal.service")
        (machine.tree / CONFIG).write_text(config, "utf-8")
        for unit in UNITS:
            machine.run("rm", "-r", f"/etc/systemd/system/{unit}.d")
        machine.run("rm", "-r", f"/{SECRETS}")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "guardian.service")


def _set_up(machine: Booted, config: str) -> str:
    """As docs/running.md says it, in the places of a real machine."""
    port = ("--port", "8473", *(word for name in NAMES for word in ("--account", name)))
    done = [machine.run("systemd-run", "--unit=rehearsal", PYTHON, "-m", "guardian.rehearsal", *port)]
    machine.run("install", "-d", "-m", "755", f"/{SECRETS}")
    for name in NAMES:
        place = machine.tree / SECRETS / f"{name}.token"
        place.write_text(f"rehearsal-{name}\n", "utf-8")
        place.chmod(0o600)  # root's, and nobody else's
    beta = f"/{SECRETS}/beta.token"
    sealing = ("systemd-creds", "encrypt", "--with-key=host", "--name=beta.token")
    done.append(machine.run(*sealing, beta, f"{beta}.cred"))
    (machine.tree / beta.strip("/")).unlink()
    for unit in UNITS:
        place = machine.tree / f"etc/systemd/system/{unit}.d"
        place.mkdir()
        (place / "secrets.conf").write_text(DROP_IN, "utf-8")
    accounts = "".join(ACCOUNT.format(name=name) for name in NAMES)
    (machine.tree / CONFIG).write_text(config + accounts, "utf-8")
    done += [machine.run("systemctl", "daemon-reload"), machine.run("systemctl", "restart", UNITS[0])]
    done.append(machine.run("guardian", "thaw", "--reason", "torture", "--yes"))
    failed = [one for one in done if one.returncode]
    return f"not set up: {failed[0].args[-3:]} {_said(failed[0])} {_log(machine, UNITS[0])}" if failed else ""


def _published(machine: Booted) -> str:
    """A post at each account is live: each token has reached the daemon."""
    for name in NAMES:
        done = machine.run("guardian", "queue", "add", "--account", name, "--at", "now", f"we are open, says {name}")
        if done.returncode:
            return f"not entered: {_said(done)}"
    until = time.monotonic() + WITHIN
    while True:
        rows = json.loads(machine.run("guardian", "queue", "list", "--json").stdout)["posts"]
        states = [row["state"] for row in rows]
        if states == ["published"] * len(NAMES):
            return ""
        if time.monotonic() > until:
            return f"not published with the tokens that systemd handed over: {states}"
        time.sleep(0.2)


def _examined(machine: Booted) -> str:
    """The doctor's own unit has them, too, and may ask the platform with them."""
    machine.run("systemctl", "start", UNITS[1])
    said = _log(machine, UNITS[1])
    return "" if WELL in said else f"the doctor does not find the accounts well: {said[-2000:]}"


def _kept_to_itself(machine: Booted) -> str:
    """Nobody on call reads them, where they lie and where they are handed over."""
    places = [f"/{SECRETS}/acme.token", *(f"/run/credentials/{UNITS[0]}/{name}.token" for name in NAMES)]
    for place in places:
        if machine.run("cat", place).returncode:
            return f"root does not read {place}: nothing is shown by that anna does not"
        done = machine.run("setpriv", "--reuid=anna", "--regid=anna", "--init-groups", "cat", place)
        if done.returncode == 0:
            return f"anna reads {place}"
    sealed = (machine.tree / SECRETS / "beta.token.cred").read_bytes()
    return "a sealed token lies open" if b"rehearsal-beta" in sealed else ""


def _walled(machine: Booted) -> str:
    """From the daemon's control group a link-local address is refused, this machine is not; from outside neither is."""
    machine.run("ip", "address", "add", f"{NEAR}/32", "dev", "lo")
    for address, group, reached in ((NEAR, "", True), (HERE, GROUP, True), (NEAR, GROUP, False)):
        done = machine.run(PYTHON, "-c", REACH, address, group)
        if (done.returncode == 0) != reached or "Traceback" in done.stderr:
            return f"{address} from {group or 'outside'}: {_said(done)}"
    return ""


def _log(machine: Booted, unit: str) -> str:
    return machine.run("journalctl", "--unit", unit, "--output=cat", "--no-pager", "--lines=60").stdout


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.returncode}: {(done.stdout + done.stderr)[-400:]}"
