"""`guardian init --system --root DIR`: another tree, set up and cleared by this host's programs or by our own hands."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli.app import main
from guardian.install import parts
from tests.install.private_host import what_it_is

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files to other users"),
]
SERVICE = "usr/local/lib/systemd/system/guardian.service"
PROGRAMS = "/opt/guardian/bin"


@dataclass
class Ran:
    """A command that has run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON is what it is
        return json.loads(self.out)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An empty system in which the program is installed."""
    root = tmp_path / "tree"
    for name in ("guardian", "guardian-fence-agent"):
        program = root / PROGRAMS.strip("/") / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
    (root / "etc").mkdir()
    return root


@pytest.fixture
def init(tree: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def run(*words: str) -> Ran:
        code = main(["init", "--system", "--root", str(tree), *words])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


def found(tree: Path) -> dict[str, str]:
    return {str(path.relative_to(tree)): what_it_is(path) for path in sorted(tree.rglob("*"))}


def without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a host without it: useradd and groupadd lie in /usr/sbin, systemd's programs are nowhere to be found."""
    monkeypatch.setenv("PATH", "/nowhere")


def kinds(tree: Path) -> dict[str, str]:
    """Mode, owner and content of everything that is ours."""
    ours = ("etc/guardian", "usr", "var")
    return {path: what.rpartition(" ")[0] for path, what in found(tree).items() if path.startswith(ours)}


def test_with_and_without_systemd_the_tree_becomes_the_same(
    tree: Path, init: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init("--bin", PROGRAMS).code == 0
    by_systemd = kinds(tree)
    users = (tree / "etc/passwd").read_text()
    for folder in ("etc", "usr", "var"):
        shutil.rmtree(tree / folder)
    (tree / "etc").mkdir()
    without_systemd(monkeypatch)
    ran = init("--bin", PROGRAMS)
    assert ran.code == 0
    assert "useradd" in ran.out
    assert "make /var/lib/guardian 0700 guardian:guardian" in ran.out
    assert {path: what.split()[0] for path, what in kinds(tree).items()} == {
        path: what.split()[0] for path, what in by_systemd.items()
    }
    columns = [line.split(":") for line in (users + (tree / "etc/passwd").read_text()).splitlines()]
    assert [(row[0], *row[4:]) for row in columns] == [
        ("guardian", "Guardian", "/var/lib/guardian", "/usr/sbin/nologin")
    ] * 2
    assert (tree / "var/lib/guardian").stat().st_uid == int(columns[1][2])
    assert init("--bin", PROGRAMS, "--json").json["steps"] == []


def test_an_upgrade_renews_what_is_still_ours_and_leaves_the_rest(tree: Path, init: Callable[..., Ran]) -> None:
    init("--bin", PROGRAMS)
    elsewhere = tree / "srv/guardian/bin"
    elsewhere.mkdir(parents=True)
    for name in ("guardian", "guardian-fence-agent"):
        (elsewhere / name).touch(0o755)
    socket = tree / "usr/local/lib/systemd/system/guardian-fence.socket"
    socket.write_text(socket.read_text().replace("MaxConnections=32", "MaxConnections=64"))
    config = tree / "etc/guardian/guardian.toml"
    config.write_text(config.read_text() + "# mine\n")
    ran = init("--bin", "/srv/guardian/bin")
    assert ran.code == 0
    assert "ExecStart=/srv/guardian/bin/guardian run" in (tree / SERVICE).read_text()
    assert "MaxConnections=64" in socket.read_text()
    assert "MaxConnections=32" in socket.with_name("guardian-fence.socket.new").read_text()
    assert config.read_text().endswith("# mine\n")
    assert init("--bin", "/srv/guardian/bin", "--json").json["steps"] == []


def test_a_file_of_the_persons_own_beside_theirs_is_not_overwritten_either(
    tree: Path, init: Callable[..., Ran]
) -> None:
    init("--bin", PROGRAMS)
    unit = tree / SERVICE
    unit.write_text("[Service]\n")
    beside = unit.with_name("guardian.service.new")
    beside.write_text("mine, too\n")
    ran = init("--bin", PROGRAMS, "--json").json
    assert ran["steps"] == []
    assert "move that away" in ran["notes"][0]
    assert (unit.read_text(), beside.read_text()) == ("[Service]\n", "mine, too\n")


def test_a_unit_of_the_persons_own_goes_before_ours_and_is_named(tree: Path, init: Callable[..., Ran]) -> None:
    own = tree / "etc/systemd/system/guardian.service"
    own.parent.mkdir(parents=True)
    own.write_text("[Service]\nExecStart=/srv/mine\n")
    notes = init("--bin", PROGRAMS, "--json").json["notes"]
    assert notes == ["/etc/systemd/system/guardian.service is there, and systemd takes it in place of ours"]
    kept = {one["path"] for one in init("--undo", "--json").json["kept"]}
    assert "/etc/systemd/system/guardian.service" in kept
    assert own.read_text() == "[Service]\nExecStart=/srv/mine\n"


def test_what_enabling_left_goes_with_the_undo(tree: Path, init: Callable[..., Ran]) -> None:
    init("--bin", PROGRAMS)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "guardian.service").symlink_to("/usr/local/lib/systemd/system/guardian.service")
    (wants / "other.service").symlink_to("/usr/lib/systemd/system/other.service")
    stamps = tree / "var/lib/systemd/timers"
    stamps.mkdir(parents=True)
    for name in ("stamp-guardian-doctor.timer", "stamp-other.timer"):
        (stamps / name).touch()
    assert init("--undo").code == 0
    assert [path.name for path in wants.iterdir()] == ["other.service"]
    assert [path.name for path in stamps.iterdir()] == ["stamp-other.timer"]


def test_the_undo_says_what_each_thing_is_that_a_house_has_learnt_to_keep(tree: Path, init: Callable[..., Ran]) -> None:
    init("--bin", PROGRAMS)
    house = tree / "var/lib/guardian"
    for name in ("last-drill.json", "last-backup.json", "before-0007.db", "before-0007.db-wal"):
        (house / name).touch()
    for name in ("backups", "sessions", "replaced-20261126T000000Z"):
        (house / name).mkdir()
    (house / "holiday.jpg").touch()
    kept = {one["path"]: one["what"] for one in init("--undo", "--json").json["kept"]}
    unknown = {path for path, what in kept.items() if path.startswith("/var/lib/guardian/") and "not known" in what}
    assert unknown == {"/var/lib/guardian/holiday.jpg"}


def test_a_link_that_leads_out_of_the_tree_is_refused_before_anything_is_written(
    tree: Path, init: Callable[..., Ran], tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree / "usr").symlink_to(outside)
    ran = init("--bin", PROGRAMS)
    assert ran.code == 1
    assert "leads out of" in ran.err
    assert list(outside.iterdir()) == []


def test_a_command_of_somebody_elses_is_not_replaced(tree: Path, init: Callable[..., Ran]) -> None:
    theirs = tree / "usr/local/bin/guardian"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("#!/bin/sh\n")
    assert "it is what people start who type guardian" in " ".join(init("--bin", PROGRAMS).out.split())
    init("--undo")
    assert theirs.read_text() == "#!/bin/sh\n"


def test_the_command_is_laid_where_sudo_finds_it_and_goes_again(tree: Path, init: Callable[..., Ran]) -> None:
    init("--bin", PROGRAMS)
    link = tree / "usr/local/bin/guardian"
    assert str(link.readlink()) == "/opt/guardian/bin/guardian"
    init("--undo")
    assert not link.is_symlink()


@pytest.mark.parametrize("line", ['state_dir = "/srv/guardian"', 'runtime_dir = "/tmp/guardian"'])
def test_directories_that_the_units_do_not_know_are_refused(tree: Path, init: Callable[..., Ran], line: str) -> None:
    config = tree / "etc/guardian/guardian.toml"
    config.parent.mkdir()
    config.write_text(f"{line}\n")
    before = found(tree)
    ran = init("--bin", PROGRAMS)
    assert ran.code == 2
    assert line.partition(" ")[0] in ran.err
    assert found(tree) == before


def test_a_mistake_in_the_configuration_is_said_before_anything_is_changed(
    tree: Path, init: Callable[..., Ran]
) -> None:
    config = tree / "etc/guardian/guardian.toml"
    config.parent.mkdir()
    config.write_text("[queue]\nzone = 7\n")
    before = found(tree)
    assert init("--bin", PROGRAMS).code == 2
    assert found(tree) == before


CONTRADICTIONS = (
    "--start",
    "--bin /no/where",
    "--bin opt",
    "--bin /opt/$HOME",
    "--undo --start",
    f"--undo --bin {PROGRAMS}",
    "--dir /x",
    "--config /x",
)


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_what_contradicts_itself_is_wrong_use_and_nothing_is_done(
    tree: Path, init: Callable[..., Ran], words: str
) -> None:
    before = found(tree)
    ran = init(*words.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("cannot ")
    assert found(tree) == before


@pytest.mark.parametrize("option", ["--undo", "--dry-run", "--start", "--root=/x", "--bin=/x"])
def test_an_option_of_the_system_without_it_sets_up_no_house(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["init", "--dir", str(tmp_path / "h"), option]) == 2
    assert "guardian init --system" in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


def test_a_program_that_the_units_hide_is_refused_on_the_running_system(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("guardian", "guardian-fence-agent"):
        (tmp_path / name).touch(0o755)
    assert main(["init", "--system", "--dry-run", "--bin", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "the units hide" in said or "could not reach" in said


def test_a_directory_in_the_place_of_a_file_is_named(tree: Path, init: Callable[..., Ran]) -> None:
    (tree / "var/lib").mkdir(parents=True)
    (tree / "var/lib/guardian").write_text("")
    ran = init("--bin", PROGRAMS)
    assert ran.code == 1
    assert "it is no directory" in ran.err


def test_every_installed_file_is_closed_to_writing_whatever_the_umask(tree: Path, init: Callable[..., Ran]) -> None:
    before = os.umask(0)
    try:
        init("--bin", PROGRAMS)
    finally:
        os.umask(before)
    for path in [tree / part.path.strip("/") for part in (*parts.units(PROGRAMS), parts.sysusers(), parts.tmpfiles())]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
