"""What the package carries, what stands in it, and how a file of ours is told from one that a person changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from guardian.errors import GuardianError
from guardian.install import parts, sealed, snippets
from guardian.install.sealed import Whose
from tests.install.private_host import ROOT, build

if TYPE_CHECKING:
    from pathlib import Path


def test_a_wheel_carries_every_file_that_is_no_program(tmp_path: Path) -> None:
    carried = build(tmp_path)
    inside = {"systemd": "guardian/install/systemd", "config": "guardian/install/config"}
    said = [path for folder in ("guardian", "adapters", *inside) for path in (ROOT / folder).rglob("*")]
    files = [path for path in said if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert len(files) > 15
    for path in files:
        folder, _, rest = str(path.relative_to(ROOT)).partition("/")
        there = carried / f"{inside.get(folder, folder)}/{rest}"
        assert there.read_bytes() == path.read_bytes(), path


def test_every_unit_in_the_repository_is_installed_and_starts_the_program_where_it_lies() -> None:
    units = {part.path.rpartition("/")[2]: part.text for part in parts.units("/opt/guardian/bin")}
    assert set(units) == {path.name for path in (ROOT / "systemd").iterdir()}
    assert set(parts.TO_ENABLE) <= set(units)
    started = [line for text in units.values() for line in text.splitlines() if line.startswith("ExecStart=")]
    assert started
    assert all(line.startswith("ExecStart=/opt/guardian/bin/guardian") for line in started)
    assert not [text for text in units.values() if "/usr/local/bin" in text]
    can_be_enabled = {name for name, text in units.items() if "\n[Install]\n" in text}
    assert can_be_enabled == set(parts.TO_ENABLE)


def test_users_groups_and_directories_are_those_of_the_contract() -> None:
    config = (ROOT / "config" / "guardian.toml").read_text("utf-8")
    named = {name for line in re.findall(r"^(?:read|freeze|operate|takedown) = \[(.*?)\]", config, re.MULTILINE)
             for name in re.findall(r'"([^"]+)"', line)}  # fmt: skip
    assert set(snippets.groups(parts.sysusers().text)) == named
    assert [user.name for user in snippets.users(parts.sysusers().text)] == ["guardian"]
    made = {one.path: (oct(one.mode), one.user, one.group) for one in snippets.directories(parts.tmpfiles().text)}
    assert made == {
        "/run/guardian": ("0o755", "guardian", "guardian"),
        "/run/guardian/fence": ("0o700", "guardian", "guardian"),
        "/var/lib/guardian": ("0o700", "guardian", "guardian"),
        "/var/lib/guardian/fence": ("0o700", "guardian", "guardian"),
        "/etc/guardian": ("0o755", "root", "root"),
        "/etc/guardian/secrets": ("0o750", "root", "guardian"),
    }


def test_one_letter_anywhere_makes_a_file_the_persons_own() -> None:
    text = sealed.seal("[Unit]\nDescription=x\n")
    assert sealed.whose(text) is Whose.OURS
    assert sealed.whose(None) is Whose.NOBODYS
    for place in range(len(text)):
        assert sealed.whose(f"{text[:place]}~{text[place + 1 :]}") is Whose.THEIRS
        assert sealed.whose(f"{text[:place]}~{text[place:]}") is Whose.THEIRS
    for other in ("", text[:-1], text + "\n", text + text, text.replace("x", "y")):
        assert sealed.whose(other) is Whose.THEIRS


def test_a_line_that_systemd_could_not_read_either_is_named() -> None:
    with pytest.raises(GuardianError, match="d '/x 0755"):
        snippets.directories("d '/x 0755\n")
