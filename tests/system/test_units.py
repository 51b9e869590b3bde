"""The units in systemd/: well-formed, hardened as measured, and free of the traps that we know."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from guardian.fence.house import House

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SOCKET, AGENT = UNITS / "guardian-fence.socket", UNITS / "guardian-fence@.service"
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
def test_the_agents_exposure_is_half_a_point_at_the_most() -> None:
    words = ["systemd-analyze", "security", "--offline=yes", "--threshold=5", "--no-pager", str(AGENT)]
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
