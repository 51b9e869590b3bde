"""`guardian doctor`: each thing that can be wrong is found, in one line of its own; a healthy house is called so."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import doctor_daemon, doctor_house
from guardian.cli.doctor import Visit, code_of, document, lines
from guardian.cli.findings import CHECKS, GROUPS
from guardian.fence.house import House
from guardian.rehearsal import RehearsalPlatform
from guardian.rules.readiness import Verdict
from tests.cli import ward as plants
from tests.cli.conftest import NAMES
from tests.cli.ward import Ward, bad, set_up
from tests.torture.agent import HAS_SYSTEMD, AgentSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Ran

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another owner, a file system, a higher limit")
ROOT = [pytest.mark.root, NEEDS_ROOT]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"


@pytest.fixture(scope="module")
def platform() -> Iterator[RehearsalPlatform]:
    with RehearsalPlatform((*NAMES, "gamma", "delta", "other")) as found:
        yield found


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, platform: RehearsalPlatform) -> Iterator[Ward]:
    """With a daemon that runs."""
    ward = set_up(tmp_path_factory.mktemp("well"), platform)
    try:
        ward.start()
        yield ward
    finally:
        ward.clean()


@pytest.fixture
def standing(tmp_path: Path, platform: RehearsalPlatform) -> Iterator[Ward]:
    """Without a daemon: that is found each time, and nothing else."""
    ward = set_up(tmp_path, platform)
    yield ward
    ward.clean()


@pytest.mark.root
@pytest.mark.skipif(not HAS_SYSTEMD or os.geteuid() != 0, reason="needs systemd-socket-activate, and root")
def test_a_healthy_house_is_called_so_and_the_agent_has_stopped_a_scope(healthy: Ward) -> None:
    with AgentSocket(healthy.house, healthy.config, healthy.base / "agent.log"):
        visit = healthy.visit(look_only=False)
    assert bad(visit) == []
    assert code_of(visit.verdict, strict=False) == 0
    assert visit.not_made == {}
    assert {one.check for one in visit.found} == {check.name for check in CHECKS}
    agent = next(one for one in visit.found if one.check == "agent")
    assert "it stopped the scope of the self-test" in agent.words
    files = [file for path in (healthy.house.gates, healthy.house.permits) for file in Path(path).iterdir()]
    assert files
    assert not [file for file in files if "drill:" in file.name]
    assert healthy.get("/v1/status")["state"] == "open"
    assert healthy.get("/v1/status")["freezes"] == []


IN_A_HOUSE_THAT_STANDS = [
    (plants.a_clock_that_nobody_keeps, "clock", "nobody keeps this host's clock right"),
    pytest.param(plants.a_fence_that_others_may_write, "directories", "others may write into it"),
    pytest.param(plants.a_permit_of_somebody_else, "permits", "its permit belongs to uid 4711", marks=ROOT),
    (plants.another_gate, "gates", "its gate was replaced"),
    (plants.no_durable_permit, "permits", "durable permit: after a restart it would be frozen"),
    (plants.a_freeze_of_nobody, "permits", "frozen, and nobody ordered it: it has no permit"),
    (plants.a_freeze_of_somebody, "frozen", "wrong account"),
    (plants.a_scope_of_a_new_account, "permits", "it was never armed"),
    (plants.a_socket_that_everybody_may_open, "agent", "everybody on this host may open it"),
    (plants.a_token_that_everybody_may_read, "secret", "can be read by everybody on this host"),
    (plants.a_token_that_is_gone, "secret", "No such file or directory"),
    (plants.a_configuration_that_others_may_write, "config", "others may write it"),
    (plants.a_configuration_with_a_mistake, "config", "no key has that name"),
    (plants.no_key, "key", "there is none"),
    (plants.a_key_that_others_may_read, "key", "others may read it"),
    (plants.no_drill_for_a_month, "drill", "31 days ago"),
    (plants.a_drill_that_failed, "drill", "failed: the joke stayed"),
    (plants.no_backup, "backup", "none is known"),
    (plants.a_backup_that_is_none, "backup", "cannot be understood"),
    (plants.one_authority, "authorities", "one alone is named"),
    (plants.a_stranger_in_the_store, "daemon", "has its store"),
]


@pytest.mark.parametrize(("plant", "check", "words"), IN_A_HOUSE_THAT_STANDS)
def test_each_fault_in_a_house_is_one_line(
    standing: Ward, plant: Callable[[Ward], None], check: str, words: str
) -> None:
    before = standing.complaints()
    assert {one for one, _, _ in before} == {"daemon", "agent"}, "no daemon, no agent, and nothing else"
    plant(standing)
    after = standing.complaints() - before
    others = {one for one, _, _ in after} - {check}
    assert not others
    assert len(after) == 1
    assert words in next(iter(after))[2]


@pytest.mark.parametrize(
    ("plant", "check", "words"),
    [
        (plants.a_daemon_that_hangs, "daemon", "is stopped and answers nobody"),
        (plants.a_control_socket_for_everybody, "control", "everybody on this host may open it"),
        (plants.a_change_that_nobody_loaded, "config", "changed since the daemon read it"),
    ],
)
def test_each_fault_of_a_daemon_is_one_line(
    healthy: Ward, plant: Callable[[Ward], Iterator[None]], check: str, words: str
) -> None:
    before = healthy.complaints()
    assert {one for one, _, _ in before} == {"agent"}
    planted = plant(healthy)
    next(planted)
    try:
        after = healthy.complaints() - before
    finally:
        next(planted, None)
    assert [one for one, _, _ in after] == [check]
    assert words in next(iter(after))[2]


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory, platform: RehearsalPlatform) -> Iterator[Visit]:
    """One account for each thing that can be wrong with a token, and a journal that somebody has changed."""
    ward = Ward(tmp_path_factory.mktemp("sick"), platform)
    ward.write()
    text = ward.config.read_text()
    for name in ("gamma", "delta"):
        (ward.base / f"{name}.token").touch(0o600)
        (ward.base / f"{name}.token").write_text(platform.token("other" if name == "gamma" else name))
        text += plants_account(ward, name)
    ward.config.write_text(text)
    platform.limit_token("beta")
    platform.limit_token("delta", "read", "write:media")
    assert ward.program("init").returncode == 0
    ward.practise()
    try:
        ward.start()
        plants.tamper(ward)
        yield ward.visit()
    finally:
        ward.clean()
        platform.limit_token("beta", "read", "write")


def plants_account(ward: Ward, name: str) -> str:
    from tests.cli.conftest import ACCOUNT

    return ACCOUNT.format(name=name, base=ward.base, url=ward.platform.url, handle=ward.platform.handle(name))


@pytest.mark.parametrize(
    ("check", "about", "words"),
    [
        ("token", "beta", "refuses the token"),
        ("identity", "gamma", "the token belongs to @other@"),
        ("delete", "delta", "the token may do read, write:media, and not write:statuses"),
        ("journal", "", "it breaks at line 2"),
    ],
)
def test_each_fault_of_a_token_is_one_line(sick: Visit, check: str, about: str, words: str) -> None:
    found = [one for one in bad(sick) if one.check == check]
    assert [(one.about, one.verdict) for one in found] == [(about, Verdict.WRONG)]
    assert words in found[0].words
    assert found[0].fix


def test_an_account_in_order_is_not_named_beside_sick_ones(sick: Visit) -> None:
    assert {one.check for one in bad(sick)} == {"token", "identity", "delete", "journal", "agent"}
    assert not [one for one in bad(sick) if one.about == "acme"]


def test_a_damaged_store_is_named_and_the_rest_is_looked_at_all_the_same(
    tmp_path: Path, platform: RehearsalPlatform
) -> None:
    ward = set_up(tmp_path, platform)
    Path(ward.house.state_dir, "guardian.db").write_bytes(b"no store" * 1000)
    try:
        ward.start()
        visit = ward.visit()
    finally:
        ward.clean()
    found = {one.check: one for one in bad(visit)}
    assert set(found) == {"store", "agent", "frozen"}  # a damaged house freezes itself
    assert "damaged" in found["store"].words
    assert "guardian restore" in found["store"].fix
    assert visit.not_made["token"] == "store"


@pytest.mark.root
@NEEDS_ROOT
def test_a_disk_that_is_nearly_full_is_named(standing: Ward) -> None:
    small = standing.base / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=100", "none", str(small)], check=True)
    try:
        found = list(doctor_house.room(House(str(small), standing.house.runtime_dir)))
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert [(one.check, one.about) for one in found if one.verdict is Verdict.WRONG] == [
        ("space", str(small)),
        ("inodes", str(small)),
    ]


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("3.40.1", Verdict.WARNING), ("3.51.3", Verdict.WELL), ("new", Verdict.UNCHECKED)],
)
def test_a_library_with_the_known_bug_is_named(version: str, verdict: Verdict) -> None:
    found = {one.check: one for one in doctor_daemon.of_the_house({**TOLD, "sqlite": version})}
    assert found["sqlite"].verdict is verdict


@pytest.mark.parametrize("soft", [1, None])
def test_memory_that_a_crash_would_leave_on_the_disk_is_named(soft: int | None) -> None:
    """The daemon itself turns that off at its start, and nothing can turn it on again: here it is only told."""
    found = {one.check: one for one in doctor_daemon.of_the_house({**TOLD, "cores": {"soft": soft, "hard": None}})}
    assert (found["cores"].verdict, "tokens and all" in found["cores"].words) == (Verdict.WRONG, True)


def test_nobody_watching_the_daemon_is_named() -> None:
    found = {one.check: one for one in doctor_daemon.of_the_house({**TOLD, "watchdog_ms": None})}
    assert found["watchdog"].verdict is Verdict.WARNING


def test_what_a_platform_tells_only_whoever_deletes_counts_for_as_long_as_it_was_proven() -> None:
    one = {**ACCOUNT_TOLD, "may_delete": None, "delete_why": "X tells only whoever deletes", "delete_fix": ""}
    (never,) = [each for each in doctor_daemon.of_the_accounts([one], now=NOW) if each.check == "delete"]
    assert never.verdict is Verdict.WARNING
    assert never.words.endswith("never proven here")
    proven = {**one, "deleted_at": "2026-11-20T00:00:00Z"}
    (well,) = [each for each in doctor_daemon.of_the_accounts([proven], now=NOW) if each.check == "delete"]
    assert well.verdict is Verdict.WELL


def test_a_clock_that_is_not_the_platforms_is_named() -> None:
    found = list(doctor_daemon.of_the_accounts([{**ACCOUNT_TOLD, "skew_ms": -240_000}], now=NOW))
    (skew,) = [one for one in found if one.check == "skew"]
    assert (skew.verdict, skew.words) == (Verdict.WRONG, "our clock is 240 s behind the platform's")


NOW = 1_795_000_000_000
TOLD: dict[str, Any] = {
    "pid": 1,
    "sqlite": "3.51.3",
    "cores": {"soft": 0, "hard": 0},
    "watchdog_ms": 30_000,
    "store": {"state": "whole", "why": ""},
    "clock": {"state": "steady", "why": ""},
}
ACCOUNT_TOLD: dict[str, Any] = {
    "account": "a", "identity": "@a", "token": "right", "handle": "@a", "why": "", "fix": "", "may_delete": True,
    "delete_why": "", "delete_fix": "", "deleted_at": None, "skew_ms": 0,
}  # fmt: skip


@pytest.mark.parametrize(("said", "verdict"), [("yes", Verdict.WELL), ("no", Verdict.WRONG), ("", Verdict.UNCHECKED)])
def test_a_clock_of_which_the_kernel_may_not_be_asked_is_asked_of_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, verdict: Verdict
) -> None:
    program = tmp_path / "timedatectl"
    program.write_text(f"#!/bin/sh\necho {said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor_house.clock(None).verdict is verdict
    program.unlink()
    assert doctor_house.clock(None).verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("verdict", "usual", "strict"),
    [(Verdict.WELL, 0, 0), (Verdict.WARNING, 0, 1), (Verdict.UNCHECKED, 1, 1), (Verdict.WRONG, 1, 1)],
)
def test_the_exit_code_means_what_monitoring_was_told(verdict: Verdict, usual: int, strict: int) -> None:
    assert (code_of(verdict, strict=False), code_of(verdict, strict=True)) == (usual, strict)


def test_each_cause_is_one_line_with_its_fix_and_nothing_steers_the_terminal(standing: Ward) -> None:
    standing.say("last-drill.json", {"at": 1, "ok": False, "why": "a\x1b[31mred\nline"})
    visit = standing.visit()
    told = list(lines(visit, quiet=True))
    causes = [line for line in told if re.match(r"  (WRONG|UNCHECKED|warning) ", line)]
    assert len(causes) == len([one for one in visit.found if one.verdict is not Verdict.WELL])
    assert all(", do " in line and line.isprintable() for line in causes)
    assert told[0].startswith("NOT READY  ")
    assert any(line.startswith("NOT LOOKED AT because of daemon: ") for line in told)


def test_the_command_says_the_same_as_a_document(
    standing: Ward, guardian: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDIAN_CONFIG", str(standing.config))
    ran = guardian("doctor", "--look-only", "--json")
    assert ran.code == 1
    assert ran.json["verdict"] == "wrong"
    assert {one["group"] for one in ran.json["findings"]} <= set(GROUPS)
    assert set(ran.json) == set(document(standing.visit()))
    assert json.dumps(ran.json).count("\\u001b") == 0


def test_the_documentation_has_every_check_with_its_meaning_in_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z]+) \| (.+?) \|$", DOCS.read_text(), re.MULTILINE)
    assert rows == [(check.name, check.group, check.means) for check in CHECKS]
