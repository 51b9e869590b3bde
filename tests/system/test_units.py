"""The units in systemd/: well-formed, hardened as measured, and free of the traps that we know."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from guardian.daemon import program
from guardian.duties import picturing
from guardian.fence.house import House

UNITS = Path(__file__).resolve().parents[2] / "systemd"
CONFIG = UNITS.parent / "config"
SOCKET, AGENT = UNITS / "guardian-fence.socket", UNITS / "guardian-fence@.service"
DAEMON, DOCTOR, TIMER = (UNITS / f"guardian{name}" for name in (".service", "-doctor.service", "-doctor.timer"))
HOUSE = House("/var/lib/guardian", "/run/guardian")
NEEDS_SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def settings(unit: Path) -> dict[str, str]:
    """Every setting; the last of a name wins, as it does for most of systemd's."""
    return dict(re.findall(r"^([A-Z]\w+)=(.*)$", unit.read_text(), re.MULTILINE))


@NEEDS_SYSTEMD
def test_the_units_are_well_formed(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():  # the program is installed elsewhere: only then is it missing here
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    found = [str(tmp_path / unit.name) for unit in UNITS.iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", *found], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@NEEDS_SYSTEMD
@pytest.mark.parametrize(("unit", "tenths"), [(AGENT, 5), (DAEMON, 12), (DOCTOR, 13)])
def test_the_exposure_is_as_low_as_was_measured(unit: Path, tenths: int) -> None:
    words = ["systemd-analyze", "security", "--offline=yes", f"--threshold={tenths}", "--no-pager", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def test_the_socket_lies_where_the_command_asks_and_is_open_to_its_group_alone() -> None:
    found = settings(SOCKET)
    assert found["ListenStream"] == HOUSE.fence_socket
    assert found["SocketMode"] == "0660"  # the default is 0666 (CVE-2019-10132)
    assert found["SocketGroup"] == "guardian"
    assert (found["Accept"], found["TriggerLimitIntervalSec"]) == ("yes", "0")


def test_the_agent_has_no_network_no_secret_and_writes_to_the_fence_alone() -> None:
    found = settings(AGENT)
    assert (found["User"], found["PrivateNetwork"], found["RestrictAddressFamilies"]) == ("guardian", "yes", "AF_UNIX")
    assert set(found["ReadWritePaths"].replace("-/", "/").split()) == {HOUSE.runtime_dir, HOUSE.permits}
    assert not {"LoadCredential", "LoadCredentialEncrypted", "Environment", "EnvironmentFile"} & set(found)


def test_no_unit_steps_into_a_trap_that_we_know() -> None:
    for unit in UNITS.iterdir():
        found = settings(unit)
        assert "RuntimeDirectory" not in found, "it is removed with the service, and the gates with it"
        assert found.get("DynamicUser", "no") == "no"
        assert found.get("PrivateUsers", "no") == "no", "every caller would be uid 65534"
        assert found.get("ProcSubset", "all") == "all", "/proc/locks would be gone"


def test_a_hung_daemon_is_killed_and_a_crash_loop_ends_stopped() -> None:
    found = settings(DAEMON)
    assert (found["Type"], found["NotifyAccess"], found["KillMode"]) == ("notify", "main", "mixed")
    assert found["WatchdogSignal"] == "SIGKILL"  # the default stays pending on a stopped process
    assert (found["Restart"], found["RestartPreventExitStatus"]) == ("always", str(program.WRONG_USE))
    seconds = int(found["StartLimitIntervalSec"].removesuffix("min")) * 60
    burst = int(found["StartLimitBurst"])
    fails_at_once, hangs = int(found["RestartSec"]) + 10, int(found["RestartSec"]) + int(found["WatchdogSec"]) + 10
    assert max(fails_at_once, hangs) * burst < seconds


def test_a_stop_has_the_time_that_the_daemon_takes_for_it() -> None:
    """What is being sent, then a takedown or a browser, then the last word; each is waited for so long at the most."""
    browser = picturing.WITHIN + picturing.GONE_WITHIN
    longest = 2 * program.LANES_END_WITHIN + browser + 2 * program.LAST_WORD_WITHIN
    assert int(settings(DAEMON)["TimeoutStopSec"]) > longest


def test_where_the_daemon_and_the_agent_write_is_what_tmpfiles_makes_for_the_user_that_sysusers_makes() -> None:
    made = {
        tuple(line.split()[1:5])
        for line in (CONFIG / "guardian.tmpfiles").read_text("utf-8").splitlines()
        if line.startswith("d ")
    }
    for place, mode in (
        (HOUSE.runtime_dir, "0755"),
        (HOUSE.gates, "0700"),
        (HOUSE.state_dir, "0700"),
        (HOUSE.permits, "0700"),
    ):
        assert (place, mode, "guardian", "guardian") in made
    users = (CONFIG / "guardian.sysusers").read_text("utf-8")
    assert re.search(r"^u guardian ", users, re.MULTILINE)
    groups = set(re.findall(r"^[ug] (\S+)", users, re.MULTILINE))
    rights = tomllib.loads((CONFIG / "guardian.toml").read_text("utf-8"))["rights"]
    assert {group for right in rights.values() for group in right} == groups
    for unit in (DAEMON, AGENT, DOCTOR):
        assert (settings(unit)["User"], settings(unit)["Group"]) == ("guardian", "guardian")
    assert f"/var/lib/{settings(DAEMON)['StateDirectory']}" == HOUSE.state_dir
    assert settings(DAEMON)["ReadWritePaths"] == HOUSE.runtime_dir


@NEEDS_SYSTEMD
def test_the_doctor_comes_once_a_day_and_the_daemon_is_started_after_the_agents_socket() -> None:
    words = ["systemd-analyze", "calendar", "--iterations=2", settings(TIMER)["OnCalendar"]]
    assert subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0
    assert "guardian-fence.socket" in settings(DAEMON)["After"]
